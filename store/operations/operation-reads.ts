import type { Connection, Model } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { openStates } from '../../domain/operation-states.js';
import { takingAway } from '../../domain/operations/lanes.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { Operation, OperationState } from '../../schemas/operations/operation.js';
import { operationFields } from '../../schemas/operations/operation-resource.js';
import { operationsVisibleTo, pageOf } from '../mongo/paging.js';

type OperationListQuery = ListQuery & {
  state?: OperationState;
  resource_type?: string;
  resource_id?: number;
  id_prefix?: string;
};

/** What an operation is, and who has asked for it. */
type Deed = Pick<Operation, '_id' | 'kind' | 'input' | 'requester'>;

/** `done_to_none`: of an action on VMs, whether none of them was asked: those that were there have refused it. */
export type Ending = Pick<Operation, '_id' | 'state' | 'error'> & { done_to_none: boolean };

/** What operations there are. */
export interface OperationReads {
  find(id: string): Promise<Operation | null>;
  list(caller: Caller, query: OperationListQuery): Promise<Page<Operation>>;
  /** What has become of some; of those that are forgotten nothing is known. */
  endings(ids: readonly string[]): Promise<Ending[]>;
  /** What each of these is and who has asked for it; those that are forgotten are left out. */
  deeds(ids: readonly string[]): Promise<Deed[]>;
  /** How long the last operations of a kind took that succeeded at once on resources of a template, in milliseconds. */
  durations(those: Pick<Operation, 'kind' | 'template_id'>, limit: number): Promise<number[]>;
  /** Who has asked for an operation, and what for. */
  asker(id: string): Promise<Pick<Operation, '_id' | 'requester' | 'kind'> | null>;
  /**
   * Operations not made in this span of time that should have a run, or are to be cancelled; oldest first, after an id: what
   * reconciliation looks at.
   */
  openOutside(span: { from: Date; to: Date }, after: string, limit: number): Promise<Operation[]>;
  /** How many operations that take away, or of the others, somebody has asked for that have not ended; `most`, when more. */
  openOf(requester: number, takeAway: boolean, most: number): Promise<number>;
  /** Which of these operations have ended, so that holds of theirs may be taken. */
  ended(ids: readonly string[]): Promise<Set<string>>;
  /** Which of these operations wait. */
  waitingAmong(ids: readonly string[]): Promise<string[]>;
  /** Operations of which VMs are still to be let go of, those first that have waited longest. */
  releasing(limit: number): Promise<string[]>;
}

export const operationReads = (connection: Connection, operations: Model<Operation>): OperationReads => ({
  find: (id) => operations.findById(id).lean<Operation>().exec(),
  list: (caller, query) => listOperations(operations, caller, query),
  endings: async (ids) => (ids.length === 0 ? [] : endings(connection, ids)),
  deeds: async (ids) =>
    ids.length === 0
      ? []
      : operations
          .find({ _id: { $in: [...ids] } }, { kind: 1, input: 1, requester: 1 })
          .lean<Deed[]>()
          .exec(),
  durations: async ({ kind, template_id }, limit) =>
    template_id === null ? [] : durations(operations, { kind, template_id }, limit),
  asker: (id) =>
    operations.findById(id, { requester: 1, kind: 1 }).lean<Pick<Operation, '_id' | 'requester' | 'kind'>>().exec(),
  openOutside: (span, after, limit) => openOutside(operations, span, after, limit),
  openOf: (requester, takeAway, most) =>
    operations.countDocuments(
      {
        'requester.id': requester,
        state: { $in: openStates },
        kind: takeAway ? { $in: takingAway } : { $nin: takingAway },
      },
      { limit: most },
    ),
  async ended(ids) {
    const open = new Set(await idsOf(operations, { _id: { $in: ids }, state: { $in: openStates } }));
    return new Set(ids.filter((id) => !open.has(id)));
  },
  waitingAmong: async (ids) =>
    ids.length === 0 ? [] : idsOf(operations, { _id: { $in: [...ids] }, state: 'waiting' }),
  releasing: (limit) => releasing(operations, limit),
});

/** Without what only its first step goes by, and what only one that is looked at by itself shows. */
const shownFields = { begun: 0, performed: 0, flushed: 0, moved: 0 } as const;

function listOperations(
  operations: Model<Operation>,
  caller: Caller,
  query: OperationListQuery,
): Promise<Page<Operation>> {
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
}

const saidByVms = { $objectToArray: { $ifNull: ['$performed', {}] } };
const doneToNone = {
  $and: [
    { $ne: [saidByVms, []] },
    { $allElementsTrue: [{ $map: { input: saidByVms, in: { $ne: ['$$this.v.outcome', 'asked'] } } }] },
  ],
};

const endings = (connection: Connection, ids: readonly string[]): Promise<Ending[]> =>
  connection
    .collection<Operation>('operations')
    .find<Ending>({ _id: { $in: [...ids] } }, { projection: { state: 1, error: 1, done_to_none: doneToNone } })
    .toArray();

async function durations(
  operations: Model<Operation>,
  { kind, template_id }: Pick<Operation, 'kind' | 'template_id'>,
  limit: number,
): Promise<number[]> {
  const earlier = await operations
    .find({ kind, template_id, state: 'succeeded', retry_of: null }, { started_at: 1, ended_at: 1 })
    .sort({ _id: -1 })
    .limit(limit)
    .lean<Pick<Operation, 'started_at' | 'ended_at'>[]>()
    .exec();
  return earlier.flatMap(({ started_at, ended_at }) =>
    started_at && ended_at ? [ended_at.getTime() - started_at.getTime()] : [],
  );
}

const openOutside = (
  operations: Model<Operation>,
  { from, to }: { from: Date; to: Date },
  after: string,
  limit: number,
): Promise<Operation[]> =>
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
    .exec();

const idsOf = async (operations: Model<Operation>, filter: Record<string, unknown>): Promise<string[]> =>
  (await operations.find(filter, { _id: 1 }).lean<Pick<Operation, '_id'>[]>().exec()).map(({ _id }) => _id);

async function releasing(operations: Model<Operation>, limit: number): Promise<string[]> {
  const found = await operations
    .find({ 'releasing.since': { $exists: true } }, { _id: 1 })
    .hint('releasing')
    .sort({ 'releasing.since': 1 })
    .limit(limit)
    .lean<Pick<Operation, '_id'>[]>()
    .exec();
  return found.map(({ _id }) => _id);
}
