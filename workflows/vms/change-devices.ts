import { ApplicationFailure, CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { compute, local, settling, storing } from '../activity-options.js';
import { attempt, type OperationInput, runOperation } from '../operations/operation.js';

const failed = (why: string): ApplicationFailure => ApplicationFailure.nonRetryable(why, 'vm_failed');

/** Changes a device of one VM. Whatever goes wrong on the way, the VM is what it was, and what it has is what its host has. */
export async function changeDevices({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginDeviceChange, async ({ vm, action }) => {
    setCurrentDetails(`${action} on VM ${vm}`);
    try {
      await changed({ op, vm, action });
    } catch (error) {
      await CancellationScope.nonCancellable(() => settled({ op, vm }));
      if (isCancellation(error) || (await local.deviceFailure({ op, vm })) !== null) throw error;
    }
  });
}

async function changed({ op, vm, action }: { op: string; vm: number; action: string }): Promise<void> {
  let plan = await local.prepareDeviceChange({ op, vm });
  if (plan.do === 'settle') {
    await settled({ op, vm });
    plan = await local.prepareDeviceChange({ op, vm });
  }
  if (plan.do === 'done') return;
  if (plan.do === 'settle') throw failed(`it is not known what VM ${vm} has`);
  if (plan.do === 'refused') throw failed(plan.why);
  const { verb, bring } = plan;
  if (bring) {
    const summary = `bring an image to where the disk of VM ${vm} is made`;
    const { unbrought } = await storing.bringImages.executeWithOptions({ summary }, [{ op, vms: [vm] }]);
    const [first] = unbrought;
    if (first) throw failed(`image ${first.image} was not brought to datastore ${first.datastore}: ${first.detail}`);
  }
  const summary = `${action} on VM ${vm}`;
  const failure = await attempt(() => compute.changeDevices.executeWithOptions({ summary }, [{ op, vms: [vm], verb }]));
  const why = await local.deviceFailure({ op, vm });
  if (why !== null) throw failed(failure ?? why);
}

/** That it could not be found out is no reason of its own: the next change of its devices asks first. */
async function settled({ op, vm }: { op: string; vm: number }): Promise<void> {
  const summary = `see on its host what VM ${vm} has`;
  await attempt(() => settling.settleDevices.executeWithOptions({ summary }, [{ op, vms: [vm] }]));
}
