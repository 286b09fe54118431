import type { Act } from '../../domain/acts/acts.js';
import { rightFor } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import { passedTime, withoutSchedule, withSchedule, wrongSchedule } from '../../domain/vms/vm-schedules.js';
import { isVmGone } from '../../domain/vms/vm-states.js';
import { limits } from '../../schemas/common/limits.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type {
  AddVmSchedule,
  ScheduledVmAction,
  VmSchedule,
  VmSchedulesResource,
} from '../../schemas/vms/vm-schedules.js';
import { type DueAction, scheduleWrite } from '../../store/vms/vm-schedules.js';
import { authorised, mayCreate } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { asUser } from '../identity/as-user.js';
import { firingResource } from '../policy-resources.js';
import { type Precondition, unconditional } from '../precondition.js';
import { mayMakeImage } from '../storage/making-images.js';
import { askOfVm } from './ask-of-vm.js';
import { backUp } from './backups.js';
import { holdVm } from './vm-hold.js';
import { migrateVm } from './vm-migration.js';
import { reschedVm } from './vm-resched.js';

/** What is to be done to a VM at its time, with what became of each last. */
export async function showVmSchedules(
  context: OperationsContext,
  caller: Caller,
  id: number,
): Promise<VmSchedulesResource> {
  return shown(context, authorised(caller, 'vm', await context.store.vms.find(id), 'use', id));
}

/** One more. Whoever asks for it has to be allowed to do that now; it is asked again when it is due. */
export const addVmSchedule = async (
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: AddVmSchedule,
  precondition: Precondition,
): Promise<VmSchedulesResource> => {
  const right = rightOf(wish.action);
  const { datastore_id } = wish;
  if (wish.action === 'disk-saveas' && datastore_id !== undefined) {
    authorised(caller, 'vm', await context.store.vms.find(id), right, id);
    await mayMakeImage(context, caller, { datastore_id, type: 'DATABLOCK' });
  }
  return change(context, caller, { id, right, precondition }, (vm) => {
    const clock = { zone: vm.schedule?.zone ?? zoneOf(context), now: new Date(), start: vm.created_at };
    const wrong = wrongSchedule(wish);
    const findings = wrong.length > 0 ? wrong : [passedTime(wish, clock) ?? []].flat();
    const [first] = findings;
    if (first)
      throw new Problem('invalid_request', `The time of the action is not right: ${first.detail}.`, { findings });
    if (wish.action === 'disk-saveas') maySave(caller, vm, wish);
    if (isVmGone(vm)) throw new Problem('wrong_state', `VM ${id} is DONE: nothing can be done to it any more.`);
    const after = withSchedule(vm.schedule ?? null, wish, caller.id, clock);
    if (!after)
      throw new Problem(
        'invalid_request',
        `VM ${id} has ${limits.vmSchedules.most} scheduled actions that are to come, the most that are possible. Remove one first.`,
      );
    const added = after.of.at(-1);
    if (added?.next_at === null)
      throw new Problem('invalid_request', 'It would never be done: no day is like that.', {
        findings: [{ pointer: '/recurrence', detail: 'is never to come' }],
      });
    return after;
  });
};

/** What can be said now of what is saved then: whoever asks may make images, and there is such a disk. */
function maySave(caller: Caller, { _id: id, disks = [] }: Vm, { disk_id: disk }: AddVmSchedule): void {
  mayCreate(caller, 'image');
  if (disk === undefined || disks.some(({ disk_id }) => disk_id === disk)) return;
  throw new Problem('invalid_request', `VM ${id} has no disk ${disk}.`, {
    findings: [{ pointer: '/disk_id', detail: `is none of the disks of VM ${id}` }],
  });
}

export async function removeVmSchedule(
  context: OperationsContext,
  caller: Caller,
  id: number,
  schedule: number,
  precondition: Precondition,
): Promise<void> {
  await change(context, caller, { id, right: 'manage', precondition }, (vm) => {
    const after = withoutSchedule(vm.schedule ?? null, schedule, new Date());
    if (after) return after;
    throw new Problem('not_found', `VM ${id} has no scheduled action ${schedule}.`);
  });
}

async function change(
  context: OperationsContext,
  caller: Caller,
  { id, right, precondition }: { id: number; right: 'manage' | 'admin'; precondition: Precondition },
  revise: (vm: Vm) => VmSchedule,
): Promise<VmSchedulesResource> {
  const { store } = context;
  // Asked before the transaction, too: who may not do it holds nobody up.
  authorised(caller, 'vm', await store.vms.find(id), right, id);
  const done = await store.edit('vm', id, async (stored, transaction) => {
    const vm = authorised(caller, 'vm', stored, right, id);
    await precondition.demand(() => shown(context, vm));
    const schedule = revise(vm);
    await store.vmSchedules.set(id, schedule, transaction);
    return { ...vm, schedule };
  });
  if (!done) throw new Problem('not_found', `There is no ${nameOf({ type: 'vm', id })}.`);
  return shown(context, done);
}

const zoneOf = ({ settings: { timeZone = 'UTC' } }: OperationsContext): string => timeZone;

async function shown(context: OperationsContext, vm: Vm): Promise<VmSchedulesResource> {
  const of = vm.schedule?.of ?? [];
  const endings = await context.store.operations.endings(of.flatMap(({ last }) => last?.operation ?? []));
  const byId = new Map(endings.map((ending) => [ending._id, ending]));
  return {
    ...{ vm: vm._id, time_zone: vm.schedule?.zone ?? zoneOf(context) },
    schedules: of.map(({ id, action, by, next_at, last, ...said }) => ({
      ...{ id, action, by, start_time: said.start_time ?? null, recurrence: said.recurrence ?? null },
      ...{ time_zone: said.time_zone ?? null, disk_id: said.disk_id ?? null, image_name: said.image_name ?? null },
      ...{ datastore_id: said.datastore_id ?? null, keep: said.keep ?? null },
      // What is over with its VM is never due.
      next_at: isVmGone(vm) ? null : (next_at?.toISOString() ?? null),
      last: last && firingResource(last, byId),
    })),
  };
}

/** What each is, as far as it says who may have it done. */
const acts: { readonly [A in ScheduledVmAction]: Act } = {
  terminate: { do: 'terminate', hard: false },
  'terminate-hard': { do: 'terminate', hard: true },
  resume: { do: 'resume' },
  recreate: { do: 'recoverVm', action: 'recreate' },
  poweroff: { do: 'switch', action: 'poweroff' },
  'poweroff-hard': { do: 'switch', action: 'poweroff-hard' },
  reboot: { do: 'switch', action: 'reboot' },
  'reboot-hard': { do: 'switch', action: 'reboot-hard' },
  suspend: { do: 'switch', action: 'suspend' },
  stop: { do: 'switch', action: 'stop' },
  undeploy: { do: 'switch', action: 'undeploy' },
  'undeploy-hard': { do: 'switch', action: 'undeploy-hard' },
  'snapshot-create': { do: 'switch', action: 'snapshot-create' },
  hold: { do: 'hold' },
  release: { do: 'releaseVm' },
  migrate: { do: 'migrate', host: null, live: false },
  resched: { do: 'resched', wish: true },
  unresched: { do: 'resched', wish: false },
  'disk-saveas': { do: 'saveDisk', disk: 0 },
};
const rightOf = (action: ScheduledVmAction) => rightFor(acts[action], null);

/**
 * Does what is due as whoever has asked for it, with the rights that he has now. That it is done is written with what does it: by
 * whoever comes again it is found done. Returns the operation, if one does it; throws what he would be told.
 */
export async function performScheduled(
  context: OperationsContext,
  { vm, entry, due_at, key, after }: DueAction,
): Promise<string | null> {
  const { store } = context;
  const { action, by } = entry;
  const caller = await asUser(context, by, 'who has asked for it');
  const admission = {
    ...{ idempotencyKey: key, requestId: key },
    also: (operation: string, transaction: Parameters<typeof store.vmSchedules.write>[2]) =>
      store.vmSchedules.write(vm, after(operation), transaction),
  };
  const also = scheduleWrite(after(null));
  switch (action) {
    case 'hold':
      await holdVm(context, caller, vm, unconditional, also);
      return null;
    case 'resched':
    case 'unresched':
      await reschedVm(context, caller, vm, action === 'resched', unconditional, also);
      return null;
    case 'migrate':
      return (await migrateVm(context, caller, vm, { live: false }, admission)).id;
    case 'disk-saveas':
      return (await backUp(context, caller, { vm, entry, due_at }, admission)).id;
    case 'terminate':
    case 'terminate-hard':
    case 'resume':
    case 'recreate':
    case 'poweroff':
    case 'poweroff-hard':
    case 'reboot':
    case 'reboot-hard':
    case 'suspend':
    case 'stop':
    case 'undeploy':
    case 'undeploy-hard':
    case 'release':
    case 'snapshot-create':
      return (await askOfVm(context, caller, vm, { action }, admission))?.id ?? null;
  }
}
