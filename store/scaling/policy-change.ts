import type { Connection } from 'mongoose';
import type { LogEntry, Role, Schedule, Service } from '../../schemas/services/service.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { pushLog } from '../services/service-log.js';

/** What of a role is its policies, of either kind; and of a service, what is kept of those that are scheduled. */
export type PolicyEdit = {
  service: number;
  role: string;
  change: Pick<Role, 'elasticity_policies' | 'scheduled_policies' | 'min_vms' | 'max_vms'>;
  schedule?: Schedule;
  log: LogEntry;
};

/**
 * Gives a role other policies, with a line in the log of the service, in a transaction that has read it. Whoever has judged
 * the service by what it was writes nothing.
 */
export async function changePolicies(
  connection: Connection,
  { service, role, change, schedule, log }: PolicyEdit,
  transaction: Transaction,
): Promise<void> {
  const set = Object.fromEntries(Object.entries(change).map(([name, value]) => [`roles.$[role].${name}`, value]));
  await connection
    .collection<Service>('services')
    .updateOne(
      { _id: service },
      { $set: { ...set, ...(schedule && { schedule }) }, $inc: { health: 1 }, $push: pushLog([log]) },
      { ...within(transaction), arrayFilters: [{ 'role.name': role }], ignoreUndefined: true },
    );
}
