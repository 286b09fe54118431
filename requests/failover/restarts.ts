import type { OperationsContext } from '../context.js';
import { asUser } from '../identity/as-user.js';
import { resumeVm } from '../vms/vm-recovery.js';

/** A VM whose guest has crashed under this epoch. */
export type CrashedVm = { vm: number; epoch: number };

/** Asks for its start as its owner would, once for each crash. Returns the operation; null: something was done with it since. */
export async function restartCrashed(context: OperationsContext, { vm: id, epoch }: CrashedVm): Promise<string | null> {
  const { store } = context;
  const vm = await store.vms.find(id);
  if (vm?.epoch !== epoch) return null;
  const caller = await asUser(context, vm.uid, `the owner of VM ${id}`);
  const key = `restart ${id} ${epoch}`;
  const { id: op } = await resumeVm(context, caller, id, {
    ...{ idempotencyKey: key, requestId: key },
    also: (_, transaction) => store.restarts.note(vm, new Date(), transaction),
  });
  return op;
}
