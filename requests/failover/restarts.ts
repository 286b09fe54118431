import type { OperationsContext } from '../context.js';
import { asUser } from '../identity/as-user.js';
import { resumeVm } from '../vms/vm-recovery.js';

/** A VM that went down under this epoch; `crashed`: its guest has, which counts, and not its host with it. */
export type DownVm = { vm: number; epoch: number; crashed: boolean };

/** Asks for its start as its owner would, once for each time. Returns the operation; null: something was done with it since. */
export async function restartDown(
  context: OperationsContext,
  { vm: id, epoch, crashed }: DownVm,
): Promise<string | null> {
  const { store } = context;
  const vm = await store.vms.find(id);
  if (vm?.epoch !== epoch) return null;
  const caller = await asUser(context, vm.uid, `the owner of VM ${id}`);
  const key = `restart ${id} ${epoch}`;
  const { id: op } = await resumeVm(context, caller, id, {
    ...{ idempotencyKey: key, requestId: key },
    also: (_, transaction) => store.restarts.note(vm, crashed ? new Date() : null, transaction),
  });
  return op;
}
