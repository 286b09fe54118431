import { eachInSlices } from '../../adapters/process/in-slices.js';
import { beyond, chargeOfHad, isNothing } from '../../domain/identity/quotas.js';
import { Problem, problemOf, problems } from '../../domain/problems.js';
import { tiesIn } from '../../domain/services/role-placement.js';
import type { Maker } from '../../domain/services/template-use.js';
import { type VmContents, vmContents } from '../../domain/vms/vm-contents.js';
import { abandonment } from '../../domain/vms/vm-events.js';
import { hadByNew } from '../../domain/vms/vm-had.js';
import { firstLine } from '../../domain/vms/vm-log.js';
import { vmName } from '../../domain/vms/vm-name.js';
import { scheduleOfNew } from '../../domain/vms/vm-schedules.js';
import type { VmSize } from '../../schemas/identity/amounts.js';
import type { RoleTies } from '../../schemas/placement/placement.js';
import type { Role } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { seenUser } from '../../store/identity/seen-user.js';
import { untilChosen } from '../../store/mongo/choice-lost.js';
import { addressesFor } from '../../store/networks/nic-addresses.js';
import { hasRole } from '../../store/services/hands.js';
import type { ServicePart } from '../../store/services/service-roles.js';
import type { Store } from '../../store/store.js';
import { asksOf, networksFor, type WishedNetwork, withNics } from '../../store/vms/nic-networks.js';
import type { VmMove } from '../../store/vms/vm-transitions.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { orProblem } from '../or-problem.js';
import type { StepPorts } from '../ports.js';
import { withDisks } from './role-disks.js';
import type { RoleInput } from './roles-input.js';
import { notForAsker } from './template-use.js';

/** Who has asked where nobody is known to have. */
const nobody = -1;

/** What it takes to make VMs. */
export type MakingPorts = Pick<StepPorts, 'store' | 'settings' | 'directory'>;

/** Whether the role was taken by this step of this operation, now or before, so that saying it again may go on. */
export function isOurs(service: ServicePart, role: Role, op: string, step: number): boolean {
  return hasRole(service, role, op) && service.wanted === null && role.mark?.op === op && role.mark.step >= step;
}

/** Takes one role for a step of a deployment or repair. Returns whether it is ours: somebody who pre-empts may want it. */
export async function enterRole(store: Store, { op, service, role: name, step }: RoleInput): Promise<boolean> {
  const taken = await store.services.takeRoles({ service, op, event: 'deploy', roles: [{ role: name, step }] });
  const role = taken?.roles[0];
  return taken !== null && role !== undefined && isOurs(taken, role, op, step);
}

/**
 * VMs that a role lacks, and the number that the first of them has. `step`: of a role that an operation has alone, its step:
 * a try of an earlier one makes none.
 */
export type Lacking = { role: Role; count: number; firstNumber: number; step?: number };

/**
 * What was made of each role, in the order in which they were asked for. null: another try was at work too, or the role is
 * to have fewer by now, and what there is has to be read; a problem: nothing can be made of this role.
 */
export type Made = WorkVm[] | null | Problem;

/**
 * Makes the VMs that roles lack, each under its unique key: made again by another try, they are the same. Ids are drawn
 * for those alone that are about to be written. Whatever operation has them made: who has asked for it may USE their template.
 */
export async function makeVms(
  { store, settings, directory }: MakingPorts,
  op: string,
  service: ServicePart,
  lacking: readonly Lacking[],
): Promise<Made[]> {
  const [found, asker] = await Promise.all([
    store.vmTemplates.byIds([...new Set(lacking.map(({ role }) => role.vm_template))]),
    store.operations.asker(op),
  ]);
  const templates = new Map(found.map((template) => [template._id, template]));
  const refused = await notForAsker({ directory }, asker?.requester, found);
  let seen: Promise<Maker | null> | null = null;
  const maker = (): Promise<Maker | null> => {
    seen ??= seenUser(directory, asker?.requester.id ?? nobody).then((user) => user?.caller ?? null);
    return seen;
  };
  const tiesOf = tiesIn(service.tied);
  const specs: (VmSpec | Problem)[] = await eachInSlices(lacking, specOf);
  const wished = await networksOfSpecs(specs);
  const count = lacking.reduce((sum, { count: its }, at) => sum + (specs[at] instanceof Problem ? 0 : its), 0);
  const ids = count > 0 ? await store.counters.next('vm', count) : [];
  const now = new Date();
  let drawn = 0;
  const plain: (Vm[] | Problem)[] = await eachInSlices(lacking, ({ role, count, firstNumber }, at) => {
    const spec = wished[at] instanceof Problem ? wished[at] : specs[at];
    if (!spec || spec instanceof Problem) return spec ?? [];
    drawn += count;
    return ids
      .slice(drawn - count, drawn)
      .map((id, nth) => vmOf(settings, op, service, role, spec, { id, ordinal: firstNumber + nth, now }));
  });
  // What was made of it by a try before stays; what has lost its addresses, or its image, to somebody else looks again.
  return untilChosen(async () => {
    const where = { images: store.images, users: directory.users };
    const whole = await withDisks(where, await withAddresses(plain), { owner: service.uid, maker });
    const made = whole.map((vms, at) => {
      const [its, role] = [wished[at] ?? [], lacking[at]?.role];
      if (vms instanceof Problem || its instanceof Problem || !role) return vms;
      return vms.map((vm) => withCharge(vm, its, service.capacities?.[role.name]));
    });
    return store.holdings.inTurn(
      made.flatMap((vms) => (vms instanceof Problem ? [] : vms.slice(0, 1))),
      () => writeVms(made),
    );
  });

  /** The networks that VMs of each are to be on, or why nothing can be made of it. */
  function networksOfSpecs(all: readonly (VmSpec | Problem)[]): Promise<(WishedNetwork[] | Problem)[]> {
    const where = { networks: store.networks, securityGroups: store.securityGroups, users: directory.users };
    return Promise.all(
      all.map(async (spec) =>
        spec instanceof Problem
          ? []
          : orProblem(networksFor(where, spec.contents.template, { owner: service.uid, maker })),
      ),
    );
  }

  /** Each role's VMs with addresses for their NICs; a role for which there are too few has none of its VMs made. */
  async function withAddresses(roles: readonly (Vm[] | Problem)[]): Promise<(Vm[] | Problem)[]> {
    const addressed: (Vm[] | Problem)[] = [];
    const named = new Set<number>();
    for (const [at, vms] of roles.entries()) {
      const its = wished[at] ?? [];
      if (vms instanceof Problem || its instanceof Problem || its.length === 0) {
        addressed.push(vms);
        continue;
      }
      const found = await orProblem(
        addressesFor(
          store.leases,
          vms.flatMap((vm) => asksOf(vm, its)),
          named,
        ),
      );
      addressed.push(found instanceof Problem ? found : vms.map((vm) => withNics(vm, found)));
    }
    return addressed;
  }

  async function writeVms(made: readonly (Vm[] | Problem)[]): Promise<Made[]> {
    // Of a role that never had a VM nobody can have terminated any meanwhile, while one operation has all of the service.
    const isFirst = lacking.map(
      ({ firstNumber, step }) => firstNumber === 0 && step === undefined && service.operation === op,
    );
    const wholeOf = (which: boolean): Vm[] =>
      made.flatMap((vms, at) => (isFirst[at] === which && !(vms instanceof Problem) ? vms : []));
    const [first, more] = [wholeOf(true), wholeOf(false)];
    const roles = lacking.flatMap(({ role: { name, cardinality }, step }, at) =>
      isFirst[at] || made[at] instanceof Problem ? [] : [{ name, cardinality, ...(step !== undefined && { step }) }],
    );
    const written = {
      first: first.length === 0 || (await store.cardinality.insertFirst({ service: service._id, op }, first)),
      more: more.length === 0 || (await store.cardinality.insertWhile({ service: service._id, op, roles }, more)),
    };
    return made.map((vms, at) => {
      if (vms instanceof Problem) return vms;
      return (isFirst[at] ? written.first : written.more) ? vms : null;
    });
  }

  function specOf({ role }: Lacking): VmSpec | Problem {
    const template = templates.get(role.vm_template);
    if (!template)
      return new Problem(
        'not_found',
        `Instantiate failed for template ${role.vm_template}; there is no such VM template.`,
      );
    const refusal = refused.get(role.vm_template);
    if (refusal) return refusal;
    try {
      const of = { contents: role.vm_template_contents, serviceId: service._id, roleName: role.name };
      const contents = withCapacity(vmContents(template.template, of), service.capacities?.[role.name]);
      return { contents, ties: tiesOf(role.name) };
    } catch (error) {
      const problem = problemOf(error);
      if (!problem || problems[problem.code].retryable) throw error;
      return problem;
    }
  }
}

/** What new VMs of a role are made from. */
type VmSpec = { contents: VmContents; ties: RoleTies | undefined };

function vmOf(
  settings: StepPorts['settings'],
  op: string,
  service: ServicePart,
  role: Role,
  { contents: { scheduled, ...contents }, ties }: VmSpec,
  { id, ordinal, now }: { id: number; ordinal: number; now: Date },
): Vm {
  const { uid, gid, permissions } = service;
  const schedule = scheduleOfNew(scheduled, uid, { zone: settings.timeZone ?? 'UTC', now, start: now });
  return {
    _id: id,
    uid,
    gid,
    permissions,
    name: vmName(settings.vmNameTemplate, {
      serviceId: service._id,
      serviceName: service.name,
      roleName: role.name,
      vmNumber: ordinal,
    }),
    state: 'PENDING',
    lcm_state: 'LCM_INIT',
    reason: null,
    template_id: role.vm_template,
    ...contents,
    service: { id: service._id, role: role.name, ordinal },
    ...(ties && { placement: ties }),
    history: [],
    ...(schedule && { schedule }),
    log: [firstLine({ state: 'PENDING', lcm_state: 'LCM_INIT', created_at: now })],
    deploy_id: null,
    epoch: 1,
    hold: { op, epoch: 1, attempt: 0 },
    operation: null,
    wanted: null,
    created_at: now,
    ended_at: null,
  };
}

/** As large as it was charged, whatever has become of the VM template since: else a change of it would get round quotas. */
function withCapacity(contents: VmContents, charged: VmSize | undefined): VmContents {
  if (!charged) return contents;
  const { cpu, memory } = charged;
  return { ...contents, capacity: { cpu, memory }, template: { ...contents.template, CPU: cpu / 100, MEMORY: memory } };
}

/** What it has beyond what its service is charged, because its template has changed since, is charged to the VM. */
function withCharge(vm: Vm, wished: readonly WishedNetwork[], charged: VmSize | undefined): Vm {
  if (charged?.leases === undefined) return vm;
  const more = beyond(chargeOfHad(hadByNew(wished, vm.disks)), chargeOfHad(charged));
  return isNothing(more) ? vm : { ...vm, charge: more };
}

/**
 * VMs of roles whose step failed as a whole say so, each with the failure of its role: their state is unknown, and a
 * recovery replaces them.
 */
export async function failVms(
  store: Store,
  op: string,
  service: number,
  failures: ReadonlyMap<string, string>,
): Promise<void> {
  if (failures.size === 0) return;
  const vms = await store.vms.ofService(service, [...failures.keys()]);
  await store.vms.transition(
    vms.flatMap((vm): VmMove[] => {
      const event = abandonment(vm);
      if (vm.hold?.op !== op || !event) return [];
      return [{ vm, event, set: { reason: vm.reason ?? failures.get(vm.service?.role ?? '') ?? null }, release: true }];
    }),
  );
}
