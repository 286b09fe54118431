import type { Connection } from 'mongoose';
import type { ScheduledRole } from '../../domain/scaling/due-policies.js';
import type { LogEntry, Schedule, Service } from '../../schemas/services/service.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { pushLog } from '../services/service-log.js';
import { changePolicies, type PolicyEdit } from './policy-change.js';

/** A service with scheduled policies, as it is looked at when one is due. */
export type ScheduledService = Pick<Service, '_id' | 'state'> & { schedule: Schedule; roles: ScheduledRole[] };

const fields = {
  ...{ state: 1, schedule: 1, 'roles.name': 1, 'roles.state': 1, 'roles.operation': 1, 'roles.cardinality': 1 },
  ...{ 'roles.min_vms': 1, 'roles.max_vms': 1, 'roles.cooldown_until': 1, 'roles.scheduled_policies': 1 },
};

/**
 * When scheduled policies are due: it stands in their services, so that it comes and goes with them, and what a policy does is
 * written in one transaction with that it has done it.
 */
export function createSchedules(connection: Connection) {
  const services = () => connection.collection<Service>('services');

  /** Guarded by the version that was read: false, somebody else has looked. */
  async function write(
    service: number,
    schedule: Schedule,
    log: readonly LogEntry[] = [],
    transaction: Transaction | null = null,
  ): Promise<boolean> {
    const { matchedCount } = await services().updateOne(
      { _id: service, 'schedule.version': schedule.version - 1 },
      { $set: { schedule }, ...(log.length > 0 && { $push: pushLog(log) }) },
      within(transaction),
    );
    return matchedCount > 0;
  }

  return {
    /** Some of the services of which a policy is due, those that are so for longest first; `but`: none of these. */
    due: (now: Date, most: number, but: readonly number[] = []): Promise<ScheduledService[]> =>
      services()
        .find<ScheduledService>(
          { 'schedule.due_at': { $gt: new Date(0), $lte: now }, _id: { $nin: [...but] } },
          { projection: fields, hint: 'due' },
        )
        .sort({ 'schedule.due_at': 1 })
        .limit(most)
        .toArray(),

    write,

    /** Gives a role other scheduled policies, with what is kept of them from then on. */
    change: (edit: PolicyEdit & { schedule: Schedule }, transaction: Transaction): Promise<void> =>
      changePolicies(connection, edit, transaction),
  };
}
export type Schedules = ReturnType<typeof createSchedules>;
