import type { PlacementRecord } from '../../schemas/placement/placement.js';
import { type Asked, type Candidate, refusalOf } from './placement-candidates.js';
import { groupRefusals, type Refused } from './placement-refusals.js';

/** How many of the other candidates, and of the reasons of those that refuse, are recorded. */
const mostOthers = 3;
const mostReasons = 5;

/** The first so many of those with the highest ranks: nearly all are looked at once and passed over. */
function highest(ranks: ReadonlyMap<number, number>, count: number): [host: number, rank: number][] {
  const best: [number, number][] = [];
  for (const [host, rank] of ranks) {
    const last = best[count - 1];
    if (last !== undefined && rank <= last[1]) continue;
    const at = best.findIndex(([, other]) => rank > other);
    best.splice(at < 0 ? best.length : at, 0, [host, rank]);
    best.length = Math.min(best.length, count);
  }
  return best;
}

/** Why a VM goes where it does: the same for all of a kind, so that they are one write. */
export function recordOf(
  hosts: number,
  candidates: readonly Candidate[],
  asked: Asked,
): (host: number) => PlacementRecord {
  const { demand } = asked;
  const ranks = new Map<number, number>();
  const refused: Refused[] = [];
  for (const host of candidates) {
    const refusal = refusalOf(host, asked);
    if (refusal) refused.push({ host: host.id, refusal });
    else ranks.set(host.id, demand.rank(host));
  }
  const best = highest(ranks, mostOthers + 1);
  const groups = groupRefusals(refused).slice(0, mostReasons);
  return (chosen) => ({
    rank_by: demand.rankBy,
    rank: (ranks.get(chosen) ?? 0) + 0,
    candidates: ranks.size,
    hosts,
    others: best
      .filter(([host]) => host !== chosen)
      .slice(0, mostOthers)
      .map(([host, rank]) => ({ host, rank: rank + 0 })),
    refused: groups,
  });
}
