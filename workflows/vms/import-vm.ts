import { ApplicationFailure, CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import { compute, local, settling } from '../activity-options.js';
import { attempt, type OperationInput, runOperation } from '../operations/operation.js';

/** A domain of somebody else becomes a VM. Whatever goes wrong, it is that, or the VM is DONE and the domain as it was. */
export async function importVm({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginImport, async ({ vm }) => {
    setCurrentDetails(`VM ${vm} is given its domain`);
    try {
      await adopted({ op, vm });
    } catch (error) {
      const left = await CancellationScope.nonCancellable(() => givenUp({ op, vm }));
      if (left !== 'there') throw error;
    }
  });
}

async function adopted({ op, vm }: { op: string; vm: number }): Promise<void> {
  const summary = `make the domain that of VM ${vm}`;
  let isIts = false;
  const failure = await attempt(async () => {
    isIts = await compute.adoptDomain.executeWithOptions({ summary }, [{ op, vms: [vm] }]);
  });
  if (failure !== null) throw ApplicationFailure.nonRetryable(failure, 'vm_failed');
  if (!isIts) throw ApplicationFailure.nonRetryable(`another operation has VM ${vm} now`, 'taken');
}

/** That the host does not answer keeps no VM: what it has adopted all the same, the looks at it give back. */
async function givenUp({ op, vm }: { op: string; vm: number }): Promise<'there' | 'gone' | 'give'> {
  const left = await local.giveUpImport({ op, vm });
  if (left !== 'give') return left;
  setCurrentDetails(`the domain of VM ${vm} is given back`);
  const summary = `give the domain of VM ${vm} back`;
  await attempt(() => settling.disownDomain.executeWithOptions({ summary }, [{ op, vms: [vm] }]));
  return left;
}
