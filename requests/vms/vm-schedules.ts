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
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { asUser } from '../identity/as-user.js';
import { firingResource } from '../policy-resources.js';
import { type Precondition, unconditional } from '../precondition.js';
import { askOfVm } from './ask-of-vm.js';
import { holdVm, releaseVm } from './vm-hold.js';
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
export const addVmSchedule = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: AddVmSchedule,
  precondition: Precondition,
): Promise<VmSchedulesResource> =>
  change(context, caller, { id, right: rightOf(wish.action), precondition }, (vm) => {
    const clock = { zone: vm.schedule?.zone ?? zoneOf(context), now: new Date(), start: vm.created_at };
    const wrong = wrongSchedule(wish);
    const findings = wrong.length > 0 ? wrong : [passedTime(wish, clock) ?? []].flat();
    const [first] = findings;
    if (first)
      throw new Problem('invalid_request', `The time of the action is not right: ${first.detail}.`, { findings });
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
    schedules: of.map(({ id, action, start_time, recurrence, time_zone, by, next_at, last }) => ({
      ...{
        id,
        action,
        start_time: start_time ?? null,
        recurrence: recurrence ?? null,
        time_zone: time_zone ?? null,
        by,
      },
      // What is over with its VM is never due.
      next_at: isVmGone(vm) ? null : (next_at?.toISOString() ?? null),
      last: last && firingResource(last, byId),
    })),
  };
}

const acts: { readonly [A in ScheduledVmAction]?: Act } = {
  migrate: { do: 'migrate', host: null, live: false },
  resched: { do: 'resched', wish: true },
  unresched: { do: 'resched', wish: false },
};
const rightOf = (action: ScheduledVmAction) => rightFor(acts[action] ?? { do: 'resume' }, null);

/**
 * Does what is due as whoever has asked for it, with the rights that he has now. That it is done is written with what does it: by
 * whoever comes again it is found done. Returns the operation, if one does it; throws what he would be told.
 */
export async function performScheduled(
  context: OperationsContext,
  { vm, by, action, key, after }: DueAction,
): Promise<string | null> {
  const { store } = context;
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
    case 'release':
      return (await releaseVm(context, caller, vm, admission)).id;
    case 'migrate':
      return (await migrateVm(context, caller, vm, { live: false }, admission)).id;
    default:
      return (await askOfVm(context, caller, vm, { action }, admission)).id;
  }
}
