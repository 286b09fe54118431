import type { Model } from 'mongoose';
import type { Vm } from '../../schemas/vms/vm.js';
import { sessionOf, type Transaction } from '../mongo/transaction.js';
import type { Leases } from '../networks/leases.js';
import { nicsWithLeases } from './vm-leases.js';

/** After a VM was written, in the same transaction: what NICs had of networks goes back that are neither there nor may be. */
export async function releaseOthers(
  { vms, leases }: { vms: Model<Vm>; leases: Pick<Leases, 'releaseOthers'> },
  id: number,
  transaction: Transaction,
): Promise<void> {
  const vm = await vms
    .findById(id, { nics: 1, device_change: 1 })
    .session(sessionOf(transaction))
    .lean<Pick<Vm, 'nics' | 'device_change'>>()
    .exec();
  if (vm) await leases.releaseOthers(id, nicsWithLeases(vm), transaction);
}
