import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { movesWithout } from '../../domain/vms/vm-snapshots.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { demandOn } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { wishOnHost } from '../hosts/wish-on-host.js';
import { asUser } from '../identity/as-user.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { migrateVm } from './vm-migration.js';

const act: Act = { do: 'flush' };

/** Disables a host, and has its VMs moved to others of its cluster: each as whoever asks for this would migrate it. */
export async function flushHost(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  authorised(caller, 'host', await context.store.hosts.find(id), 'admin', id);
  const request = { deed: 'flush', id };
  const repeated = await repeatedRequest(context, caller, admission, request);
  return repeated ?? flushHostAgain(context, caller, id, { request, admission });
}

export async function flushHostAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const host = authorised(caller, 'host', await store.hosts.find(id), 'admin', id);
  await demandOn(store, act, { type: 'host', host });
  return admit(context, caller, asked.admission, {
    kind: 'flushHost',
    ...wishOnHost(store, host, act, asked),
    input: {},
    warnings: movesWithout(await store.flushes.withSnapshots(id)),
    claim: (op, transaction) => store.flushes.admit(id, op, transaction),
  });
}

/** The migration of one of its VMs. */
export type FlushDeed = { op: string; requester: number; vm: number; live: boolean };

/**
 * Asks for it as whoever has asked for the flush would: with the rights that he has now, and once for each way, however often this is
 * called. Returns the operation; throws what he would be told.
 */
export async function migrateForFlush(
  context: OperationsContext,
  { op, requester, vm, live }: FlushDeed,
): Promise<string> {
  const caller = await asUser(context, requester, 'who asked for the flush');
  const key = `flush ${op} ${vm} ${live ? 'live' : 'cold'}`;
  const also = async (_operation: string, transaction: Transaction): Promise<boolean> => {
    const why = await context.store.flushes.whyUnserved(vm, transaction);
    if (why !== null) throw new Problem('operation_in_progress', `VM ${vm} has to run on for now: ${why}.`);
    return true;
  };
  const admission = { idempotencyKey: key, requestId: key, ...(!live && { also }) };
  return (await migrateVm(context, caller, vm, { live }, admission)).id;
}
