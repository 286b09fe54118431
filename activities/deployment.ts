import { Context } from '@temporalio/activity';
import { isReady } from '../domain/ready.js';
import { parentPlaces } from '../domain/role-graph.js';
import { belongs, isDeparting, isLeaving, missingOf, rolesHealth } from '../domain/service-health.js';
import { failedToDeploy, isVmHealthy, isVmRunning } from '../domain/vm-states.js';
import type { Operation } from '../schemas/operation.js';
import type { LogEntry, Role, Service } from '../schemas/service.js';
import type { FailurePolicy } from '../schemas/service-template.js';
import type { WorkVm } from '../store/work-vms.js';
import { batchesOf } from './batches.js';
import { begin, type StepInput } from './begin.js';
import type { StepPorts } from './ports.js';
import { failVms, isOurs, makeVms, placeRole, readMould, retryVms, takeVms } from './role-vms.js';

export type DeploymentPlan = {
  service: number;
  gate: boolean;
  /** Roles in the order of the template; those that run already are `up`. */
  roles: PlannedRole[];
};

export type PlannedRole = {
  name: string;
  /** Places of others in the list of roles; in the plans of an earlier version, their names. */
  parents: (number | string)[];
  up: boolean;
  /** The last step that an earlier run of this operation has done on it: steps rise. */
  step?: number;
  /** It failed in an earlier run of this operation, and nobody has asked for another try. */
  failed?: boolean;
  /** A person has answered that its failed VMs are to be left out. */
  skip?: boolean;
  policy?: FailurePolicy;
  /** It has VMs whose state is not known: they are looked for first. */
  lost?: boolean;
};

export type RoleInput = { op: string; service: number; role: string; step: number };

/**
 * What becomes of a role's failed VMs. replace: they are removed while new ones are made in their place; remove: they
 * are removed, and nothing is made yet; retry: they are deployed again where they are; keep: they stay failed.
 */
export type FailedVms = 'replace' | 'remove' | 'retry' | 'keep';

/** What is left to do for a role: batches to boot, failed VMs to remove first, and how many wait for capacity. */
export type RoleWork = { boot: number[][]; remove: number[][]; pending: number };

/** How often a role is planned for within one step, at most. */
const mostPlans = 8;

/** The steps of a service's deployment that touch MongoDB alone. */
export const deploymentActivities = ({ store, settings }: Pick<StepPorts, 'store' | 'settings'>) => ({
  /** Claims the operation; PENDING or FAILED_DEPLOYING → DEPLOYING. */
  beginDeployment: (input: StepInput) =>
    begin(store, input, async (operation): Promise<DeploymentPlan | null> => {
      const { _id: op, resource, answer } = operation;
      // What ends here stays ended: with a role that does not run, as failed, with the reason of each.
      if (answer?.answer === 'give_up') await store.endings.end(op, { state: 'succeeded' });
      const service = await store.services.begin(resource.id, op, 'deploy');
      if (!service) return null;
      const planned = await plannedRoles(store, service, operation, input.run);
      return {
        service: service._id,
        gate: service.body.ready_status_gate,
        roles: planned,
      };
    }),

  /**
   * Takes the role, makes the VMs that it lacks (each under its unique key), takes over those that an earlier run left,
   * and gives a place to all. null: somebody who pre-empts wants the service.
   */
  async startRole({
    op,
    service: id,
    role: name,
    step,
    failed: treatment = 'replace',
  }: RoleInput & { failed?: FailedVms }): Promise<RoleWork | null> {
    const taken = await store.services.takeRole({ service: id, role: name, op, step, event: 'deploy' });
    const [ports, input] = [
      { store, settings },
      { op, service: id, role: name, step },
    ];
    let staffed = await staff(ports, input, taken, treatment);
    // VMs of the role were terminated, or made by another try, while this one planned: it plans again, from what is.
    for (let plans = 1; staffed?.isStale && plans < mostPlans; plans++)
      staffed = await staff(ports, input, null, treatment);
    if (staffed === null) return null;
    const { remove, known } = staffed;
    if (treatment === 'remove') return { boot: [], pending: 0, remove };
    const placed = await placeRole(store, settings, op, id, name, { ...(known && { known }) });
    // Who waits is told from the first moment, not from the first time that capacity appears and does not suffice.
    if (placed.pending > 0) await store.operations.note(op, name, lackingCapacity(placed.pending, name));
    return { ...placed, remove };
  },

  /** Tries again for those that wait for capacity. `vms`: whose turn it is; absent: all of them. */
  async placeRole({ op, service, role, vms }: Omit<RoleInput, 'step'> & { vms?: number[] }): Promise<RoleWork> {
    const turn = vms && new Set(vms);
    const work = { ...(await placeRole(store, settings, op, service, role, { turn })), remove: [] };
    await store.operations.note(op, role, work.pending > 0 ? lackingCapacity(work.pending, role) : null);
    return work;
  },

  /** How many VMs of a role run without having reported READY=YES. */
  async countUnready({ op, service, role }: Omit<RoleInput, 'step'>): Promise<number> {
    const vms = await store.vms.ofService(service, role);
    const unready = vms.filter((vm) => isVmRunning(vm) && !isReady(vm.user_template)).length;
    await store.operations.note(op, role, unready > 0 ? `${unready} VMs of role ${role} to report READY=YES` : null);
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
    if (failure !== null) {
      // What failed may be the step that takes the role: then it is taken, so that it says so.
      await store.services.takeRole({ service: id, role: name, op, step: step - 1, event: 'deploy' });
      await failVms(store, op, id, name, failure);
    }
    const found = await staffOf(store, id, name, ({ role, vms }) => whyNotRunning(role, vms, failure) === null);
    if (!found) return false;
    const { role, vms } = found;
    const reason = whyNotRunning(role, vms, failure);
    const [event, log] =
      reason === null ? (['deployed', []] as const) : (['fail_deploy', [failureEntry(name, reason)]] as const);
    const last_vmname = Math.max(0, ...vms.map((vm) => (vm.service?.ordinal ?? -1) + 1));
    const at = { service: id, role: name, op, step, event };
    const left = await store.services.leaveRole(at, reason, log, { last_vmname });
    if (left) return reason === null;
    const now = (await store.services.find(id))?.roles.find((candidate) => candidate.name === name);
    return now?.state === 'RUNNING';
  },
});

/** `isStale`: what it was planned from has changed before the VMs that it lacks could be made. */
type Staffed = { remove: number[][]; known?: NonNullable<Parameters<typeof placeRole>[5]>['known']; isStale: boolean };

/**
 * Takes over the VMs that a role has, and makes those that it lacks. `taken`: the service, if the role was taken just now.
 * One that somebody is terminating has its place until it is gone.
 */
async function staff(
  { store, settings }: Pick<StepPorts, 'store' | 'settings'>,
  { op, service: id, role: name, step }: RoleInput,
  taken: Service | null,
  treatment: FailedVms,
): Promise<Staffed | null> {
  const service = taken ?? (await store.services.find(id));
  const role = service?.roles.find((candidate) => candidate.name === name);
  if (!service || !role || (!taken && !isOurs(service, role, op, step))) return null;
  const [all, mould] = await Promise.all([store.vms.ofService(id, name), readMould(store, service, role)]);
  // Those that are to go for good, by whatever way, are not the role's any more.
  const its = all.filter(belongs);
  const kept = treatment === 'keep' ? its.filter(failedToDeploy) : [];
  const present = await takeVms(
    store,
    op,
    its.filter((vm) => !kept.includes(vm)),
  );
  const leaving = present.filter(isLeaving);
  const filled = kept.length + all.filter(isDeparting).length + (present.length - leaving.length);
  const room = Math.max(0, role.cardinality - filled);
  const again = treatment === 'retry' ? leaving.filter((vm) => mayBeRetried(vm, op)).slice(0, room) : [];
  await retryVms(store, again);
  const remove = batchesOf(leaving.filter((vm) => !again.includes(vm)).map((vm) => vm._id));
  const lacking = treatment === 'remove' ? 0 : room - again.length;
  const [made, hosts] = await Promise.all([
    lacking > 0 ? makeVms(store, settings, op, service, role, mould, lacking) : [],
    store.hosts.snapshot(),
  ]);
  // VMs that are tried again have changed since they were read.
  const known = made && again.length === 0 ? { present, made, hosts } : undefined;
  return { remove, isStale: made === null, ...(known && { known }) };
}

/**
 * What is to be done of each role. What earlier runs of the operation have done is taken from the first try of this one's
 * first step, whatever a later one sees.
 */
export async function plannedRoles(
  store: StepPorts['store'],
  service: Service,
  operation: Operation,
  run: string,
): Promise<PlannedRole[]> {
  const { _id: op } = operation;
  const runId = Context.current().info.workflowExecution?.runId ?? run;
  // A service no role of which was ever worked at has no VMs, and has left none waiting.
  const wasWorkedAt = service.roles.some(({ mark }) => mark !== null);
  const [reached, vms] = await Promise.all([
    store.operations.begunWith(op, runId, stepsOf(service, op)),
    wasWorkedAt ? store.vms.ofService(service._id) : [],
    wasWorkedAt && store.vms.lookAgain(service._id),
  ]);
  const lost = new Set(
    vms.flatMap((vm) => (belongs(vm) && vm.lcm_state === 'UNKNOWN' && vm.service ? [vm.service.role] : [])),
  );
  const health = rolesHealth(service, vms);
  const parents = parentPlaces(service.roles, service.body.deployment);
  return service.roles.map((role, at) => ({
    ...planned(role, operation, parents[at] ?? [], reached[role.name] ?? null),
    // One with which something is amiss is deployed again, whatever it was called.
    up: health[at]?.state === 'RUNNING' && role.state !== 'FAILED_DEPLOYING',
    ...(lost.has(role.name) && { lost: true }),
  }));
}

/** By role, the last step that the operation has taken there. */
const stepsOf = ({ roles }: Service, op: string): Record<string, number> =>
  Object.fromEntries(roles.flatMap(({ name, mark }) => (mark?.op === op ? [[name, mark.step]] : [])));

/** What is to be done for a role: what it came to under this very operation stands until somebody answers. */
function planned(role: Role, { answer }: Operation, parents: number[], step: number | null): Omit<PlannedRole, 'up'> {
  const { name, state, failure_policy: policy } = role;
  return {
    name,
    parents,
    ...(step !== null && { step }),
    ...(step !== null && state === 'FAILED_DEPLOYING' && { failed: true }),
    ...(state === 'DEPLOYING' && answer?.answer === 'skip' && answer.roles.includes(name) && { skip: true }),
    ...(policy && { policy }),
  };
}

/** Not where a removal is under way or wished for. */
const mayBeRetried = (vm: WorkVm, op: string): boolean =>
  failedToDeploy(vm) && vm.hold?.op === op && vm.wanted === null;

/** A role, and those of its VMs that are not DONE. */
export type StaffedRole = { service: Service; role: Role; vms: WorkVm[] };

/**
 * A role and then its VMs, read again when it is not as hoped for and is to have fewer by now: one that was terminated in
 * between is not missing. null: it is not there.
 */
export async function staffOf(
  store: StepPorts['store'],
  id: number,
  name: string,
  isAsHoped: (found: StaffedRole) => boolean,
): Promise<StaffedRole | null> {
  for (let seen: number | null = null; ; ) {
    const service = await store.services.find(id);
    const role = service?.roles.find((candidate) => candidate.name === name);
    if (!service || !role) return null;
    const found = { service, role, vms: await store.vms.ofService(id, name) };
    if (isAsHoped(found) || role.cardinality === seen) return found;
    seen = role.cardinality;
  }
}

/** Why a role cannot be called RUNNING, or null when it can. */
export function whyNotRunning(role: Role, vms: readonly WorkVm[], failure: string | null): string | null {
  const its = vms.filter(belongs);
  const running = its.filter(isVmHealthy).length;
  const others = its.filter((vm) => !isVmHealthy(vm));
  if (running <= role.cardinality && missingOf(role, vms) === 0 && others.length === 0) return null;
  const said = others.flatMap((vm) => (vm.reason === null ? [] : [`VM ${vm._id} (${vm.name}): ${vm.reason}`]));
  const few = said.slice(0, 3).join('; ');
  const more = said.length > 3 ? `; and ${said.length - 3} more` : '';
  return `${running} of ${role.cardinality} VMs run${(failure ?? few) ? `: ${few || failure}${more}` : ''}`;
}

export const failureEntry = (role: string, reason: string): LogEntry => ({
  timestamp: new Date(),
  severity: 'E',
  message: `Role ${role} : ${reason}`,
});

const lackingCapacity = (vms: number, role: string): string =>
  `capacity for ${vms === 1 ? '1 VM' : `${vms} VMs`} of role ${role}`;
