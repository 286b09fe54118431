import { blockerPlaces } from '../domain/role-graph.js';
import { isUndeployment } from '../schemas/operation.js';
import type { ShutdownAction } from '../schemas/service-template.js';
import type { Store } from '../store/store.js';
import type { WorkVm } from '../store/work-vms.js';
import { batchesOf } from './batches.js';
import { begin, type StepInput, supersede } from './begin.js';
import type { RoleInput } from './deployment.js';
import { endPending } from './place-vms.js';
import type { StepPorts } from './ports.js';
import { failVms, takeVms } from './role-vms.js';

export type UndeploymentPlan = {
  service: number;
  /**
   * `blockers`: places in this list of roles that must be gone first. Those that are DONE already are `gone`,
   * and those that an earlier run of this operation could not remove have `failed`.
   */
  roles: { name: string; hard: boolean; blockers: (number | string)[]; gone: boolean; failed?: boolean }[];
};

/** What is left to remove of a role: batches to destroy, and VMs that another operation is removing. */
export type RemovalWork = { destroy: number[][]; busy: number[] };

/** `shutdown` is the old name of terminate, `shutdown-hard` of terminate-hard. */
const isHard = (action: ShutdownAction): boolean => action === 'terminate-hard' || action === 'shutdown-hard';

/** The steps of a service's undeployment that touch MongoDB alone. */
export const undeploymentActivities = ({ store, settings }: Pick<StepPorts, 'store' | 'settings'>) => ({
  /** Claims the operation, takes the place of whatever stands in its way, → UNDEPLOYING. */
  beginUndeployment: (input: StepInput) =>
    begin(store, input, async (operation): Promise<UndeploymentPlan | null> => {
      const { _id: op, resource } = operation;
      const standing = await store.services.find(resource.id);
      if (standing?.wanted !== op) return null;
      const ended = await supersede(store, op, [standing.operation]);
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
          ...(role.state === 'FAILED_UNDEPLOYING' && role.mark?.op === op && { failed: true }),
        })),
      };
    }),

  /** Takes the role and every VM of it that is free. null: an undeployment that outbids this one wants the service. */
  async startRoleRemoval({ op, service: id, role: name, step }: RoleInput): Promise<RemovalWork | null> {
    const taken = await store.services.takeRole({ service: id, role: name, op, step, event: 'undeploy' });
    const service = taken ?? (await store.services.find(id));
    const role = service?.roles.find((candidate) => candidate.name === name);
    const ours = service?.operation === op && role?.mark?.op === op && role.mark.step >= step;
    if (!taken && !ours) return null;
    return takeRoleVms(store, { op, service: id, role: name });
  },

  /** Looks again at the VMs that somebody else was removing. */
  retakeRoleVms: (input: Omit<RoleInput, 'step'>): Promise<RemovalWork> => takeRoleVms(store, input),

  /** DONE when no VM is left, else FAILED_UNDEPLOYING with the reason. Returns whether the role is gone. */
  async finishRoleRemoval({
    op,
    service: id,
    role: name,
    step,
    failure,
  }: RoleInput & { failure: string | null }): Promise<boolean> {
    if (failure !== null) {
      // What failed may be the step that takes the role: then it is taken, so that it says so.
      await store.services.takeRole({ service: id, role: name, op, step: step - 1, event: 'undeploy' });
      await failVms(store, op, id, name, failure);
    }
    const reason = whyNotGone(await store.vms.ofService(id, name), failure);
    const at = { service: id, role: name, op, step };
    const left =
      reason === null
        ? await store.services.leaveRole({ ...at, event: 'undeployed' }, null)
        : await store.services.leaveRole({ ...at, event: 'fail_undeploy' }, reason, [
            { timestamp: new Date(), severity: 'E', message: `Role ${name} : ${reason}` },
          ]);
    if (left) return reason === null;
    const now = (await store.services.find(id))?.roles.find((candidate) => candidate.name === name);
    return now?.state === 'DONE';
  },
});

/** VMs without a host are gone at once; the rest is to be destroyed, or is being removed by somebody else. */
async function takeRoleVms(store: Store, { op, service, role }: Omit<RoleInput, 'step'>): Promise<RemovalWork> {
  const present = await store.vms.ofService(service, role);
  // What waits for a silent host to terminate a VM is this undeployment's to do.
  await supersede(
    store,
    op,
    await store.terminations.waitingAmong(present.flatMap(({ wanted }) => (wanted === null ? [] : [wanted]))),
  );
  const vms = await takeVms(store, op, present);
  const ours = vms.filter((vm) => vm.hold?.op === op);
  await endPending(store, ours);
  return {
    destroy: batchesOf(ours.filter((vm) => vm.state !== 'PENDING').map((vm) => vm._id)),
    busy: vms.filter((vm) => vm.hold?.op !== op).map((vm) => vm._id),
  };
}

/** Why a role cannot be called DONE, or null when it can. */
function whyNotGone(vms: readonly WorkVm[], failure: string | null): string | null {
  if (vms.length === 0) return null;
  const said = vms.flatMap((vm) => (vm.reason === null ? [] : [`VM ${vm._id} (${vm.name}): ${vm.reason}`]));
  return `${vms.length} VMs are left: ${said.slice(0, 3).join('; ') || failure || 'not removed yet'}`;
}
