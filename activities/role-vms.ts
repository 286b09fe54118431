import { Problem } from '../domain/problems.js';
import { tiesOf } from '../domain/role-placement.js';
import { type VmContents, vmContents } from '../domain/vm-contents.js';
import { vmName } from '../domain/vm-name.js';
import { abandonment } from '../domain/vm-states.js';
import type { Capacity } from '../schemas/host.js';
import type { Role, Service } from '../schemas/service.js';
import type { Vm } from '../schemas/vm.js';
import type { VmTemplate } from '../schemas/vm-template.js';
import type { Store } from '../store/store.js';
import type { VmMove } from '../store/vm-transitions.js';
import type { WorkVm } from '../store/work-vms.js';
import { batchesOf } from './batches.js';
import { type Known, placeVms } from './place-vms.js';
import type { StepPorts } from './ports.js';

/** Whether the role was taken by this step of this operation before, so that saying it again may go on. */
export function isOurs(service: Service, role: Role, op: string, step: number): boolean {
  return service.operation === op && service.wanted === null && role.mark?.op === op && role.mark.step >= step;
}

/** Takes what is free or was left by operations that have ended; returns the VMs as they are then. */
export async function takeVms(store: Store, op: string, vms: readonly WorkVm[]): Promise<WorkVm[]> {
  if (vms.length === 0) return [];
  const holders = new Set(vms.flatMap((vm) => (vm.hold && vm.hold.op !== op ? [vm.hold.op] : [])));
  const ended = holders.size === 0 ? holders : await store.operations.ended([...holders]);
  return (await store.vms.take(op, vms, ended)).filter((vm) => vm.state !== 'DONE');
}

/** What new VMs of a role are made from. */
export type Mould = { template: VmTemplate | null; firstNumber: number; ids: number[] };

/** Reads what new VMs of a role would be made from, if it lacks any. */
export async function readMould(store: Store, { _id: service }: Service, role: Role): Promise<Mould> {
  const [template, last, ids] = await Promise.all([
    // Large, and for nothing where there are no VMs to be made of it.
    role.cardinality > 0 ? store.vmTemplates.find(role.vm_template) : null,
    store.vms.lastOrdinal(service, role.name),
    // A role that never had a VM lacks them all.
    role.last_vmname === 0 ? store.counters.next('vm', role.cardinality) : [],
  ]);
  return { template, firstNumber: Math.max(role.last_vmname, last + 1), ids };
}

/**
 * Makes VMs of a role, each under its unique key: made again by another try, they are the same. Returns them, or null
 * when another try was at work too, or the role is to have fewer by now: then what there is has to be read.
 */
export async function makeVms(
  store: Store,
  settings: StepPorts['settings'],
  op: string,
  service: Service,
  role: Role,
  { template, firstNumber, ids: drawn }: Mould,
  count: number,
): Promise<WorkVm[] | null> {
  if (!template)
    throw new Problem(
      'not_found',
      `Instantiate failed for template ${role.vm_template}; there is no such VM template.`,
    );
  const ids = drawn.length >= count ? drawn.slice(0, count) : await store.counters.next('vm', count);
  const present = vmContents(template.template, {
    contents: role.vm_template_contents,
    serviceId: service._id,
    roleName: role.name,
  });
  const contents = withCapacity(present, service.capacities?.[role.name]);
  const ties = tiesOf(service.roles, role.name);
  const now = new Date();
  const { uid, gid, permissions } = service;
  const made = ids.map((id, index): Vm => {
    const ordinal = firstNumber + index;
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
      deploy_id: null,
      epoch: 1,
      hold: { op, epoch: 1, attempt: 0 },
      operation: null,
      wanted: null,
      created_at: now,
      ended_at: null,
    };
  });
  // Of a role that never had a VM nobody can have terminated any meanwhile.
  const written =
    firstNumber === 0
      ? await store.vms.insertMissing(made)
      : await store.cardinality.insertWhile({ service: service._id, op, role }, made);
  return written ? made : null;
}

/** As large as it was charged, whatever has become of the VM template since: else a change of it would get round quotas. */
const withCapacity = (contents: VmContents, charged: Capacity | undefined): VmContents =>
  charged
    ? {
        ...contents,
        capacity: charged,
        template: { ...contents.template, CPU: charged.cpu / 100, MEMORY: charged.memory },
      }
    : contents;

/**
 * Gives a place to the VMs of a role that have none; returns what is to boot and how many still wait. `known`: what has
 * just been read or made, and need not be read again; `turn`: whose turn it is to get one, if not everybody's.
 */
export async function placeRole(
  store: Store,
  settings: StepPorts['settings'],
  op: string,
  service: number,
  role: string,
  {
    known,
    turn,
  }: { known?: (Known & { present: readonly WorkVm[] }) | undefined; turn?: Set<number> | undefined } = {},
): Promise<{ boot: number[][]; pending: number }> {
  const vms = known ? [...known.present, ...known.made] : await store.vms.ofService(service, role);
  const held = vms.filter((vm) => vm.hold?.op === op);
  const trying = turn ? held.filter((vm) => turn.has(vm._id)) : held;
  const { placed, pending } = await placeVms(store, trying, known, settings.placement);
  const others =
    held.filter((vm) => vm.state === 'PENDING').length - trying.filter((vm) => vm.state === 'PENDING').length;
  const booting = held.filter((vm) => ['PROLOG', 'BOOT'].includes(vm.lcm_state)).map((vm) => vm._id);
  return { boot: batchesOf([...booting, ...placed]), pending: pending.length + others };
}

/** VMs that failed go back to PROLOG in their place, under the epoch that their new hold has. */
export async function retryVms(store: Store, vms: readonly WorkVm[]): Promise<void> {
  await store.vms.transition(
    vms.map((vm): VmMove => {
      const history = vm.history.map((stay, at) =>
        at === vm.history.length - 1 ? { ...stay, epoch: vm.epoch } : stay,
      );
      return { vm, event: 'retry', set: { reason: null, history } };
    }),
  );
}

/** VMs whose step failed as a whole say so: their state is unknown, and a recovery replaces them. */
export async function failVms(store: Store, op: string, service: number, role: string, failure: string): Promise<void> {
  const vms = await store.vms.ofService(service, role);
  await store.vms.transition(
    vms.flatMap((vm): VmMove[] => {
      const event = abandonment(vm);
      if (vm.hold?.op !== op || !event) return [];
      return [{ vm, event, set: { reason: vm.reason ?? failure }, release: true }];
    }),
  );
}
