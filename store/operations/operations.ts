import type { Connection } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { Caller } from '../../domain/identity/caller.js';
import { openStates } from '../../domain/operation-states.js';
import { takingAway } from '../../domain/operations/lanes.js';
import type { ProblemCode } from '../../domain/problems.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import {
  isUndeployment,
  type Moved,
  type Operation,
  type OperationError,
  type OperationState,
  type Person,
  type Releasing,
  type ResourceRef,
} from '../../schemas/operations/operation.js';
import { operationFields } from '../../schemas/operations/operation-resource.js';
import { modelOf } from '../mongo/model.js';
import { operationsVisibleTo, pageIndexes, pageOf, sortIndexes } from '../mongo/paging.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { createAdmissions } from './admissions.js';
import { createOperationRuns } from './operation-runs.js';

export type Outcome =
  | { state: 'succeeded' }
  | { state: 'failed' | 'cancelled'; error: OperationError & { code: ProblemCode } };

/** Without what only its first step goes by, and what only one that is looked at by itself shows. */
const shownFields = { begun: 0, performed: 0, flushed: 0, moved: 0 } as const;

/** What an operation is, and who has asked for it. */
type Deed = Pick<Operation, '_id' | 'kind' | 'input' | 'requester'>;

/** `done_to_none`: of an action on VMs, whether none of them was asked: those that were there have refused it. */
export type Ending = Pick<Operation, '_id' | 'state' | 'error'> & { done_to_none: boolean };

const saidByVms = { $objectToArray: { $ifNull: ['$performed', {}] } };
const doneToNone = {
  $and: [
    { $ne: [saidByVms, []] },
    { $allElementsTrue: [{ $map: { input: saidByVms, in: { $ne: ['$$this.v.outcome', 'asked'] } } }] },
  ],
};

export function createOperationStore(connection: Connection) {
  const operations = modelOf<Operation>(connection, 'operations', String, [
    { fields: { state: 1, _id: 1 } },
    ...pageIndexes(),
    ...sortIndexes(operationFields),
    { fields: { 'resource.type': 1, 'resource.id': 1, _id: -1 } },
    {
      fields: { 'requester.id': 1, state: 1 },
      options: {
        name: 'open_of_requester',
        partialFilterExpression: { state: { $in: openStates } },
      },
    },
    {
      fields: { kind: 1, template_id: 1, _id: -1 },
      options: { name: 'by_template', partialFilterExpression: { state: 'succeeded' } },
    },
    {
      fields: { aged_from: 1 },
      options: { name: 'aged', partialFilterExpression: { aged_from: { $exists: true } } },
    },
    {
      fields: { 'releasing.since': 1 },
      options: { name: 'releasing', partialFilterExpression: { 'releasing.since': { $exists: true } } },
    },
    {
      fields: { 'requester.id': 1, idempotency_key: 1 },
      options: { name: 'by_idempotency_key', unique: true, partialFilterExpression: { idempotency_key: { $gt: '' } } },
    },
  ]);

  return {
    model: operations,
    find: (id: string) => operations.findById(id).lean<Operation>().exec(),
    list(
      caller: Caller,
      query: ListQuery & { state?: OperationState; resource_type?: string; resource_id?: number; id_prefix?: string },
    ) {
      const filter: Record<string, unknown> = operationsVisibleTo(caller);
      if (query.state !== undefined) filter.state = query.state;
      if (query.resource_type !== undefined) filter['resource.type'] = query.resource_type;
      if (query.resource_id !== undefined) filter['resource.id'] = query.resource_id;
      // After every character of a ULID comes ~.
      if (query.id_prefix !== undefined) filter._id = { $gte: query.id_prefix, $lt: `${query.id_prefix}~` };
      return pageOf(operations, filter, query, {
        ids: 'string',
        newestFirst: true,
        list: operationFields,
        fields: shownFields,
      });
    },

    /** What has become of some; of those that are forgotten nothing is known. */
    endings: (ids: readonly string[]): Promise<Ending[]> =>
      ids.length === 0
        ? Promise.resolve([])
        : connection
            .collection<Operation>('operations')
            .find<Ending>({ _id: { $in: [...ids] } }, { projection: { state: 1, error: 1, done_to_none: doneToNone } })
            .toArray(),
    /** What each of these is and who has asked for it; those that are forgotten are left out. */
    deeds: (ids: readonly string[]): Promise<Deed[]> =>
      ids.length === 0
        ? Promise.resolve([])
        : operations
            .find({ _id: { $in: [...ids] } }, { kind: 1, input: 1, requester: 1 })
            .lean<Deed[]>()
            .exec(),
    /** How long the last operations of a kind took that succeeded at once on resources of a template, in milliseconds. */
    async durations({ kind, template_id }: Pick<Operation, 'kind' | 'template_id'>, limit: number): Promise<number[]> {
      if (template_id === null) return [];
      const earlier = await operations
        .find({ kind, template_id, state: 'succeeded', retry_of: null }, { started_at: 1, ended_at: 1 })
        .sort({ _id: -1 })
        .limit(limit)
        .lean<Pick<Operation, 'started_at' | 'ended_at'>[]>()
        .exec();
      return earlier.flatMap(({ started_at, ended_at }) =>
        started_at && ended_at ? [ended_at.getTime() - started_at.getTime()] : [],
      );
    },

    /**
     * Operations not made in this span of time that should have a run, or are to be cancelled; oldest first, after an id: what
     * reconciliation looks at.
     */
    openOutside: ({ from, to }: { from: Date; to: Date }, after: string, limit: number) =>
      operations
        .find(
          {
            _id: { $gt: after },
            created_at: { $not: { $gte: from, $lte: to } },
            $or: [
              { state: { $in: ['accepted', 'running'] } },
              { state: { $in: ['waiting', 'waiting_for_you'] }, cancel_requested: { $ne: null } },
            ],
          },
          shownFields,
        )
        .sort({ _id: 1 })
        .limit(limit)
        .lean<Operation[]>()
        .exec(),

    /** Who has asked for an operation, and what for. */
    asker: (id: string) =>
      operations.findById(id, { requester: 1, kind: 1 }).lean<Pick<Operation, 'requester' | 'kind'>>().exec(),

    /** How many operations that take away, or of the others, somebody has asked for that have not ended; `most`, when more. */
    openOf: (requester: number, takeAway: boolean, most: number): Promise<number> =>
      operations.countDocuments(
        {
          'requester.id': requester,
          state: { $in: openStates },
          kind: takeAway ? { $in: takingAway } : { $nin: takingAway },
        },
        { limit: most },
      ),

    /** How far the bytes are that it moves; of a phase that is new, from now on. */
    moved: (id: string, { phase, done, total }: Omit<Moved, 'at' | 'since'>, at = new Date()) =>
      operations.updateOne(
        { _id: id, state: { $in: openStates } },
        [
          {
            $set: {
              moved: {
                ...{ phase, done, total, at },
                since: { $cond: [{ $eq: ['$moved.phase', phase] }, '$moved.since', { done, at }] },
              },
            },
          },
        ],
        { updatePipeline: true },
      ),

    /** Which of these operations have ended, so that holds of theirs may be taken. */
    async ended(ids: readonly string[]): Promise<Set<string>> {
      const open = await operations
        .find({ _id: { $in: ids }, state: { $in: openStates } }, { _id: 1 })
        .lean()
        .exec();
      const stillOpen = new Set(open.map(({ _id }) => _id));
      return new Set(ids.filter((id) => !stillOpen.has(id)));
    },

    /** Which of these operations wait. */
    async waitingAmong(ids: readonly string[]): Promise<string[]> {
      if (ids.length === 0) return [];
      const found = await operations
        .find({ _id: { $in: [...ids] }, state: 'waiting' }, { _id: 1 })
        .lean<Pick<Operation, '_id'>[]>()
        .exec();
      return found.map(({ _id }) => _id);
    },

    /** Writes down that its end is asked for, before anything is done about it; the first to ask is remembered. */
    requestCancel: (id: string, by: Person) =>
      operations.updateOne(
        { _id: id, state: { $in: openStates }, cancel_requested: null },
        { $set: { cancel_requested: { by, at: new Date() } } },
      ),

    /** The newest operation that has a resource; on a role of a service, the newest on that role or on all of the service. */
    lastOf: ({ type, id }: ResourceRef, role?: string) =>
      operations
        .findOne({
          ...{ 'resource.type': type, 'resource.id': id },
          kind: { $ne: 'performOnRole' },
          ...(role !== undefined && { role: { $in: [null, role] }, 'input.roles': { $in: [null, role] } }),
        })
        .sort({ _id: -1 })
        .lean<Operation>()
        .exec(),

    /** By VM, the newest of those that have switched it. */
    async lastSwitches(vms: readonly number[]): Promise<Map<number, Operation<'performOnVm'>>> {
      const found = await operations
        .aggregate<{ _id: number; last: Operation<'performOnVm'> }>([
          {
            $match: {
              'resource.type': 'vm',
              'resource.id': { $in: [...vms] },
              kind: 'performOnVm',
              state: 'succeeded',
            },
          },
          { $sort: { _id: -1 } },
          { $group: { _id: '$resource.id', last: { $first: '$$ROOT' } } },
        ])
        .exec();
      return new Map(found.map(({ _id, last }) => [_id, last]));
    },

    /** What the last undeployment of a service was asked to do; null: there was none. */
    async lastUndeployment(service: number): Promise<OperationInputs['undeployService'] | null> {
      const last = await operations
        .findOne({ 'resource.type': 'service', 'resource.id': service, kind: 'undeployService' })
        .sort({ _id: -1 })
        .lean<Operation>()
        .exec();
      return last && isUndeployment(last) ? last.input : null;
    },

    /** Gives all operations on these resources to whom the resources belong. Returns whether that has changed any. */
    async give(
      type: ResourceRef['type'],
      ids: readonly number[],
      owner: Ownership | Omit<Ownership, 'permissions'>,
      transaction: Transaction,
    ): Promise<boolean> {
      const theirs = { 'resource.type': type, 'resource.id': { $in: [...ids] } };
      return (await operations.updateMany(theirs, { $set: owner }, within(transaction))).modifiedCount > 0;
    },

    /** Operations of which VMs are still to be let go of, those first that have waited longest. */
    async releasing(limit: number): Promise<string[]> {
      const found = await operations
        .find({ 'releasing.since': { $exists: true } }, { _id: 1 })
        .hint('releasing')
        .sort({ 'releasing.since': 1 })
        .limit(limit)
        .lean<Pick<Operation, '_id'>[]>()
        .exec();
      return found.map(({ _id }) => _id);
    },

    /** Of operations on a host that has come into another cluster. */
    setCluster: (host: number, cluster: number, transaction: Transaction) =>
      operations.updateMany(
        { 'resource.type': 'host', 'resource.id': host },
        { $set: { cluster_id: cluster } },
        within(transaction),
      ),

    /** Ends an operation that has not ended, and returns it; null when it had. `releasing`: what is left to do of it. */
    end: (
      id: string,
      outcome: Outcome,
      transaction: Transaction,
      releasing: Releasing | null,
      now = new Date(),
    ): Promise<Operation | null> =>
      operations
        .findOneAndUpdate(
          { _id: id, state: { $in: openStates } },
          {
            $set: {
              state: outcome.state,
              error: outcome.state === 'succeeded' ? null : told(outcome.error),
              waiting_for: null,
              question: null,
              ended_at: now,
              aged_from: now,
              ...(releasing && { releasing }),
            },
          },
          { ...within(transaction), returnDocument: 'after' },
        )
        .lean<Operation>()
        .exec(),

    ...createOperationRuns(operations),
    ...createAdmissions(connection, operations),
  };
}
export type OperationStore = ReturnType<typeof createOperationStore>;

const told = (error: OperationError): OperationError => ({
  ...error,
  detail: brief(error.detail, longest.operation),
});
