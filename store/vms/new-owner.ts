import type { Connection } from 'mongoose';
import type { Ownership } from '../../schemas/common/common.js';
import { type Index, ownershipFields } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';

/** Services of which not all VMs have their owner yet. */
export const givingIndex: Index = {
  fields: { 'giving.since': 1 },
  options: { name: 'giving', partialFilterExpression: { 'giving.since': { $exists: true } } },
};

/** Whose the VMs of a service are about to be, where it is being given away; null: it is not. */
export async function newOwnerOf(
  connection: Connection,
  service: number,
  transaction?: Transaction,
): Promise<Ownership | null> {
  const found = await connection
    .collection<{ _id: number }>('services')
    .findOne<Ownership & { _id: number }>(
      { _id: service, 'giving.since': { $exists: true } },
      { projection: ownershipFields, ...within(transaction) },
    );
  if (!found) return null;
  const { uid, gid, permissions } = found;
  return { uid, gid, permissions };
}
