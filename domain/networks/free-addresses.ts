import type { AddressRange } from '../../schemas/networks/addresses.js';

/** Numbers of addresses that nobody has, between `from` and before `to`. `taken`: those that somebody has, in order. */
export function gapsIn(taken: readonly number[], from: number, to: number): number[] {
  const gaps: number[] = [];
  let next = from;
  for (const index of [...taken, to]) {
    for (; next < Math.min(index, to); next += 1) gaps.push(next);
    next = Math.max(next, index + 1);
  }
  return gaps;
}

/** `count` of these, none twice, each as likely as another: two who look at once seldom choose the same. `chance`: draws 0 to 1. */
export function someOf(gaps: readonly number[], count: number, chance: () => number): number[] {
  if (gaps.length <= count) return [...gaps];
  const chosen = new Set<number>();
  while (chosen.size < count) {
    const from = Math.floor(chance() * gaps.length);
    // Where this one is chosen already, the next that is not.
    const next = gaps.slice(from).find((gap) => !chosen.has(gap)) ?? gaps.find((gap) => !chosen.has(gap));
    if (next !== undefined) chosen.add(next);
  }
  return [...chosen];
}

/**
 * The next numbers in turn: those that were given back rest for as long as they can, as in OpenNebula. `first`: how many were drawn
 * before; each number once, whatever `count` says.
 */
export const inTurn = (first: number, count: number, size: number): number[] =>
  Array.from({ length: Math.min(count, size) }, (_, at) => (first + at) % size);

/** Where so many addresses in a row are free; null: nowhere. `taken`: in order. */
export function firstRun(taken: readonly number[], size: number, count: number): number | null {
  let next = 0;
  for (const index of [...taken, size]) {
    if (index - next >= count) return next;
    next = index + 1;
  }
  return null;
}

/** How the numbers of a range are looked through when those in turn are taken: parts from `start` on and around. */
export function* partsFrom(start: number, size: number): Generator<{ from: number; to: number }> {
  for (const [begin, end] of [
    [start, size],
    [0, start],
  ] as const)
    for (let [from, length] = [begin, 256]; from < end; from += length, length *= 4)
      yield { from, to: Math.min(from + length, end) };
}

/** Addresses in a row: of a range, from a number on. */
export type Run = { range: AddressRange; first: number };

/** The most addresses in a row that nobody has. `taken`: in order. */
export function longestRun(taken: readonly number[], size: number): number {
  let [longest, next] = [0, 0];
  for (const index of [...taken, size]) {
    longest = Math.max(longest, index - next);
    next = index + 1;
  }
  return longest;
}
