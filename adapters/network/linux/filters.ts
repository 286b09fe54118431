import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import type { NicFilter } from '../../../schemas/networks/nic-filter.js';
import { faultOf, isOvertaken } from './fault-of.js';
import {
  additionText,
  type BridgeFacts,
  clearanceText,
  type FilterVersion,
  groundText,
  removalText,
  renameText,
  versionIn,
} from './filter-text.js';
import type { Run } from './run.js';

const mostRounds = 40;

/** What `nft --json list map` says; of elements alone. */
const Listed = z.object({
  nftables: z.array(
    z.object({
      map: z
        .object({
          elem: z.array(z.tuple([z.string(), z.object({ jump: z.object({ target: z.string() }) })])).default([]),
        })
        .optional(),
    }),
  ),
});

/**
 * Filters of NICs on a host. Each change is one transaction of nftables, which names the filter that it replaces and is refused when that is there no
 * more: of two at once, one looks again.
 */
export function filtersOn(run: Run) {
  async function versions(signal: AbortSignal): Promise<Map<string, FilterVersion>> {
    const { exitCode, stdout, stderr } = await run(
      'nft',
      ['--json', 'list', 'map', 'bridge', 'arcus', 'to'],
      '',
      signal,
    );
    if (exitCode !== 0 && isAbsent(stderr)) return new Map();
    if (exitCode !== 0) throw faultOf('nft', stderr);
    const found = listedIn(stdout).map((target) => versionIn(target));
    return new Map(found.flatMap((one) => (one ? [[one.device, one]] : [])));
  }

  /** What is said where it was not done, for somebody was faster; null: it was. */
  async function transact(text: string, signal: AbortSignal): Promise<string | null> {
    const { exitCode, stderr } = await run('nft', ['-f', '-'], text, signal);
    if (exitCode === 0) return null;
    if (isAbsent(stderr) || isOvertaken(stderr)) return stderr;
    throw faultOf('nft', stderr);
  }

  /** The text of what is to be done, by what there is; null: nothing. */
  async function until(
    device: string,
    plan: (seen: FilterVersion | undefined) => string | null,
    signal: AbortSignal,
  ): Promise<void> {
    let failedOf: string | undefined;
    for (let round = 0; round < mostRounds; round += 1) {
      const seen = (await versions(signal)).get(device);
      const text = plan(seen);
      if (text === null) return;
      const said = await transact(text, signal);
      if (said === null) return;
      // What fails while nothing changes is wrong, and not late.
      const failed = JSON.stringify([seen, said]);
      if (failed === failedOf) throw faultOf('nft', said);
      failedOf = failed;
    }
    throw new Problem('backend_unavailable', 'Filters of the host change faster than they can be followed.');
  }

  return {
    versions,

    /** For one that is plugged; before that, so that there is no moment without. */
    set(
      device: string,
      { epoch, filter }: { epoch: number; filter: NicFilter },
      bridge: BridgeFacts,
      signal: AbortSignal,
    ): Promise<void> {
      const its = { epoch, revision: filter.revision };
      return until(
        device,
        (seen) => {
          if (seen) notOlder(device, epoch, seen);
          const ground = groundText(bridge);
          if (!seen) return ground + additionText(device, its, filter);
          if (seen.revision < its.revision)
            return ground + removalText(device, seen) + additionText(device, its, filter);
          return seen.epoch === epoch ? ground : ground + renameText(device, seen, { ...seen, epoch });
        },
        signal,
      );
    },

    /** Of one that is there. */
    replace(device: string, filter: NicFilter, signal: AbortSignal): Promise<void> {
      return until(
        device,
        (seen) => {
          if (!seen || seen.revision >= filter.revision) return null;
          const its = { epoch: seen.epoch, revision: filter.revision };
          return removalText(device, seen) + additionText(device, its, filter);
        },
        signal,
      );
    },

    async remove(device: string, { epoch }: { epoch: number }, signal: AbortSignal): Promise<void> {
      await until(
        device,
        (seen) => {
          if (!seen) return null;
          notOlder(device, epoch, seen);
          return removalText(device, seen);
        },
        signal,
      );
      // Where other NICs have filters it is refused, and where there are none it is nothing.
      await transact(clearanceText, signal);
    },
  };
}

function notOlder(device: string, epoch: number, seen: FilterVersion): void {
  if (seen.epoch > epoch)
    throw new Problem('stale_epoch', `${device} has a filter of epoch ${seen.epoch}; ${epoch} is older.`);
}

const isAbsent = (said: string): boolean => /No such file or directory/i.test(said);

function listedIn(text: string): string[] {
  const listed = Listed.safeParse(parsed(text));
  if (!listed.success)
    throw new Problem('backend_unavailable', 'nft answers in a way that is not known here.', { cause: listed.error });
  return listed.data.nftables.flatMap(({ map }) => (map?.elem ?? []).map(([, { jump }]) => jump.target));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
