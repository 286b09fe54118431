import { limits } from '../schemas/limits.js';

const batchSize = limits.batchVms.most;

export function batchesOf(ids: readonly number[]): number[][] {
  const batches: number[][] = [];
  for (let at = 0; at < ids.length; at += batchSize) batches.push(ids.slice(at, at + batchSize));
  return batches;
}
