import type { RoleFinish } from '../../activities/services/deployment.js';
import type { UndeploymentPlan } from '../../activities/services/undeployment.js';
import { amongOf, amongText } from '../../domain/among.js';
import { compute, local } from '../activity-options.js';
import { gather } from '../operations/gather.js';
import { inTurn } from '../operations/in-turn.js';
import { attempt, type OperationInput, runOperation } from '../operations/operation.js';
import { pauses } from '../operations/pauses.js';
import { roleProgress } from '../operations/progress.js';
import { renewing, roomForMore } from '../signals.js';
import { vmBatches } from '../vms/vm-batches.js';
import { inOrder } from './role-order.js';

/** How often VMs of a role may be found in others' hands when their turn comes; a termination takes a VM within half a minute. */
const mostLosses = 60;

/**
 * Undeploys a service, children first where its deployment was `straight`; its VMs go as each role says. Each step takes all
 * roles that are ready for it at the time.
 */
export async function undeployService({ op }: OperationInput): Promise<void> {
  const inBatches = vmBatches();
  await runOperation({ op }, local.beginUndeployment, async ({ service, roles, networks }: UndeploymentPlan) => {
    const progress = roleProgress(roles);
    const turn = inTurn();
    const begins = gather(turn, async (some: { role: string; step: number }[]) => {
      await roomForMore();
      const summary = `take ${amongText(amongOf(some.map(({ role }) => role)))}`;
      return local.startRoleRemovals.executeWithOptions({ summary }, [{ op, service, roles: some }]);
    });
    const retakes = gather(turn, (some: string[]) => local.retakeRoleVms({ op, service, roles: some }));
    const finish = gather(turn, (some: RoleFinish[]) => local.finishRoleRemovals({ op, service, roles: some }));
    /** VMs that somebody was about to terminate when their turn came. */
    const leftToOthers = new Set<number>();
    const destroyOf = (hard: boolean) =>
      inBatches(async ({ input, what }) => {
        const summary = `${hard ? 'terminate-hard' : 'terminate'} ${what}`;
        const { taken } = await compute.destroyVms.executeWithOptions({ summary }, [{ op, ...input, hard }]);
        for (const vm of taken) leftToOthers.add(vm);
      });
    const [softly, hardly] = [destroyOf(false), destroyOf(true)];
    const pause = pauses();

    await renewing({ op }, () =>
      inOrder(
        roles,
        (role) => role.blockers,
        async (role) => role.gone || (role.failed !== true && (await removeRole(role))),
      ),
    );
    if (networks) await local.removeNetworks.executeWithOptions({ summary: 'remove its networks' }, [{ op, service }]);

    async function removeRole({ name: role, hard, vms }: UndeploymentPlan['roles'][number]): Promise<boolean> {
      progress(role, 'goes');
      const failure = await attempt(() => work(role, vms, hard));
      const gone = await finish({ role, step: 2, failure }, vms);
      progress(role, gone ? 'is gone' : `failed${failure === null ? '' : `: ${failure}`}`);
      return gone;
    }

    async function work(role: string, vms: number, hard: boolean): Promise<void> {
      let patience = mostLosses;
      const [kind, destroy] = hard ? (['terminate-hard', hardly] as const) : (['terminate', softly] as const);
      for (let left = await begins({ role, step: 1 }, vms); left !== null; left = await retakes(role, vms)) {
        if (left.destroy.length > 0) progress(role, `${kind} ${left.destroy.length} VMs`);
        await destroy(role, left.destroy);
        const lost = left.destroy.filter((vm) => leftToOthers.delete(vm)).length;
        if (lost > 0) patience -= 1;
        const busy = left.busy + (patience > 0 ? lost : 0);
        if (busy === 0) break;
        progress(role, `${busy} VMs are being removed by others`);
        await pause(1);
        await roomForMore();
      }
    }
  });
}
