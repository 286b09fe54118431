import type { Model } from 'mongoose';
import type { Ownership } from '../../schemas/common/common.js';
import type { Role, Service, ServiceState } from '../../schemas/services/service.js';
import { ownershipFields } from '../mongo/model.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { nobodyHasRoles } from './hands.js';
import { pushLog, stateEntry } from './service-log.js';

/**
 * What goes on with a deployment. `takes`: the roles that it was found to need, and `of`: those that it needs of the service as it is
 * then. `states`: those of the service in which it may begin. `message`: the line in its log.
 */
type Deployment = {
  takes: readonly string[];
  of: (service: Service) => readonly string[];
  states: readonly ServiceState[];
  message: string;
};

/** How operations on services, and on roles of them, are admitted: each in the transaction of its admission, of which another write of the service makes one go again. */
export function createServiceAdmissions(services: Model<Service>) {
  return {
    /**
     * Admission of an operation that needs these roles, all of them or none: nobody has one of them, whatever is done to others.
     * Returns whose the service is.
     */
    admitRoles(
      id: number,
      op: string,
      { names, states, message }: { names: readonly string[]; states: readonly ServiceState[]; message: string },
      transaction: Transaction,
    ): Promise<Ownership | null> {
      return services
        .findOneAndUpdate(
          { _id: id, state: { $in: [...states] }, ...nobodyHasRoles(names) },
          {
            $set: { 'roles.$[its].operation': op },
            // Whoever has judged its health by what was before writes nothing.
            $inc: { health: 1 },
            $push: pushLog([{ timestamp: new Date(), severity: 'I', message }]),
          },
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
     * Admission of an operation that goes on with a deployment, or begins with what was on hold: with these roles, all or none, if they
     * are what the service as it is now says. The service is DEPLOYING from then on, and roles that were on hold are PENDING, as
     * what never was. Returns whose the service is.
     */
    async admitDeployment(
      id: number,
      op: string,
      { takes, of, states, message }: Deployment,
      transaction: Transaction,
    ): Promise<Ownership | null> {
      const service = await services.findById(id).session(sessionOf(transaction)).lean<Service>().exec();
      if (service?.operation !== null || service.wanted !== null || !states.includes(service.state)) return null;
      const its = new Set(takes);
      const now = of(service);
      if (now.length !== its.size || !now.every((name) => its.has(name))) return null;
      if (service.roles.some(({ name, operation }) => its.has(name) && operation)) return null;
      const timestamp = new Date();
      await services.updateOne(
        { _id: id },
        {
          $set: {
            state: 'DEPLOYING',
            roles: service.roles.map((role): Role => {
              if (!its.has(role.name)) return role;
              return { ...role, operation: op, ...(role.state === 'HOLD' && { state: 'PENDING' }) };
            }),
          },
          // Whoever has judged its health by what was before writes nothing.
          $inc: { health: 1 },
          $push: pushLog([
            { timestamp, severity: 'I', message },
            ...(service.state === 'DEPLOYING' ? [] : [stateEntry('DEPLOYING', timestamp)]),
          ]),
        },
        within(transaction),
      );
      const { uid, gid, permissions } = service;
      return { uid, gid, permissions };
    },

    /** Admission of an operation that pre-empts: from now on no work on a role may start. `over`: intents that it outbids. */
    admitPreempting(
      id: number,
      op: string,
      { over, message }: { over: readonly string[]; message: string },
      transaction: Transaction,
    ): Promise<Ownership | null> {
      return services
        .findOneAndUpdate(
          { _id: id, $or: [{ wanted: null }, { wanted: { $in: [...over] } }] },
          { $set: { wanted: op }, $push: pushLog([{ timestamp: new Date(), severity: 'I', message }]) },
          { ...within(transaction), projection: ownershipFields },
        )
        .lean<Ownership>()
        .exec();
    },
  };
}
