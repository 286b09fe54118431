/** What a policy has wished for up to a moment: the fewest VMs, and the most. */
export type Wishes = { at: Date; low: number; high: number };

/** So many are kept: where there are more, neighbours become one, which has what both had and is as young as the younger. */
const mostWishes = 60;

/**
 * What was wished for within so many seconds, with what is now. One that has only begun to wish is taken to have wished for
 * what there is: nothing changes before the first window is over.
 */
export function remembered(
  wishes: readonly Wishes[],
  to: number,
  { window, cardinality, now }: { window: number; cardinality: number; now: Date },
): Wishes[] {
  if (window <= 0) return [];
  const first = { at: now, low: cardinality, high: cardinality };
  const since = now.getTime() - window * 1_000;
  const young = wishes.filter(({ at }) => at.getTime() > since);
  const all = [...(wishes.length === 0 ? [first] : young), { at: now, low: to, high: to }];
  return all.length > mostWishes ? pairwise(all) : all;
}

function pairwise(wishes: readonly Wishes[]): Wishes[] {
  const joined: Wishes[] = [];
  for (let at = 0; at < wishes.length; at += 2) {
    const [one, other] = [wishes[at], wishes[at + 1]];
    if (one && other)
      joined.push({ at: other.at, low: Math.min(one.low, other.low), high: Math.max(one.high, other.high) });
    else if (one) joined.push(one);
  }
  return joined;
}

/** The smallest change in the direction of a wish that all wishes of the window agree on; `cardinality`: none. */
export function stabilised(wishes: readonly Wishes[], to: number, cardinality: number): number {
  if (to > cardinality) return Math.max(cardinality, Math.min(to, ...wishes.map(({ low }) => low)));
  return Math.min(cardinality, Math.max(to, ...wishes.map(({ high }) => high)));
}
