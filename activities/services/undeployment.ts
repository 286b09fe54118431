import { log } from '@temporalio/activity';
import { madeOf } from '../../domain/services/made-networks.js';
import { blockerPlaces } from '../../domain/services/role-graph.js';
import { byRole } from '../../domain/services/service-health.js';
import { isHard } from '../../domain/services/shutdown-action.js';
import { isVmUnplaced } from '../../domain/vms/vm-states.js';
import { clauses } from '../../domain/words.js';
import { isUndeployment } from '../../schemas/operations/operation.js';
import type { RoleEnd } from '../../store/services/service-roles.js';
import type { Store } from '../../store/store.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { begin, type StepInput, supersede } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { endPending } from '../vms/place-vms.js';
import { takeVms } from '../vms/taking.js';
import type { RoleFinish } from './deployment.js';
import { failVms } from './role-vms.js';
import type { RolesInput } from './roles-input.js';

export type UndeploymentPlan = {
  service: number;
  /**
   * `blockers`: places in this list of roles that must be gone first. Those that are DONE already are `gone`,
   * and those that an earlier run of this operation could not remove have `failed`.
   */
  roles: {
    name: string;
    hard: boolean;
    blockers: (number | string)[];
    gone: boolean;
    failed?: boolean;
    /** How many VMs it is to have: about what a step on it costs. */
    vms: number;
  }[];
  /** It has networks that are to be removed last. */
  networks?: true;
};

/** What is left to remove of a role: VMs to destroy, and how many another operation is removing. */
export type RemovalWork = { destroy: number[]; busy: number };

/** The steps of a service's undeployment that touch MongoDB alone. */
export const undeploymentActivities = ({
  store,
  engine,
  settings,
}: Pick<StepPorts, 'store' | 'engine' | 'settings'>) => ({
  /** Claims the operation, takes the place of whatever stands in its way, → UNDEPLOYING. */
  beginUndeployment: (input: StepInput) =>
    begin(store, input, async (operation): Promise<UndeploymentPlan | null> => {
      const { _id: op, resource } = operation;
      const standing = await store.services.find(resource.id);
      if (standing?.wanted !== op) return null;
      const onRoles = [...new Set(standing.roles.flatMap(({ operation }) => operation ?? []))];
      const ended = await supersede(store, op, [standing.operation, ...onRoles]);
      const actions = (await store.performances.openOn(resource.id)).map(({ _id }) => _id);
      await supersede(store, op, actions);
      await stopRuns({ store, engine }, [...onRoles, ...actions]);
      const service = await store.services.begin(resource.id, op, 'undeploy', ended);
      if (!service) return null;
      const { deployment, shutdown_action: ofService } = service.body;
      const forced = isUndeployment(operation) ? operation.input.hard : null;
      const blockers = blockerPlaces(service.roles, deployment);
      return {
        service: service._id,
        roles: service.roles.map((role, at) => ({
          name: role.name,
          hard: forced ?? isHard(role.shutdown_action ?? ofService ?? settings.shutdownAction),
          blockers: blockers[at] ?? [],
          gone: role.state === 'DONE',
          vms: role.cardinality,
          ...(role.state === 'FAILED_UNDEPLOYING' && role.mark?.op === op && { failed: true }),
        })),
        ...(madeOf(service).length > 0 && { networks: true }),
      };
    }),

  /** Takes roles and every VM of them that is free. null: an undeployment that outbids this one wants the service. */
  async startRoleRemovals({
    op,
    service: id,
    roles,
  }: RolesInput<{ role: string; step: number }>): Promise<(RemovalWork | null)[]> {
    const part = await store.services.takeRoles({ service: id, op, event: 'undeploy', roles });
    const marks = new Map(part?.roles.map(({ name, mark }) => [name, mark]));
    const ours = roles.filter(({ role, step }) => {
      const mark = marks.get(role);
      return mark?.op === op && mark.step >= step;
    });
    const work = await takeVmsOf(store, { op, service: id, roles: ours.map(({ role }) => role) });
    return roles.map((start) => (ours.includes(start) ? work(start.role) : null));
  },

  /** Looks again at the VMs of roles that somebody else was removing. */
  async retakeRoleVms(input: RolesInput<string>): Promise<RemovalWork[]> {
    const work = await takeVmsOf(store, input);
    return input.roles.map(work);
  },

  /** DONE when no VM of a role is left, else FAILED_UNDEPLOYING with the reason. Returns of each whether it is gone. */
  async finishRoleRemovals({ op, service: id, roles }: RolesInput<RoleFinish>): Promise<boolean[]> {
    const failures = new Map(roles.flatMap(({ role, failure }) => (failure === null ? [] : [[role, failure]])));
    if (failures.size > 0) {
      // What failed may be the step that takes the role: then it is taken, so that it says so.
      await store.services.takeRoles({
        ...{ service: id, op, event: 'undeploy' },
        roles: roles.flatMap(({ role, step, failure }) => (failure === null ? [] : [{ role, step: step - 1 }])),
      });
      await failVms(store, op, id, failures);
    }
    const names = roles.map(({ role }) => role);
    const vmsOf = byRole(await store.vms.ofService(id, names));
    const ends = roles.map(({ role, step, failure }): RoleEnd => {
      const reason = whyNotGone(vmsOf(role), failure);
      if (reason === null) return { role, step, event: 'undeployed', reason };
      const log = { timestamp: new Date(), severity: 'E', message: `Role ${role} : ${reason}` } as const;
      return { role, step, event: 'fail_undeploy', reason, log };
    });
    const left = (await store.services.leaveRoles(id, op, ends)) ?? (await store.services.part(id, names));
    const gone = new Set(left?.roles.flatMap(({ name, state }) => (state === 'DONE' ? [name] : [])));
    return names.map((name) => gone.has(name));
  },
});

/**
 * Operations on roles run under IDs of their own. They have ended, and what their runs still do matches nothing any more; a
 * cancel ends these at once. Of one that is lost, the run finds that by itself, after half a minute at most.
 */
async function stopRuns({ store, engine }: Pick<StepPorts, 'store' | 'engine'>, ops: readonly string[]): Promise<void> {
  for (const op of ops) {
    const operation = await store.operations.find(op);
    if (!operation?.run_id) continue;
    await engine.cancel(operation.workflow_id, { firstRunId: operation.run_id }).catch((error: unknown) => {
      log.warn('a run on a role was not cancelled', { op, error });
    });
  }
}

/** VMs without a host are gone at once; the rest is to be destroyed, or is being removed by somebody else. */
async function takeVmsOf(
  store: Store,
  { op, service, roles }: RolesInput<string>,
): Promise<(role: string) => RemovalWork> {
  const present = roles.length > 0 ? await store.vms.ofService(service, roles) : [];
  // What waits for a silent host to terminate a VM is this undeployment's to do; and what waits for a host to deploy one has no run
  // that would let go of it.
  const own = present.flatMap(({ operation, wanted }) => [operation, wanted].filter((each) => each !== null));
  await supersede(store, op, await store.operations.waitingAmong([...new Set(own)]));
  const vms = await takeVms(store, op, present);
  await endPending(
    store,
    vms.filter((vm) => vm.hold?.op === op),
  );
  const vmsOf = byRole(vms);
  return (role) => {
    const its = vmsOf(role);
    return {
      destroy: its.filter((vm) => vm.hold?.op === op && !isVmUnplaced(vm)).map((vm) => vm._id),
      busy: its.filter((vm) => vm.hold?.op !== op).length,
    };
  };
}

/** Why a role cannot be called DONE, or null when it can. */
function whyNotGone(vms: readonly WorkVm[], failure: string | null): string | null {
  if (vms.length === 0) return null;
  const said = vms.flatMap((vm) => (vm.reason === null ? [] : [`VM ${vm._id} (${vm.name}): ${vm.reason}`]));
  return `${vms.length} VMs are left: ${clauses(said.slice(0, 3)) || failure || 'not removed yet'}`;
}
