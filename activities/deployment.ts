import { isReady } from '../domain/ready.js';
import { deploymentParents } from '../domain/role-graph.js';
import { isVmFailure, isVmRunning } from '../domain/vm-states.js';
import type { LogEntry, Role } from '../schemas/service.js';
import type { Vm } from '../schemas/vm.js';
import { batchesOf } from './batches.js';
import { begin, type StepInput } from './begin.js';
import type { StepPorts } from './ports.js';
import { failVms, isOurs, makeVms, placeRole, takeVms } from './role-vms.js';

export type DeploymentPlan = {
  service: number;
  gate: boolean;
  /** Roles in the order of the template; those that run already are `up`. */
  roles: { name: string; parents: string[]; up: boolean }[];
};

export type RoleInput = { op: string; service: number; role: string; step: number };

/** What is left to do for a role: batches to boot, failed VMs to remove first, and how many wait for capacity. */
export type RoleWork = { boot: number[][]; remove: number[][]; pending: number };

/** The steps of a service's deployment that touch MongoDB alone. */
export const deploymentActivities = ({ store, settings }: Pick<StepPorts, 'store' | 'settings'>) => ({
  /** Claims the operation; PENDING or FAILED_DEPLOYING → DEPLOYING. */
  beginDeployment: (input: StepInput) =>
    begin(store, input, async ({ _id: op, resource }): Promise<DeploymentPlan | null> => {
      const service = await store.services.begin(resource.id, op, 'deploy');
      if (!service) return null;
      const { deployment, ready_status_gate: gate } = service.body;
      return {
        service: service._id,
        gate,
        roles: service.roles.map((role) => ({
          name: role.name,
          parents: deploymentParents(role, deployment),
          up: role.state === 'RUNNING',
        })),
      };
    }),

  /**
   * Takes the role, makes the VMs that it lacks (each under its unique key), takes over those that an earlier run left,
   * and gives a place to all. null: somebody who pre-empts wants the service.
   */
  async startRole({ op, service: id, role: name, step }: RoleInput): Promise<RoleWork | null> {
    const taken = await store.services.takeRole({ service: id, role: name, op, step, event: 'deploy' });
    const service = taken ?? (await store.services.find(id));
    const role = service?.roles.find((candidate) => candidate.name === name);
    if (!service || !role || (!taken && !isOurs(service, role, op, step))) return null;
    const present = await takeVms(store, op, await store.vms.ofService(id, name));
    const failed = present.filter((vm) => isVmFailure(vm.lcm_state) || vm.lcm_state === 'UNKNOWN');
    const leaving = present.filter((vm) => ['SHUTDOWN', 'EPILOG'].includes(vm.lcm_state));
    const staying = present.length - failed.length - leaving.length;
    const lacking = Math.max(0, role.cardinality - staying);
    if (lacking > 0) await makeVms(store, settings, op, service, role, lacking);
    return {
      ...(await placeRole(store, op, id, name)),
      remove: batchesOf([...failed, ...leaving].map((vm) => vm._id)),
    };
  },

  /** Tries again for those that wait for capacity. */
  async placeRole({ op, service, role }: Omit<RoleInput, 'step'>): Promise<RoleWork> {
    const work = { ...(await placeRole(store, op, service, role)), remove: [] };
    await store.operations.note(op, work.pending > 0 ? `capacity for ${work.pending} VMs of role ${role}` : null);
    return work;
  },

  /** How many VMs of a role run without having reported READY=YES. */
  async countUnready({ op, service, role }: Omit<RoleInput, 'step'>): Promise<number> {
    const vms = await store.vms.ofService(service, role);
    const unready = vms.filter((vm) => isVmRunning(vm) && !isReady(vm.user_template)).length;
    await store.operations.note(op, unready > 0 ? `${unready} VMs of role ${role} to report READY=YES` : null);
    return unready;
  },

  /**
   * RUNNING when all its VMs run, else FAILED_DEPLOYING with the reason. `failure`: why a batch of it failed as a whole;
   * its VMs that were at work then say so. Returns whether the role runs.
   */
  async finishRole({
    op,
    service: id,
    role: name,
    step,
    failure,
  }: RoleInput & { failure: string | null }): Promise<boolean> {
    if (failure !== null) await failVms(store, op, id, name, failure);
    const [service, vms] = await Promise.all([store.services.find(id), store.vms.ofService(id, name)]);
    const role = service?.roles.find((candidate) => candidate.name === name);
    if (!role) return false;
    const reason = whyNotRunning(role, vms, failure);
    const [event, log] =
      reason === null ? (['deployed', []] as const) : (['fail_deploy', [failureEntry(name, reason)]] as const);
    const left = await store.services.leaveRole({ service: id, role: name, op, step, event }, reason, log);
    if (left) return reason === null;
    const now = (await store.services.find(id))?.roles.find((candidate) => candidate.name === name);
    return now?.state === 'RUNNING';
  },
});

/** Why a role cannot be called RUNNING, or null when it can. */
function whyNotRunning(role: Role, vms: readonly Vm[], failure: string | null): string | null {
  const running = vms.filter(isVmRunning).length;
  const others = vms.filter((vm) => !isVmRunning(vm));
  if (running === role.cardinality && others.length === 0) return null;
  const said = others.flatMap((vm) => (vm.reason === null ? [] : [`VM ${vm._id} (${vm.name}): ${vm.reason}`]));
  const few = said.slice(0, 3).join('; ');
  const more = said.length > 3 ? `; and ${said.length - 3} more` : '';
  return `${running} of ${role.cardinality} VMs run${(failure ?? few) ? `: ${few || failure}${more}` : ''}`;
}

const failureEntry = (role: string, reason: string): LogEntry => ({
  timestamp: new Date(),
  severity: 'E',
  message: `Role ${role} : ${reason}`,
});
