import type { Connection, Model } from 'mongoose';
import type { Vm } from '../../schemas/vms/vm.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { VmHoldings } from './vm-holdings.js';
import { inParts } from './vm-parts.js';

/** How VMs come about. */
export interface VmMaking {
  /** Writes new VMs; those whose unique key exists already are left as they are. Returns whether all were new. */
  insertMissing(documents: readonly Vm[]): Promise<boolean>;
  /** One of its own, in the transaction that admits the operation which deploys it. */
  insert(vm: Vm, transaction: Transaction): Promise<void>;
}

export const vmMaking = (connection: Connection, vms: Model<Vm>, holdings: VmHoldings): VmMaking => ({
  async insertMissing(documents) {
    if (documents.length === 0) return true;
    try {
      // Past Mongoose, which would cast every value of every document.
      for (const some of inParts(documents)) await insertPart(connection, holdings, some);
      return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return false;
    }
  },
  async insert(vm, transaction) {
    await holdings.take([vm], transaction);
    await vms.create([vm], within(transaction));
  },
});

/** Each by itself; those that have addresses or images together with these, all or none. */
async function insertPart(connection: Connection, holdings: VmHoldings, part: Vm[]): Promise<void> {
  const written = connection.collection<Vm>('vms');
  if (!holdings.isAnyOf(part)) await written.insertMany(part, { ordered: false });
  else
    await withTransaction(connection, async (transaction) => {
      await written.insertMany(part, within(transaction));
      await holdings.takeNew(part, transaction);
    });
}
