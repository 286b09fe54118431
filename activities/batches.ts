/** VMs that one activity works on at most: large enough to be cheap, small enough to be retried and seen. */
const batchSize = 50;

export function batchesOf(ids: readonly number[]): number[][] {
  const batches: number[][] = [];
  for (let at = 0; at < ids.length; at += batchSize) batches.push(ids.slice(at, at + batchSize));
  return batches;
}
