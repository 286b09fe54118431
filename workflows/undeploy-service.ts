import { sleep } from '@temporalio/workflow';
import type { UndeploymentPlan } from '../activities/undeployment.js';
import { compute, local } from './activity-options.js';
import { inTurn } from './in-turn.js';
import { attempt, type OperationInput, runOperation, settle } from './operation.js';
import { roleProgress } from './progress.js';
import { inOrder } from './role-order.js';

/** Undeploys a service, children first where its deployment was `straight`; its VMs go as each role says. */
export async function undeployService({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginUndeployment, async ({ service, roles }: UndeploymentPlan) => {
    const progress = roleProgress(roles);
    const turn = inTurn();
    await inOrder(
      roles,
      (role) => role.blockers,
      (role) => (role.gone ? Promise.resolve(true) : removeRole(role)),
    );

    async function removeRole({ name: role, hard }: UndeploymentPlan['roles'][number]): Promise<boolean> {
      progress(role, 'goes');
      const failure = await attempt(() => work(role, hard));
      const gone = await turn(() => local.finishRoleRemoval({ op, service, role, step: 2, failure }));
      progress(role, gone ? 'is gone' : `failed${failure === null ? '' : `: ${failure}`}`);
      return gone;
    }

    async function work(role: string, hard: boolean): Promise<void> {
      const started = await turn(() =>
        local.startRoleRemoval.executeWithOptions({ summary: `take role ${role}` }, [{ op, service, role, step: 1 }]),
      );
      for (let left = started; left !== null; ) {
        await settle(left.destroy.map((vms) => destroyBatch(role, vms, hard)));
        if (left.busy.length === 0) break;
        progress(role, `${left.busy.length} VMs are being removed by others`);
        await sleep('1s');
        left = await turn(() => local.retakeRoleVms({ op, service, role }));
      }
    }

    async function destroyBatch(role: string, vms: number[], hard: boolean): Promise<void> {
      const summary = `${hard ? 'terminate-hard' : 'terminate'} ${vms.length} VMs of role ${role}`;
      progress(role, summary);
      await compute.destroyVms.executeWithOptions({ summary }, [{ op, role, vms, hard }]);
    }
  });
}
