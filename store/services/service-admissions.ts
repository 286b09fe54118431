import type { Model } from 'mongoose';
import type { Ownership } from '../../schemas/common/common.js';
import type { Service, ServiceState } from '../../schemas/services/service.js';
import { ownershipFields } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { nobodyHasAll, nobodyHasRoles, noRoleAtWork } from './hands.js';
import { pushLog } from './service-log.js';

/** How operations on services, and on roles of them, are admitted: each by one guarded update in the transaction of its admission. */
export function createServiceAdmissions(services: Model<Service>) {
  return {
    /** Admission of an operation that needs the service for itself, all roles of it. Returns whose the service is. */
    admitExclusive(
      id: number,
      op: string,
      states: readonly ServiceState[],
      transaction: Transaction,
    ): Promise<Ownership | null> {
      return services
        .findOneAndUpdate(
          { _id: id, ...nobodyHasAll, state: { $in: [...states] }, ...noRoleAtWork },
          { $set: { operation: op } },
          { ...within(transaction), projection: ownershipFields },
        )
        .lean<Ownership>()
        .exec();
    },

    /**
     * Admission of an operation that needs these roles, all of them or none: nobody has one of them, whatever is done to others.
     * Returns whose the service is.
     */
    admitRoles(
      id: number,
      op: string,
      names: readonly string[],
      states: readonly ServiceState[],
      transaction: Transaction,
    ): Promise<Ownership | null> {
      return services
        .findOneAndUpdate(
          { _id: id, state: { $in: [...states] }, ...nobodyHasRoles(names) },
          // Whoever has judged its health by what was before writes nothing.
          { $set: { 'roles.$[its].operation': op }, $inc: { health: 1 } },
          {
            ...within(transaction),
            arrayFilters: [{ 'its.name': { $in: [...names] } }],
            projection: ownershipFields,
          },
        )
        .lean<Ownership>()
        .exec();
    },

    /**
     * Admission of a deployment of what is on hold, which needs all of the service: of all such roles, or of the one that is named. From then on they are
     * PENDING, as what was never on hold.
     */
    admitRelease(id: number, op: string, role: string | null, transaction: Transaction): Promise<Ownership | null> {
      const which = { state: 'HOLD' as const, ...(role !== null && { name: role }) };
      const filter = Object.fromEntries(Object.entries(which).map(([name, value]) => [`held.${name}`, value]));
      const message = role === null ? 'Released from hold' : `Role ${role} : released from hold`;
      return services
        .findOneAndUpdate(
          {
            ...{ _id: id, ...nobodyHasAll, state: 'HOLD', ...noRoleAtWork },
            roles: { $elemMatch: which },
          },
          {
            $set: { operation: op, 'roles.$[held].state': 'PENDING' },
            $inc: { health: 1 },
            $push: pushLog([{ timestamp: new Date(), severity: 'I', message }]),
          },
          { ...within(transaction), arrayFilters: [filter], projection: ownershipFields },
        )
        .lean<Ownership>()
        .exec();
    },

    /** Admission of an operation that pre-empts: from now on no work on a role may start. `over`: intents that it outbids. */
    admitPreempting(
      id: number,
      op: string,
      over: readonly string[],
      transaction: Transaction,
    ): Promise<Ownership | null> {
      return services
        .findOneAndUpdate(
          { _id: id, $or: [{ wanted: null }, { wanted: { $in: [...over] } }] },
          { $set: { wanted: op } },
          { ...within(transaction), projection: ownershipFields },
        )
        .lean<Ownership>()
        .exec();
    },
  };
}
