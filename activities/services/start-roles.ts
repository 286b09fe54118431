import { Problem, type ProblemCode } from '../../domain/problems.js';
import { type FailedVms, roleStart, startedOf } from '../../domain/services/role-start.js';
import { byRole } from '../../domain/services/service-health.js';
import { isVmUnplaced } from '../../domain/vms/vm-states.js';
import { counted } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import type { Role } from '../../schemas/services/service.js';
import type { ServicePart } from '../../store/services/service-roles.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { endPending, type Known } from '../vms/place-vms.js';
import { retryVms, takeVms } from '../vms/taking.js';
import { type Hosted, hostVms, lackingCapacity } from './find-hosts.js';
import { isOurs, type Lacking, type MakingPorts, makeVms } from './role-vms.js';
import type { RolesInput } from './roles-input.js';

export type RoleStart = { role: string; step: number; failed?: FailedVms };

/**
 * What is left to do for a role: VMs to boot, failed ones to remove first, and how many wait for capacity. `waits`: what is
 * done about as many more once some of those are removed; absent: nothing.
 */
export type RoleWork = Hosted & { remove: number[]; waits?: number };

/**
 * What became of a role: its work; null: somebody who pre-empts wants the service; or why nothing can be made of this one,
 * which is no matter of those that are started with it.
 */
export type Started = RoleWork | null | { failure: { code: ProblemCode; detail: string } };

/** How often roles are planned for within one step, at most. */
const mostPlans = 8;

/** A role as it is planned for in one step; `vms`: null as long as what was planned from has changed in between. */
type Plan = RoleStart & { remove: number[]; waits: number; vms: WorkVm[] | null; problem: Problem | null };

/** Takes roles and staffs them; see the step of this name. */
export async function startRoles(ports: MakingPorts, input: RolesInput<RoleStart>): Promise<Started[]> {
  const { store, settings } = ports;
  const { op, service: id, roles } = input;
  const names = roles.map(({ role }) => role);
  const taken = await store.services.takeRoles({ service: id, op, event: 'deploy', roles });
  const plans = new Map<string, Plan>();
  let known: Known | undefined;
  let part = taken ?? (await store.services.part(id, names));
  for (let stale: readonly RoleStart[] = roles, times = 0; stale.length > 0 && times < mostPlans; times++) {
    // VMs of a role were terminated, or made by another try, while this one planned: it plans again, from what is.
    if (times > 0) part = await store.services.part(id, names);
    const staffed = await staff(ports, op, part, stale);
    for (const plan of staffed.plans) plans.set(plan.role, plan);
    known = times === 0 ? staffed.known : undefined;
    stale = staffed.plans.filter(({ vms }) => vms === null);
  }
  const unread = [...plans.values()].filter(({ vms }) => vms === null).map(({ role }) => role);
  const read = unread.length > 0 ? byRole(await store.vms.ofService(id, unread)) : undefined;
  const toHost = [...plans.values()].flatMap(({ role, failed, vms }) =>
    failed === 'remove' ? [] : (vms ?? read?.(role) ?? []),
  );
  const hosted = await hostVms({ store, settings }, op, toHost, known);
  const started = roles.map(({ role, failed }): Started => {
    const plan = plans.get(role);
    if (!plan) return null;
    const { problem, remove, waits } = plan;
    if (problem) return { failure: { code: problem.code, detail: problem.message } };
    const hosts = failed === 'remove' ? { boot: [], pending: 0 } : hosted(role);
    return { ...hosts, remove, ...(waits > 0 && { waits }) };
  });
  // Who waits is told from the first moment, not from the first time that capacity appears and does not suffice.
  const waits = started.flatMap((work, at): [string, string | null][] => {
    const { role, step } = roles[at] ?? {};
    if (role === undefined || step === undefined || work === null || 'failure' in work) return [];
    const why = lackingCapacity(work.pending, role) ?? lackingRemovals(work, role);
    // What an earlier step waited for is over.
    return why === null && step === 1 ? [] : [[role, why]];
  });
  if (waits.length > 0) await store.operations.note(op, Object.fromEntries(waits));
  return started;
}

/**
 * Takes over the VMs that roles have, and makes those that they lack. Roles that are not this step's are left out. One that
 * somebody is terminating has its place until it is gone. `known`: what need not be read again to place them.
 */
async function staff(
  ports: MakingPorts,
  op: string,
  service: ServicePart | null,
  asked: readonly RoleStart[],
): Promise<{ plans: Plan[]; known?: Known }> {
  const { store } = ports;
  const roleOf = new Map(service?.roles.map((role) => [role.name, role]));
  const ours = asked.flatMap((start): { start: RoleStart; role: Role }[] => {
    const role = roleOf.get(start.role);
    return service && role && isOurs(service, role, op, start.step) ? [{ start, role }] : [];
  });
  if (!service || ours.length === 0) return { plans: [] };
  const names = ours.map(({ role }) => role.name);
  const [all, lastOrdinals] = await Promise.all([
    store.vms.ofService(service._id, names),
    store.vms.lastOrdinals(service._id, names),
  ]);
  const allOf = byRole(all);
  const parted = ours.map(({ start, role }) => ({ start, role, ...startedOf(allOf(role.name), start.failed) }));
  const presentOf = byRole(
    await takeVms(
      store,
      op,
      parted.flatMap(({ its }) => its),
    ),
  );
  const planned = parted.map(({ start, role, kept }) => {
    const present = presentOf(role.name);
    const plan = roleStart(role, allOf(role.name), present, { op, kept, failed: start.failed });
    const isSurplus = new Set(plan.surplus);
    return { ...plan, start, role, present: present.filter((vm) => !isSurplus.has(vm)) };
  });
  await endPending(
    store,
    planned.flatMap(({ goes }) => goes),
  );
  const again = planned.flatMap((plan) => plan.again);
  await retryVms(store, again);
  // VMs that are tried again have changed since they were read.
  const changed = again.length > 0 ? new Map((await store.vms.byIds(idsOf(again))).map((vm) => [vm._id, vm])) : null;
  const lacking = planned.flatMap(({ role, lacking: count }): Lacking[] => {
    const firstNumber = Math.max(role.last_vmname, (lastOrdinals.get(role.name) ?? -1) + 1);
    return count > 0 ? [{ role, count, firstNumber }] : [];
  });
  const [made, hosts] = await Promise.all([
    lacking.length > 0 ? makeVms(ports, op, service, lacking) : [],
    store.hosts.snapshot(),
  ]);
  const madeOf = new Map(lacking.map(({ role }, at) => [role.name, made[at] ?? null]));
  const plans = planned.map(({ start, role, present, goes, lacking: count, waits }): Plan => {
    const remove = idsOf(goes.filter((vm) => !isVmUnplaced(vm)));
    const its = madeOf.has(role.name) ? (madeOf.get(role.name) ?? null) : [];
    const read = changed ? present.map((vm) => changed.get(vm._id) ?? vm) : present;
    if (its instanceof Problem) {
      // What goes may have the last address, or the image of which there is one, and gives it back.
      if (its.code === 'in_use' && remove.length > 0)
        return { ...start, remove, waits: waits + count, vms: read, problem: null };
      return { ...start, remove, waits, vms: [], problem: its };
    }
    return { ...start, remove, waits, vms: its && [...read, ...its], problem: null };
  });
  const isWhole = plans.every(({ vms }) => vms !== null);
  const fresh = made.flatMap((vms) => (Array.isArray(vms) ? vms : []));
  return { plans, ...(isWhole && { known: { made: fresh, hosts } }) };
}

/** What roles wait for of which no more VMs are made until some are gone; null: nothing of them goes that others wait for. */
const lackingRemovals = ({ remove, waits = 0 }: RoleWork, role: string): string | null =>
  waits > 0 && remove.length > 0 ? `the removal of ${counted(remove.length, kinds.vm)} of role ${role}` : null;

const idsOf = (vms: readonly WorkVm[]): number[] => vms.map((vm) => vm._id);
