import { limits } from '../../schemas/common/limits.js';
import { portionsOf } from '../portions.js';

const batchSize = limits.batchVms.most;

/** VMs in portions that one step takes. */
export const batchesOf = (ids: readonly number[]): number[][] => portionsOf(ids, batchSize);

/** Portions of several roles in batches: those that fill one, or are to, go alone, the others share them, in their order. */
export function packed<P extends { vms: readonly number[]; alone?: boolean }>(portions: readonly P[]): P[][] {
  const batches: P[][] = [];
  let [shared, size]: [P[], number] = [[], 0];
  for (const portion of portions) {
    if (portion.alone || portion.vms.length >= batchSize) {
      batches.push([portion]);
      continue;
    }
    if (size + portion.vms.length > batchSize) {
      batches.push(shared);
      [shared, size] = [[], 0];
    }
    shared.push(portion);
    size += portion.vms.length;
  }
  return shared.length > 0 ? [...batches, shared] : batches;
}
