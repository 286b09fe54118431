import type { ClientSession, Model } from 'mongoose';
import { brief, longest } from '../domain/brief.js';
import { nextRoleState, type ServiceEvent } from '../domain/service-states.js';
import type { LogEntry, Role, Service } from '../schemas/service.js';
import { accepting, target } from './service-events.js';
import { pushLog } from './service-log.js';

/** A step on one role: `step` numbers rise within an operation; a step at or below the recorded one changes nothing. */
export type RoleStep = { service: number; role: string; op: string; step: number; event: ServiceEvent };

/** How operations work on the roles of a service that is theirs. */
export function createServiceRoles(services: Model<Service>) {
  return {
    /**
     * Takes a role for an operation: one update with one guard, which raises the epoch. A deployment must find
     * `wanted: null`: that, written in the same document, is what excludes it from an undeployment.
     * Returns the service as it is then, or null when the guard did not match.
     */
    takeRole({ service, role, op, step, event }: RoleStep): Promise<Service | null> {
      const epoch = { $add: ['$epoch', 1] };
      const taken = { state: target(event), reason: null, mark: { op, step } };
      return services
        .findOneAndUpdate(
          {
            _id: service,
            operation: op,
            ...(event === 'deploy' && { wanted: null }),
            roles: { $elemMatch: roleGuard({ role, op, step, event }) },
          },
          [
            {
              $set: {
                epoch,
                roles: {
                  $map: {
                    input: '$roles',
                    in: { $cond: [{ $eq: ['$$this.name', role] }, { $mergeObjects: ['$$this', taken] }, '$$this'] },
                  },
                },
                [`holds.${role}`]: { op, epoch },
              },
            },
          ],
          { returnDocument: 'after', updatePipeline: true },
        )
        .lean<Service>()
        .exec();
    },

    /**
     * Ends the work of an operation on a role and lets go of it. `cardinality`: what it is from then on; `last_vmname`:
     * numbers below it are given, the next VM of the role gets none of them. Returns false when the guard did not match.
     */
    async leaveRole(
      { service, role, op, step, event }: RoleStep,
      reason: string | null,
      log: readonly LogEntry[] = [],
      { cardinality, last_vmname = 0 }: { cardinality?: number; last_vmname?: number } = {},
    ): Promise<boolean> {
      const { modifiedCount } = await services.updateOne(
        {
          _id: service,
          operation: op,
          [`holds.${role}.op`]: op,
          roles: { $elemMatch: roleGuard({ role, op, step, event }) },
        },
        {
          $set: {
            'roles.$.state': target(event),
            'roles.$.reason': reason === null ? null : brief(reason, longest.role),
            'roles.$.mark': { op, step },
            ...(cardinality !== undefined && { 'roles.$.cardinality': cardinality }),
          },
          $max: { 'roles.$.last_vmname': last_vmname },
          $unset: { [`holds.${role}`]: '' },
          ...(log.length > 0 && { $push: pushLog(log) }),
        },
      );
      return modifiedCount > 0;
    },

    /** An operation that is about to wait lets go of every role. Returns the service, or null when others want it. */
    letGo: (id: number, op: string, session: ClientSession) =>
      services
        .findOneAndUpdate(
          { _id: id, operation: op, wanted: null },
          { $set: { holds: {} } },
          { session, returnDocument: 'after' },
        )
        .lean<Service>()
        .exec(),

    /** What the roles become while their operation waits. False when it does not have the service to itself any more. */
    async reviseRoles(
      id: number,
      op: string,
      revise: (role: Role) => Role,
      log: LogEntry,
      session: ClientSession,
    ): Promise<boolean> {
      const service = await services
        .findOne({ _id: id, operation: op, wanted: null })
        .session(session)
        .lean<Service>()
        .exec();
      if (!service) return false;
      await services.updateOne(
        { _id: id },
        { $set: { roles: service.roles.map(revise) }, $push: pushLog([log]) },
        { session },
      );
      return true;
    },
  };
}

const roleGuard = ({ role, op, step, event }: Pick<RoleStep, 'role' | 'op' | 'step' | 'event'>) => ({
  name: role,
  state: { $in: accepting(event, nextRoleState) },
  $or: [{ 'mark.op': { $ne: op } }, { 'mark.step': { $lt: step } }],
});
