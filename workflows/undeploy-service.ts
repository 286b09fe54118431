import { sleep } from '@temporalio/workflow';
import type { UndeploymentPlan } from '../activities/undeployment.js';
import { compute, local } from './activity-options.js';
import { inTurn } from './in-turn.js';
import { attempt, type OperationInput, runOperation, settle } from './operation.js';
import { roleProgress } from './progress.js';
import { inOrder } from './role-order.js';
import { renewing, roomForMore } from './signals.js';

/** Undeploys a service, children first where its deployment was `straight`; its VMs go as each role says. */
export async function undeployService({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginUndeployment, async ({ service, roles }: UndeploymentPlan) => {
    const progress = roleProgress(roles);
    const turn = inTurn();
    await renewing({ op }, () =>
      inOrder(
        roles,
        (role) => role.blockers,
        async (role) => role.gone || (role.failed !== true && (await removeRole(role))),
      ),
    );

    async function removeRole({ name: role, hard }: UndeploymentPlan['roles'][number]): Promise<boolean> {
      progress(role, 'goes');
      const failure = await attempt(() => work(role, hard));
      const gone = await turn(() => local.finishRoleRemoval({ op, service, role, step: 2, failure }));
      progress(role, gone ? 'is gone' : `failed${failure === null ? '' : `: ${failure}`}`);
      return gone;
    }

    async function work(role: string, hard: boolean): Promise<void> {
      const started = await turn(async () => {
        await roomForMore();
        return local.startRoleRemoval.executeWithOptions({ summary: `take role ${role}` }, [
          { op, service, role, step: 1 },
        ]);
      });
      for (let left = started; left !== null; ) {
        await settle(left.destroy.map((vms) => destroyBatch(role, vms, hard)));
        if (left.busy.length === 0) break;
        progress(role, `${left.busy.length} VMs are being removed by others`);
        await sleep('1s');
        await roomForMore();
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
