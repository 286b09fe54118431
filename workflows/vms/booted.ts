import type { BatchOutcome } from '../../activities/vms/each-vm.js';
import type { VmBatch } from '../../activities/vms/vms.js';
import { compute, storing } from '../activity-options.js';

/**
 * Boots VMs. Images that lie elsewhere than where their disks are made are brought there first, for as long as that takes; VMs that need none do not wait for that. A
 * batch of which none needs one takes one step, as those did of before images were brought.
 */
export async function booted(batch: VmBatch, what: string): Promise<BatchOutcome> {
  const { bring, ...first } = await compute.bootVms.executeWithOptions({ summary: `boot ${what}` }, [batch]);
  if (!bring) return first;
  const those = { ...batch, vms: bring };
  const summary = `bring images for ${what}`;
  const { unbrought } = await storing.bringImages.executeWithOptions({ summary }, [those]);
  const rest = await compute.bootVms.executeWithOptions({ summary: `boot ${what}` }, [{ ...those, unbrought }]);
  return {
    done: [...first.done, ...rest.done],
    failed: [...first.failed, ...rest.failed],
    taken: [...first.taken, ...rest.taken],
  };
}
