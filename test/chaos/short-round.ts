import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ChaosCase } from './cases.js';
import { Cloud } from './cloud.js';
import { type Round, roundsOf } from './rounds.js';
import { runCase } from './run-case.js';
import { ShapeMissing } from './shapes.js';

/** Tests of each of these cases, one after the other. */
export function shortRound(cases: readonly ChaosCase[]): void {
  const seed = Number(process.env.ARCUS_CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.error(`ARCUS_CHAOS_SEED=${seed}`);

  describe.for(roundsOf(cases, seed, undefined))(
    'what goes on in a cluster with $on',
    { timeout: 300_000 },
    (round) => {
      const cloudOr = cloudFor(round);
      it.for(round.turns.map((turn) => ({ turn, ...turn.chaosCase })))(
        'ends as it should: $work.name, $fault.name',
        async ({ turn }, { skip }) => {
          const { finishedAfter, violations } = await runCase(cloudOr(skip), turn.chaosCase, turn.dice);
          expect(violations).toEqual([]);
          expect(finishedAfter).not.toBeNull();
        },
      );
    },
  );
}

/** Starts a cluster before the tests of a round and stops it after them; where the machine cannot have it, they are skipped. */
function cloudFor({ on }: Round): (skip: (reason: string) => never) => Cloud {
  let started: Cloud | ShapeMissing | undefined;
  beforeAll(async () => {
    const cache = process.env.ARCUS_CACHE ?? join(homedir(), '.arcus', 'cache');
    const binaries = { mongod: inject('mongodPath'), temporal: inject('temporalPath') };
    started = await Cloud.start(on, { cache, binaries }).catch((error: unknown) => {
      if (error instanceof ShapeMissing) return error;
      throw error;
    });
  });
  afterAll(async () => {
    if (started instanceof Cloud) await started.stop({ keep: false });
  });
  return (skip) => {
    if (started instanceof Cloud) return started;
    return skip(started?.message ?? 'the cluster has not started');
  };
}
