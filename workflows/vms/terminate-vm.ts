import { ApplicationFailure, setCurrentDetails, sleep } from '@temporalio/workflow';
import { compute, local } from '../activity-options.js';
import { attempt, type OperationInput, runOperation } from '../operations/operation.js';

/** How often a VM that another operation holds is looked at, a second apart, before it is taken from it. */
const patience = 30;

/** Terminates one VM, whatever it is doing. */
export async function terminateVm({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginVmTermination, async ({ vm, hard }) => {
    let removal = await local.takeForRemoval({ op, vm, force: false });
    for (let looked = 1; removal === 'busy'; looked++) {
      setCurrentDetails(`VM ${vm} is at work for another operation`);
      await sleep('1s');
      removal = await local.takeForRemoval({ op, vm, force: looked >= patience });
    }
    if (removal === 'gone') return;
    setCurrentDetails(`VM ${vm} goes`);
    const summary = `${hard ? 'terminate-hard' : 'terminate'} VM ${vm}`;
    const failure = await attempt(() => compute.destroyVms.executeWithOptions({ summary }, [{ op, vms: [vm], hard }]));
    const reason = failure ?? (await local.vmFailure({ vm }));
    if (reason !== null) throw ApplicationFailure.nonRetryable(reason, 'vm_failed');
    setCurrentDetails(`VM ${vm} is gone`);
  });
}
