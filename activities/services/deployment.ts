import { Context } from '@temporalio/activity';
import { unmadeOf } from '../../domain/services/made-networks.js';
import { heldBack } from '../../domain/services/role-cap.js';
import { parentPlaces } from '../../domain/services/role-graph.js';
import { belongs, byRole, missingOf, rolesHealth } from '../../domain/services/service-health.js';
import { isUp } from '../../domain/services/service-states.js';
import { reasonThere } from '../../domain/vms/reason-there.js';
import { placeOf } from '../../domain/vms/stays.js';
import { isVmHealthy } from '../../domain/vms/vm-states.js';
import { clauses } from '../../domain/words.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { LogEntry, Role, Service } from '../../schemas/services/service.js';
import type { FailurePolicy } from '../../schemas/services/service-template.js';
import { hasRole, isAtWorkOn } from '../../store/services/hands.js';
import type { RoleEnd, ServicePart } from '../../store/services/service-roles.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { begin, type StepInput } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { type Hosted, lackingCapacity, lookForHosts } from './find-hosts.js';
import { failVms, type MakingPorts } from './role-vms.js';
import type { RolesInput } from './roles-input.js';
import { type RoleStart, type Started, startRoles } from './start-roles.js';

export type DeploymentPlan = {
  service: number;
  gate: boolean;
  /** Roles in the order of the template; those that run already are `up`. */
  roles: PlannedRole[];
  /** It has networks that are to be made first. */
  networks?: true;
};

export type PlannedRole = {
  name: string;
  /** How many VMs it is to have: about what a step on it costs. */
  vms: number;
  /** Places of others in the list of roles; in the plans of an earlier version, their names. */
  parents: (number | string)[];
  up: boolean;
  /** The last step that an earlier run of this operation has done on it: steps rise. */
  step?: number;
  /** It is on hold: neither is it deployed, nor what waits for it. */
  held?: true;
  /** It failed in an earlier run of this operation, and nobody has asked for another try. */
  failed?: boolean;
  /** A person has answered that its failed VMs are to be left out. */
  skip?: boolean;
  policy?: FailurePolicy;
  /** It, or a role that it is together with, has VMs whose state is not known: they are looked for first. */
  lost?: boolean;
};

/** A role whose work ends. `failure`: why a batch of it failed as a whole; its VMs that were at work then say so. */
export type RoleFinish = { role: string; step: number; failure: string | null };

/** The steps of a service's deployment that touch MongoDB alone. Each takes whatever roles are ready for it. */
export const deploymentActivities = ({ store, settings, directory }: MakingPorts) => ({
  /** Claims the operation; PENDING → DEPLOYING, unless it has some of the roles: then the service is that already. */
  beginDeployment: (input: StepInput) => begin(store, input, (operation) => planOf(store, operation, input.run)),

  /**
   * Takes roles, makes the VMs that they lack (each under its unique key), takes over those that an earlier run left, and
   * gives a host to all.
   */
  startRoles: (input: RolesInput<RoleStart>): Promise<Started[]> => startRoles({ store, settings, directory }, input),

  /**
   * Looks again for hosts for roles that wait for them. `vms`: whose turn it is; absent: everybody's. Answers the roles for
   * which something has changed, by their place in what was asked.
   */
  async placeRoles({
    op,
    service,
    roles,
    vms,
  }: RolesInput<string> & { vms?: number[] }): Promise<(Hosted & { at: number })[]> {
    const turn = vms ? new Set(vms) : null;
    const hosted = await lookForHosts({ store, settings }, { op, service, roles, turn });
    const found = roles.flatMap((role, at) => {
      const its = hosted.get(role);
      return its && (its.boot.length > 0 || its.pending === 0) ? [{ at, ...its }] : [];
    });
    if (found.length > 0)
      await store.operations.note(
        op,
        Object.fromEntries(
          found.map(({ at, pending }) => [roles[at] ?? '', lackingCapacity(pending, roles[at] ?? '')]),
        ),
      );
    return found;
  },

  /** How many VMs of each role run without having reported READY=YES. */
  async countUnready({ op, service, roles }: RolesInput<string>): Promise<number[]> {
    const counts = await store.vms.unready(service, roles);
    const waits = roles.map((role): [string, string | null] => {
      const unready = counts.get(role) ?? 0;
      return [role, unready > 0 ? `${unready} VMs of role ${role} to report READY=YES` : null];
    });
    await store.operations.note(op, Object.fromEntries(waits));
    return roles.map((role) => counts.get(role) ?? 0);
  },

  /** RUNNING when all VMs of a role run, else FAILED_DEPLOYING with the reason. Returns of each whether it runs. */
  async finishRoles({ op, service: id, roles }: RolesInput<RoleFinish>): Promise<boolean[]> {
    const failures = new Map(roles.flatMap(({ role, failure }) => (failure === null ? [] : [[role, failure]])));
    if (failures.size > 0) {
      // What failed may be the step that takes the role: then it is taken, so that it says so.
      await store.services.takeRoles({
        ...{ service: id, op, event: 'deploy' },
        roles: roles.flatMap(({ role, step, failure }) => (failure === null ? [] : [{ role, step: step - 1 }])),
      });
      await failVms(store, op, id, failures);
    }
    const names = roles.map(({ role }) => role);
    const whyNot = ({ role, vms }: StaffedRole, offline?: ReadonlyMap<number, string>): string | null =>
      whyNotRunning(role, vms, failures.get(role.name) ?? null, offline);
    const found = await staffOf(store, id, names, (staff) => whyNot(staff) === null);
    const places = [...found.values()].flatMap(othersOf).flatMap((vm) => placeOf(vm)?.hid ?? []);
    const offline = await store.hosts.offlineOf(places);
    const ends = roles.flatMap(({ role: name, step }): RoleEnd[] => {
      const staff = found.get(name);
      if (!staff) return [];
      const reason = whyNot(staff, offline);
      const last_vmname = Math.max(0, ...staff.vms.map((vm) => (vm.service?.ordinal ?? -1) + 1));
      return reason === null
        ? [{ role: name, step, event: 'deployed', reason, last_vmname }]
        : [{ role: name, step, event: 'fail_deploy', reason, last_vmname, log: failureEntry(name, reason) }];
    });
    const left = (await store.services.leaveRoles(id, op, ends)) ?? (await store.services.part(id, names));
    const running = new Set(left?.roles.flatMap(({ name, state }) => (state === 'RUNNING' ? [name] : [])));
    return names.map((name) => running.has(name));
  },
});

/** What an operation on all of a service, or on some of its roles, is to do; null: it has nothing of it any more. */
export async function planOf(
  store: StepPorts['store'],
  operation: Operation,
  run: string,
): Promise<DeploymentPlan | null> {
  const { _id: op, resource, answer, input } = operation;
  // What ends here stays ended: with a role that does not run, as failed, with the reason of each.
  if (answer?.answer === 'give_up') await store.endings.end(op, { state: 'succeeded' });
  const ofRoles = 'roles' in input && input.roles !== undefined;
  const service = ofRoles
    ? await store.services.find(resource.id)
    : await store.services.begin(resource.id, op, 'deploy');
  if (!service || service.wanted !== null || !isAtWorkOn(service, op)) return null;
  const planned = await plannedRoles(store, service, operation, run);
  // Those that it does not have are no concern of it.
  const roles = planned.map((role, at) => {
    const one = service.roles[at];
    return (one && hasRole(service, one, op)) || role.held ? role : { ...role, up: true };
  });
  const networks = unmadeOf(service).length > 0;
  return { service: service._id, gate: service.body.ready_status_gate, roles, ...(networks && { networks }) };
}

/**
 * What is to be done of each role. What earlier runs of the operation have done is taken from the first try of this one's
 * first step, whatever a later one sees.
 */
async function plannedRoles(
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
  const lost = rolesWithLost(vms);
  const health = rolesHealth(service, vms, new Date());
  const parents = parentPlaces(service.roles, service.body.deployment);
  return service.roles.map((role, at) => ({
    ...planned(role, operation, parents[at] ?? [], reached[role.name] ?? null),
    // One with which something is amiss is deployed again, whatever it was called.
    up: isUp(health[at]?.state ?? role.state) && role.state !== 'FAILED_DEPLOYING',
    ...(lost.has(role.name) && { lost: true }),
  }));
}

/** Roles with VMs whose state is not known, and those that are together with them. */
function rolesWithLost(vms: readonly WorkVm[]): Set<string> {
  const roles = new Set<string>();
  const groups = new Set<string>();
  for (const vm of vms) {
    if (!vm.service || vm.lcm_state !== 'UNKNOWN' || !belongs(vm)) continue;
    roles.add(vm.service.role);
    // A role is in one group, which its first says; a group may be of a thousand roles, each of which lists them all.
    const [first, ...others] = vm.placement?.together ?? [];
    if (first === undefined || groups.has(first)) continue;
    groups.add(first);
    for (const role of [first, ...others]) roles.add(role);
  }
  return roles;
}

/** By role, the last step that the operation has taken there. */
const stepsOf = ({ roles }: Service, op: string): Record<string, number> =>
  Object.fromEntries(roles.flatMap(({ name, mark }) => (mark?.op === op ? [[name, mark.step]] : [])));

/** What is to be done for a role: what it came to under this very operation stands until somebody answers. */
function planned(role: Role, { answer }: Operation, parents: number[], step: number | null): Omit<PlannedRole, 'up'> {
  const { name, cardinality, state, failure_policy: policy } = role;
  return {
    name,
    vms: cardinality,
    parents,
    ...(state === 'HOLD' && { held: true }),
    ...(step !== null && { step }),
    ...(step !== null && state === 'FAILED_DEPLOYING' && { failed: true }),
    ...(state === 'DEPLOYING' && answer?.answer === 'skip' && answer.roles.includes(name) && { skip: true }),
    ...(policy && { policy }),
  };
}

/** A role, and those of its VMs that are not DONE. */
export type StaffedRole = { service: ServicePart; role: Role; vms: WorkVm[] };

/**
 * Roles and then their VMs, read again where one is not as hoped and is to have fewer by now: one that was terminated in
 * between is not missing. By name; those that are not there are left out.
 */
export async function staffOf(
  store: StepPorts['store'],
  id: number,
  names: readonly string[],
  isAsHoped: (found: StaffedRole) => boolean,
): Promise<Map<string, StaffedRole>> {
  const staff = new Map<string, StaffedRole>();
  const seen = new Map<string, number>();
  for (let left = [...names]; left.length > 0; ) {
    const service = await store.services.part(id, left);
    const vmsOf = byRole(await store.vms.ofService(id, left));
    left = [];
    for (const role of service?.roles ?? []) {
      const found = service && { service, role, vms: [...vmsOf(role.name)] };
      if (!found) continue;
      if (isAsHoped(found) || role.cardinality === seen.get(role.name)) staff.set(role.name, found);
      else left.push(role.name);
      seen.set(role.name, role.cardinality);
    }
  }
  return staff;
}

/** Those of a role that do not run as they should. */
const othersOf = ({ vms }: { vms: readonly WorkVm[] }): WorkVm[] => vms.filter((vm) => belongs(vm) && !isVmHealthy(vm));

/** Why a role cannot be called RUNNING, or null when it can. */
function whyNotRunning(
  role: Role,
  vms: readonly WorkVm[],
  failure: string | null,
  offline: ReadonlyMap<number, string> = new Map(),
): string | null {
  const running = vms.filter((vm) => belongs(vm) && isVmHealthy(vm)).length;
  const others = othersOf({ vms });
  if (running <= role.cardinality && missingOf(role, vms) === 0 && others.length === 0) return null;
  const said = others.flatMap((vm) => {
    const why = reasonThere(offline.get(placeOf(vm)?.hid ?? -1), vm.reason);
    return why === null ? [] : [`VM ${vm._id} (${vm.name}): ${why}`];
  });
  const more = said.length > 3 ? [`and ${said.length - 3} more`] : [];
  // What failed as a whole is why there is nothing in the place of VMs that have reasons of their own.
  const few = said.slice(0, 3);
  const whole = failure === null || few.some((one) => one.endsWith(failure)) ? [] : [failure];
  const held = heldBack(role.cardinality, vms.length) ?? [];
  const why = clauses([held, whole, few, more].flat());
  const surplus = running - role.cardinality;
  if (surplus > 0 && why === '')
    return `${running} VMs run, and ${role.cardinality} are to be: a recovery ends ${surplus === 1 ? 'one' : surplus} that ${surplus === 1 ? 'is' : 'are'} not protected`;
  return `${running} of ${role.cardinality} VMs run${why === '' ? '' : `: ${why}`}`;
}

export const failureEntry = (role: string, reason: string): LogEntry => ({
  timestamp: new Date(),
  severity: 'E',
  message: `Role ${role} : ${reason}`,
});
