import type { DeploymentPlan, RoleWork } from '../activities/deployment.js';
import { compute, local } from './activity-options.js';
import { inTurn } from './in-turn.js';
import { attempt, type OperationInput, runOperation, settle } from './operation.js';
import { roleProgress } from './progress.js';
import { inOrder } from './role-order.js';
import { capacityAppeared, listenFor, renewing, vmReported } from './signals.js';

/** Deploys a service role by role, parents first where it says `straight`; again after a failure, it goes on from what is. */
export async function deployService({ op }: OperationInput): Promise<void> {
  const listenForCapacity = listenFor(capacityAppeared);
  const listenForReports = listenFor(vmReported);

  await runOperation({ op }, local.beginDeployment, async ({ service, gate, roles }: DeploymentPlan) => {
    const progress = roleProgress(roles);
    const turn = inTurn();
    await renewing({ op }, () =>
      inOrder(
        roles,
        (role) => role.parents,
        (role) => (role.up ? Promise.resolve(true) : deployRole(role.name)),
      ),
    );

    async function deployRole(role: string): Promise<boolean> {
      progress(role, 'starts');
      const failure = await attempt(() => work(role));
      const running = await turn(() => local.finishRole({ op, service, role, step: 2, failure }));
      progress(role, running ? 'runs' : `failed${failure === null ? '' : `: ${failure}`}`);
      return running;
    }

    async function work(role: string): Promise<void> {
      const started = await turn(() =>
        local.startRole.executeWithOptions({ summary: `start role ${role}` }, [{ op, service, role, step: 1 }]),
      );
      if (started === null) return;
      await settle([...started.remove.map((vms) => remove(role, vms)), bootAll(role, started)]);
      const report = listenForReports();
      while (gate) {
        const unready = await turn(() => local.countUnready({ op, service, role }));
        if (unready === 0) break;
        progress(role, `${unready} VMs have not reported READY=YES`);
        await report();
      }
    }

    async function bootAll(role: string, started: RoleWork): Promise<void> {
      const capacity = listenForCapacity();
      for (let { boot, pending } = started; boot.length + pending > 0; ) {
        await settle(boot.map((vms) => bootBatch(role, vms)));
        if (pending === 0) break;
        progress(role, `${pending} VMs wait for capacity`);
        await capacity();
        ({ boot, pending } = await turn(() => local.placeRole({ op, service, role })));
      }
    }

    async function bootBatch(role: string, vms: number[]): Promise<void> {
      progress(role, `boots ${vms.length} VMs`);
      await compute.bootVms.executeWithOptions({ summary: `boot ${vms.length} VMs of role ${role}` }, [
        { op, role, vms },
      ]);
    }

    function remove(role: string, vms: number[]): Promise<unknown> {
      const summary = `remove ${vms.length} failed VMs of role ${role}`;
      return compute.destroyVms.executeWithOptions({ summary }, [{ op, role, vms, hard: true }]);
    }
  });
}
