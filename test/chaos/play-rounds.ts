import { nameOf } from './cases.js';
import { Cloud } from './cloud.js';
import type { Round, Turn } from './rounds.js';
import { type RunResult, runCase } from './run-case.js';
import { type Machine, ShapeMissing } from './shapes.js';

export type Played = { turn: Turn; result: RunResult } | { turn: Turn; leftOut: string };

type Options = {
  machine: Machine;
  /** Clusters side by side. */
  lanes: number;
  /** Data of a cluster with a violation stays. */
  keep: boolean;
  say: (line: string) => void;
};

/** Plays every round, each on a cluster of its own; after a violation the rest of a round goes on with a new one. */
export async function playRounds(rounds: readonly Round[], { machine, lanes, keep, say }: Options): Promise<Played[]> {
  const played: Played[] = [];
  const clouds = new Set<Cloud>();
  const interrupt = () => {
    queue.length = 0;
    void Promise.all([...clouds].map((cloud) => cloud.stop({ keep }))).finally(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const queue = [...rounds];
  const lane = async (): Promise<void> => {
    for (let round = queue.shift(); round !== undefined; round = queue.shift()) {
      for (let turns = round.turns; turns.length > 0; ) turns = await playOn(round.on, turns);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return played;

  /** Plays turns on one cluster until one has a violation; returns what is left. */
  async function playOn(on: Round['on'], turns: readonly Turn[]): Promise<Turn[]> {
    let cloud: Cloud;
    try {
      cloud = await Cloud.start(on, machine);
    } catch (error) {
      if (!(error instanceof ShapeMissing)) throw error;
      say(`left out, ${turns.length} runs on ${on}: ${error.message}`);
      played.push(...turns.map((turn) => ({ turn, leftOut: error.message })));
      return [];
    }
    clouds.add(cloud);
    let violated = false;
    try {
      for (const [at, turn] of turns.entries()) {
        const result = await play(cloud, turn);
        violated = result.violations.length > 0;
        played.push({ turn, result });
        say(lineOf(turn, result, violated && keep ? cloud.cluster.directory : null));
        if (violated) return turns.slice(at + 1);
      }
      return [];
    } finally {
      clouds.delete(cloud);
      await cloud.stop({ keep: keep && violated });
    }
  }
}

async function play(cloud: Cloud, { chaosCase, dice }: Turn): Promise<RunResult> {
  try {
    return await runCase(cloud, chaosCase, dice);
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { finishedAfter: null, violations: [`the run was broken off: ${said}`] };
  }
}

function lineOf({ chaosCase, nth }: Turn, { finishedAfter, violations }: RunResult, kept: string | null): string {
  const ended = finishedAfter === null ? 'not ended' : `ended after ${(finishedAfter / 1000).toFixed(1)} s`;
  const where = kept === null ? [] : [`its data is in ${kept}`];
  const below = [...violations, ...where].map((line) => `\n    ${line}`).join('');
  return `${nameOf(chaosCase)} #${nth}: ${ended}${below}`;
}
