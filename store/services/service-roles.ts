import type { Connection, Model } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import { nextRoleState, type ServiceEvent } from '../../domain/services/service-states.js';
import type { Amounts } from '../../schemas/identity/amounts.js';
import type { LogEntry, Role, Service } from '../../schemas/services/service.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { hasAny, hasRole, hasRoleThat, hasThis } from './hands.js';
import { accepting, target } from './service-events.js';
import { entriesToPush, logLines, pushLog } from './service-log.js';

/** A step on one role: `step` numbers rise within an operation; a step at or below the recorded one changes nothing. */
export type RoleStep = { service: number; role: string; op: string; step: number; event: ServiceEvent };

/** The same on several roles of one service at once. */
export type RoleSteps = Pick<RoleStep, 'service' | 'op' | 'event'> & {
  roles: readonly Pick<RoleStep, 'role' | 'step'>[];
};

/** What becomes of a role when the work on it ends. `last_vmname`: numbers below it are given. */
export type RoleEnd = Pick<RoleStep, 'role' | 'step' | 'event'> & {
  reason: string | null;
  log?: LogEntry;
  last_vmname?: number;
};

/**
 * A service as steps on some of its roles read it: with those alone, and of the others what they say of placement. All of it
 * would be read again at every step, and names of parents alone may be a megabyte.
 */
export type ServicePart = Pick<
  Service,
  '_id' | 'name' | 'uid' | 'gid' | 'permissions' | 'operation' | 'wanted' | 'capacities'
> & { roles: Role[]; tied: Pick<Role, 'name' | 'placement'>[] };

/** How operations work on the roles that are theirs: all of a service's, or some of them. */
export function createServiceRoles(connection: Connection, services: Model<Service>) {
  const parts = () => connection.collection<ServicePart>('services');

  return {
    /** A service with these of its roles. */
    part: (id: number, roles: readonly string[]): Promise<ServicePart | null> =>
      parts().findOne({ _id: id }, { projection: partFields(roles) }),

    /**
     * Takes roles for an operation: one update, in which each role has its own guard, and which raises the epoch. A
     * deployment must find `wanted: null`: that, written in the same document, is what excludes it from an undeployment.
     * Returns the service as it is then, with these roles: those taken, now or before, bear the mark of the step. null: the
     * operation may not work on the service.
     */
    takeRoles({ service, op, event, roles }: RoleSteps): Promise<ServicePart | null> {
      const names = roles.map(({ role }) => role);
      const at = placeIn(names);
      const isFree = [{ $in: ['$$this.state', accepting(event, nextRoleState)] }];
      const taken = {
        state: target(event),
        reason: null,
        mark: {
          op,
          step: eachOf(
            roles.map(({ step }) => step),
            at,
          ),
        },
      };
      const hold = { k: '$$this', v: { op, epoch: '$epoch' } };
      return parts().findOneAndUpdate(
        { _id: service, ...hasAny(op), ...(event === 'deploy' && { wanted: null }) },
        [
          { $set: { [turn]: whose(roles, op, isFree) } },
          { $set: { epoch: { $cond: [{ $eq: [`$${turn}`, []] }, '$epoch', { $add: ['$epoch', 1] }] } } },
          {
            $set: {
              roles: changed(taken),
              holds: { $mergeObjects: ['$holds', { $arrayToObject: { $map: { input: `$${turn}`, in: hold } } }] },
            },
          },
          { $unset: turn },
        ],
        { returnDocument: 'after', projection: partFields(names) },
      );
    },

    /**
     * Ends the work of an operation on roles and lets go of them, each if its own guard matches. Returns the service as it is
     * then, with these roles; null: it is not the operation's any more.
     */
    leaveRoles(service: number, op: string, ends: readonly RoleEnd[]): Promise<ServicePart | null> {
      const names = ends.map(({ role }) => role);
      const at = placeIn(names);
      const events = [...new Set(ends.map(({ event }) => event))];
      const held = { $filter: { input: { $objectToArray: '$holds' }, cond: { $eq: ['$$this.v.op', op] } } };
      const mayLeave = [
        {
          $or: events.map((event) => ({
            $and: [
              { $in: ['$$this.name', literal(ends.flatMap((end) => (end.event === event ? [end.role] : [])))] },
              { $in: ['$$this.state', accepting(event, nextRoleState)] },
            ],
          })),
        },
        { $in: ['$$this.name', `$${turn}`] },
      ];
      const left = {
        state: eachOf(
          ends.map(({ event }) => target(event)),
          at,
        ),
        reason: eachOf(
          ends.map(({ reason }) => (reason === null ? null : brief(reason, longest.role))),
          at,
        ),
        mark: {
          op,
          step: eachOf(
            ends.map(({ step }) => step),
            at,
          ),
        },
        last_vmname: {
          $max: [
            '$$this.last_vmname',
            eachOf(
              ends.map(({ last_vmname = 0 }) => last_vmname),
              at,
            ),
          ],
        },
      };
      const lines = ends.flatMap(({ role, log }) =>
        log ? entriesToPush([log]).map((entry) => ({ role, entry })) : [],
      );
      const itsLines = { $filter: { input: literal(lines), cond: { $in: ['$$this.role', `$${turn}`] } } };
      return parts().findOneAndUpdate(
        { _id: service, ...hasAny(op) },
        [
          { $set: { [turn]: { $map: { input: held, in: '$$this.k' } } } },
          { $set: { [turn]: whose(ends, op, mayLeave) } },
          {
            $set: {
              roles: changed(left),
              // Whoever has judged its health by what was before writes nothing.
              health: { $add: [{ $ifNull: ['$health', 0] }, 1] },
              holds: holdsBut({ $in: ['$$this.k', `$${turn}`] }),
              ...(lines.length > 0 && {
                log: {
                  $slice: [{ $concatArrays: ['$log', { $map: { input: itsLines, in: '$$this.entry' } }] }, -logLines],
                },
              }),
            },
          },
          { $unset: turn },
        ],
        { returnDocument: 'after', projection: partFields(names) },
      );
    },

    /**
     * Ends the work on a role that goes on with fewer VMs, and lets go of it. `cardinality`: what it is from then on, and
     * `charge` what the service is. Returns false when the guard did not match.
     */
    async leaveSmaller(
      { service, role, op, step, event }: RoleStep,
      log: readonly LogEntry[],
      { cardinality, charge, transaction }: { cardinality: number; charge?: Amounts; transaction: Transaction },
    ): Promise<boolean> {
      const { modifiedCount } = await services.updateOne(
        {
          ...{ _id: service, [`holds.${role}.op`]: op },
          ...hasRoleThat(op, {
            name: role,
            state: { $in: accepting(event, nextRoleState) },
            $or: [{ 'mark.op': { $ne: op } }, { 'mark.step': { $lt: step } }],
          }),
        },
        {
          $set: {
            'roles.$[its].state': target(event),
            'roles.$[its].reason': null,
            'roles.$[its].mark': { op, step },
            'roles.$[its].cardinality': cardinality,
            ...(charge && { charge }),
          },
          $inc: { health: 1 },
          $unset: { [`holds.${role}`]: '', 'roles.$[its].lowered': '' },
          $push: pushLog(log),
        },
        { ...within(transaction), arrayFilters: [{ 'its.name': role }] },
      );
      return modifiedCount > 0;
    },

    /** An operation that is about to wait lets go of its roles. Returns the service, or null when others want it. */
    letGo: (id: number, op: string, transaction: Transaction) =>
      // Past Mongoose, which takes no expressions.
      connection
        .collection<Service>('services')
        .findOneAndUpdate(
          { _id: id, ...hasAny(op), wanted: null },
          [{ $set: { holds: holdsBut({ $eq: ['$$this.v.op', literal(op)] }) } }],
          { ...within(transaction), returnDocument: 'after' },
        ),

    /** What the roles become while their operation waits. False when it does not have them any more. */
    async reviseRoles(
      id: number,
      op: string,
      revise: (role: Role) => Role,
      log: LogEntry,
      transaction: Transaction,
    ): Promise<boolean> {
      const service = await services
        .findOne({ _id: id, ...hasAny(op), wanted: null })
        .session(sessionOf(transaction))
        .lean<Service>()
        .exec();
      if (!service) return false;
      await services.updateOne(
        { _id: id },
        {
          $set: { roles: service.roles.map((role) => (hasRole(service, role, op) ? revise(role) : role)) },
          $inc: { health: 1 },
          $push: pushLog([log]),
        },
        within(transaction),
      );
      return true;
    },
  };
}

// Expressions over `$roles`, in which `$$this` is a role. What comes from outside is a literal: it is no expression.
const literal = (value: unknown) => ({ $literal: value });
/** Where the roles stand, within one update, whose guards have matched. */
const turn = 'roles_in_turn';

const placeIn = (names: readonly string[]) => ({ $indexOfArray: [literal(names), '$$this.name'] });
/** The value of each of the roles that a step is about, in their order. */
const eachOf = (values: readonly unknown[], at: object) => ({ $arrayElemAt: [literal(values), at] });

/** The holds but for those of which this is so. */
const holdsBut = (these: object) => ({
  $arrayToObject: { $filter: { input: { $objectToArray: '$holds' }, cond: { $not: these } } },
});

/** The names of the roles that a step may change: its operation's that it has not been done on yet, for which this holds, too. */
function whose(roles: readonly Pick<RoleStep, 'role' | 'step'>[], op: string, conditions: readonly object[]) {
  const names = roles.map(({ role }) => role);
  const step = eachOf(
    roles.map(({ step }) => step),
    placeIn(names),
  );
  const isNew = { $or: [{ $ne: ['$$this.mark.op', op] }, { $lt: ['$$this.mark.step', step] }] };
  const cond = { $and: [{ $in: ['$$this.name', literal(names)] }, hasThis(op), ...conditions, isNew] };
  return { $map: { input: { $filter: { input: '$roles', cond } }, in: '$$this.name' } };
}

const changed = (to: object) => ({
  $map: {
    input: '$roles',
    in: { $cond: [{ $in: ['$$this.name', `$${turn}`] }, { $mergeObjects: ['$$this', to] }, '$$this'] },
  },
});

/** The projection that gives a ServicePart. */
export const partFields = (names: readonly string[]) => ({
  ...{ name: 1, uid: 1, gid: 1, permissions: 1, operation: 1, wanted: 1 },
  roles: { $filter: { input: '$roles', cond: { $in: ['$$this.name', literal(names)] } } },
  tied: {
    $map: {
      input: { $filter: { input: '$roles', cond: { $ne: [{ $type: '$$this.placement' }, 'missing'] } } },
      in: { name: '$$this.name', placement: '$$this.placement' },
    },
  },
  capacities: {
    $arrayToObject: {
      $filter: {
        input: { $objectToArray: { $ifNull: ['$capacities', {}] } },
        cond: { $in: ['$$this.k', literal(names)] },
      },
    },
  },
});
