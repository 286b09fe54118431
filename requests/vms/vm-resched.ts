import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import type { VmResource } from '../../schemas/vms/vm.js';
import type { ScheduleWrite } from '../../store/vms/vm-schedules.js';
import { demandOn, whyLost } from '../acts/acts.js';
import type { OperationsContext } from '../context.js';
import { asUser } from '../identity/as-user.js';
import type { Precondition } from '../precondition.js';
import { namesFor, vmResource } from '../resources.js';
import { migrateVm } from './vm-migration.js';
import { findVm } from './vm-recovery.js';

/** Marks a VM, or unmarks it: a marked one goes to another host as soon as one takes it. The precondition is compared first. */
export async function reschedVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: boolean,
  precondition: Precondition,
  also?: ScheduleWrite,
): Promise<VmResource> {
  const { store, directory } = context;
  const act: Act = { do: 'resched', wish };
  const vm = await findVm(context, caller, id, act);
  await precondition.demand(async () => vmResource(vm, await namesFor(directory, caller, [vm])));
  await demandOn(store, act, { type: 'vm', vm, service: null });
  const isSo = ((vm.resched ?? null) !== null) === wish;
  const marked = isSo ? vm : await store.resched.mark(id, wish ? caller.id : null, also);
  if (!marked) throw await whyLost(store, act, { type: 'vm', id });
  return vmResource(marked, await namesFor(directory, caller, [marked]));
}

/** A marked VM whose turn has come, and who has marked it. `key`: the same try. */
export type Rescheduled = { vm: number; by: number; key: string };

/** Has it migrated as whoever has marked it would, once a try. Returns the operation; throws what he would be told. */
export async function migrateMarked(context: OperationsContext, { vm, by, key }: Rescheduled): Promise<string> {
  const caller = await asUser(context, by, `who has asked for another host for VM ${vm}`);
  return (await migrateVm(context, caller, vm, { live: false }, { idempotencyKey: key, requestId: key })).id;
}
