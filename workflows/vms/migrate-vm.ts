import { ApplicationFailure, CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import type { MoveVerb } from '../../domain/vms/vm-moves.js';
import { compute, local, settling } from '../activity-options.js';
import { attempt, failureWith, type OperationInput, runOperation } from '../operations/operation.js';

const failed = (why: string): ApplicationFailure => ApplicationFailure.nonRetryable(why, 'vm_failed');

/** Takes one VM to another host. Whatever goes wrong on the way, it is seen to that it is on one of the two, and as it was. */
export async function migrateVm({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginMigration, async ({ vm }) => {
    try {
      await moved({ op, vm });
    } catch (error) {
      await CancellationScope.nonCancellable(() => settled({ op, vm }));
      if (isCancellation(error) || !(await local.hasMigrated({ op, vm }))) throw error;
    }
  });
}

async function moved({ op, vm }: { op: string; vm: number }): Promise<void> {
  let plan = await local.prepareMigration({ op, vm });
  if (plan.do === 'settle') {
    await settled({ op, vm });
    plan = await local.prepareMigration({ op, vm });
  }
  if (plan.do === 'there') return;
  if (plan.do === 'settle') throw failed(`it is not known on which host VM ${vm} is`);
  if (plan.do === 'refused') throw failed(plan.why);
  setCurrentDetails(`VM ${vm} goes to ${plan.to}`);
  for (const verb of plan.steps) {
    if (!(await local.holdForMove({ op, vm })))
      throw ApplicationFailure.nonRetryable(`another operation has VM ${vm} now`, 'taken');
    const summary = words[verb](vm, plan.to);
    const failure = await attempt(() => compute.moveVms.executeWithOptions({ summary }, [{ op, vms: [vm], verb }]));
    const why = await local.moveFailure({ vm, verb });
    if (why !== null) throw failed(failureWith(failure, why));
  }
}

const words: Record<MoveVerb, (vm: number, to: string) => string> = {
  migrate: (vm, to) => `migrate VM ${vm} live to ${to}`,
  save: (vm) => `save VM ${vm}`,
  move: (vm, to) => `move what was saved of VM ${vm} to ${to}`,
  restart: (vm, to) => `resume VM ${vm} on ${to}`,
  moveOff: (vm, to) => `move VM ${vm} to ${to}`,
  moveSaved: (vm, to) => `move what was saved of VM ${vm} to ${to}`,
};

/** That it could not be found out is no reason of its own: the VM is UNKNOWN then, and is asked for again with the next migration. */
async function settled({ op, vm }: { op: string; vm: number }): Promise<void> {
  const summary = `see on which host VM ${vm} is`;
  await attempt(() => settling.settleMove.executeWithOptions({ summary }, [{ op, vms: [vm] }]));
}
