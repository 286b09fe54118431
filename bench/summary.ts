/** Least, middle and greatest of some measurements. */
export type Summary = { runs: number; min: number; median: number; max: number };

/** Throws when there is none. The median of an even number is the upper of the two in the middle. */
export function summarise(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    runs: sorted.length,
    min: at(sorted, 0),
    median: at(sorted, Math.floor(sorted.length / 2)),
    max: at(sorted, sorted.length - 1),
  };
}

/** The value that a share of them (0 to 1) does not exceed. Throws when there is none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return at(sorted, Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1));
}

function at(sorted: readonly number[], index: number): number {
  const value = sorted[index];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}
