import type { Connection } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { Caller } from '../../domain/identity/caller.js';
import { isSameOwnership } from '../../domain/identity/ownership.js';
import { openStates } from '../../domain/operation-states.js';
import { takingAway } from '../../domain/operations/lanes.js';
import { Problem, type ProblemCode } from '../../domain/problems.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import {
  isUndeployment,
  type Operation,
  type OperationError,
  type OperationState,
  type Person,
  type Releasing,
  type ResourceRef,
} from '../../schemas/operations/operation.js';
import { operationFields } from '../../schemas/operations/operation-resource.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { modelOf } from '../mongo/model.js';
import { operationsVisibleTo, pageIndexes, pageOf, sortIndexes } from '../mongo/paging.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';

/** Runs of one operation of which is remembered how far it had come when they began. */
const rememberedRuns = 4;

export type Outcome =
  | { state: 'succeeded' }
  | { state: 'failed' | 'cancelled'; error: OperationError & { code: ProblemCode } };

/** What a run finds when it asks for its operation: it is ours, it has ended, or another run has it. */
export type Claim =
  | { result: 'claimed'; operation: Operation }
  | { result: 'ended'; operation: Operation }
  | { result: 'foreign' };

/** Without what only its first step goes by. */
const shownFields = { begun: 0 } as const;

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

  /** The operation that was admitted under the same Idempotency-Key, if it asked for the same. */
  async function repeated({
    requester,
    idempotency_key,
    fingerprint,
  }: Pick<Operation, 'requester' | 'idempotency_key' | 'fingerprint'>) {
    if (idempotency_key === null) return undefined;
    const earlier = await operations
      .findOne({ 'requester.id': requester.id, idempotency_key })
      .lean<Operation>()
      .exec();
    if (!earlier) return undefined;
    if (earlier.fingerprint !== fingerprint)
      throw new Problem(
        'idempotency_key_reused',
        `The key "${idempotency_key}" was used for another request (operation ${earlier._id}). Use a new key for a new request.`,
      );
    return earlier;
  }

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

    /** Which of these operations have ended, so that holds of theirs may be taken. */
    async ended(ids: readonly string[]): Promise<Set<string>> {
      const open = await operations
        .find({ _id: { $in: ids }, state: { $in: openStates } }, { _id: 1 })
        .lean()
        .exec();
      const stillOpen = new Set(open.map(({ _id }) => _id));
      return new Set(ids.filter((id) => !stillOpen.has(id)));
    },

    /** The first step of every run: accepted → running for this run alone. Said again by the same run, it is granted again. */
    async claim(id: string, runId: string): Promise<Claim> {
      const operation = await operations
        .findOneAndUpdate(
          { _id: id, $or: [{ state: 'accepted' }, { state: 'running', run_id: runId }] },
          [
            {
              $set: {
                state: 'running',
                run_id: runId,
                waiting_for: null,
                waits: { $literal: {} },
                started_at: { $ifNull: ['$started_at', '$$NOW'] },
              },
            },
          ],
          { returnDocument: 'after', updatePipeline: true },
        )
        .lean<Operation>()
        .exec();
      if (operation) return { result: 'claimed', operation };
      const present = await operations.findById(id).lean<Operation>().exec();
      return present?.run_id === runId ? { result: 'ended', operation: present } : { result: 'foreign' };
    },

    /**
     * How far roles had come when this run of the engine began: as its first try says, whatever a later one has seen.
     * Else a worker that was frozen in that step would, when it wakes, number its steps after those of the worker that
     * has gone on in the meantime, and outdo it. Of the last few runs: one that waits for long goes on as a new one again and
     * again, and would in the end outgrow its document.
     */
    async begunWith(id: string, run: string, reached: Record<string, number>): Promise<Record<string, number>> {
      const earlier = { $slice: [{ $objectToArray: { $ifNull: ['$begun', {}] } }, 1 - rememberedRuns] };
      const begun = { $arrayToObject: { $concatArrays: [earlier, [{ k: run, v: { $literal: reached } }]] } };
      const isKnown = { $ne: [{ $type: `$begun.${run}` }, 'missing'] };
      const operation = await operations
        .findOneAndUpdate({ _id: id }, [{ $set: { begun: { $cond: [isKnown, '$begun', begun] } } }], {
          returnDocument: 'after',
          updatePipeline: true,
          projection: { begun: 1 },
        })
        .lean<Pick<Operation, 'begun'>>()
        .exec();
      return operation?.begun?.[run] ?? reached;
    },

    /** Notes that it is run again because a run of it could not be replayed; returns how often that was so. */
    async rerun(id: string): Promise<number> {
      const operation = await operations
        .findOneAndUpdate({ _id: id }, { $inc: { reruns: 1 } }, { returnDocument: 'after', projection: { reruns: 1 } })
        .lean<Pick<Operation, 'reruns'>>()
        .exec();
      return operation?.reruns ?? 0;
    },

    /** Writes down that its end is asked for, before anything is done about it; the first to ask is remembered. */
    requestCancel: (id: string, by: Person) =>
      operations.updateOne(
        { _id: id, state: { $in: openStates }, cancel_requested: null },
        { $set: { cancel_requested: { by, at: new Date() } } },
      ),

    /** The newest operation on a resource. */
    lastOf: ({ type, id }: ResourceRef) =>
      operations.findOne({ 'resource.type': type, 'resource.id': id }).sort({ _id: -1 }).lean<Operation>().exec(),

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

    /** running → waiting: its run ends now, and whoever brings what it waits for sets it going again. */
    wait: (id: string, runId: string, waitingFor: string) =>
      operations.updateOne(
        { _id: id, state: 'running', run_id: runId },
        { $set: { state: 'waiting', waiting_for: brief(waitingFor, longest.role) } },
      ),

    /**
     * Says what roles of a running operation wait for, or that they wait no more (null). What others wait for stays: they
     * are at work side by side.
     */
    note: (id: string, waits: Readonly<Record<string, string | null>>) =>
      operations.updateOne(
        { _id: id, state: 'running' },
        [
          { $set: { waits: { $mergeObjects: [{ $ifNull: ['$waits', {}] }, { $literal: waits }] } } },
          { $set: { waiting_for: waitsText } },
        ],
        { updatePipeline: true },
      ),

    /**
     * Admission: in one transaction, the operation document and a guarded claim on its resource. `claim` returns whose the
     * resource is then, or null when its guard did not match; then nothing is written, and `refusal` says why. An
     * Idempotency-Key seen before gives the operation of then.
     */
    async admit(
      operation: Operation,
      claim: (transaction: Transaction) => Promise<Ownership | null>,
      refusal: () => Promise<Problem>,
    ): Promise<{ operation: Operation; repeated: boolean }> {
      const earlier = await repeated(operation);
      if (earlier) return { operation: earlier, repeated: true };
      try {
        return await withTransaction(connection, async (transaction) => {
          // First, so that a request that comes twice at once is found by its key.
          await operations.create([operation], within(transaction));
          const owned = await claim(transaction);
          if (!owned) throw new GuardLost();
          if (isSameOwnership(owned, operation)) return { operation, repeated: false };
          // Whoever admits has read it before others gave it away.
          const { uid, gid, permissions } = owned;
          const owner = { uid, gid, permissions };
          await operations.updateOne({ _id: operation._id }, { $set: owner }, within(transaction));
          return { operation: { ...operation, ...owner }, repeated: false };
        });
      } catch (error) {
        if (error instanceof GuardLost) throw await refusal();
        const winner = isDuplicateKey(error) ? await repeated(operation) : undefined;
        if (winner) return { operation: winner, repeated: true };
        throw error;
      }
    },

    /** Whether an operation was admitted under this Idempotency-Key, whatever it asked for. */
    hasKey: async (requester: number, idempotency_key: string): Promise<boolean> =>
      (await operations.exists({ 'requester.id': requester, idempotency_key }).exec()) !== null,

    repeated,
  };
}
export type OperationStore = ReturnType<typeof createOperationStore>;

/** Roles of which is said what they wait for; of the others how many they are. */
const mostSaid = 3;

/** What all roles wait for, in one line; null: none waits. */
const waitsText = {
  $let: {
    vars: {
      said: {
        $filter: {
          input: { $map: { input: { $objectToArray: '$waits' }, in: '$$this.v' } },
          cond: { $ne: ['$$this', null] },
        },
      },
    },
    in: {
      $let: {
        vars: {
          few: {
            $reduce: {
              input: { $slice: ['$$said', mostSaid] },
              initialValue: null,
              in: { $cond: [{ $eq: ['$$value', null] }, '$$this', { $concat: ['$$value', '; ', '$$this'] }] },
            },
          },
          more: { $subtract: [{ $size: '$$said' }, mostSaid] },
        },
        in: {
          $cond: [
            { $gt: ['$$more', 0] },
            { $concat: ['$$few', '; and ', { $toString: '$$more' }, ' more roles wait'] },
            '$$few',
          ],
        },
      },
    },
  },
};

class GuardLost extends Error {}

const told = (error: OperationError): OperationError => ({
  ...error,
  detail: brief(error.detail, longest.operation),
});
