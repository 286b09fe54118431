import type { Connection, Model } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import { openStates } from '../../domain/operation-states.js';
import type { ProblemCode } from '../../domain/problems.js';
import type { Moved, Operation, OperationError, Person, Releasing } from '../../schemas/operations/operation.js';
import { operationFields } from '../../schemas/operations/operation-resource.js';
import { modelOf } from '../mongo/model.js';
import { pageIndexes, sortIndexes } from '../mongo/paging.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { type Admissions, createAdmissions } from './admissions.js';
import { type OperationReads, operationReads } from './operation-reads.js';
import { createOperationRuns, type OperationRuns } from './operation-runs.js';
import { type OperationsOn, operationsOn } from './operations-on.js';

export type Outcome =
  | { state: 'succeeded' }
  | { state: 'failed' | 'cancelled'; error: OperationError & { code: ProblemCode } };

export interface OperationStore extends OperationReads, OperationsOn, OperationRuns, Admissions {
  readonly model: Model<Operation>;
  /** What has come of it that whoever asked may not expect, found on the way: said again, it stands there once. */
  warn(id: string, warnings: readonly string[]): Promise<unknown>;
  /** How far the bytes are that it moves; of a phase that is new, from now on. */
  moved(id: string, far: Omit<Moved, 'at' | 'since'>, at?: Date): Promise<unknown>;
  /** Writes down that its end is asked for, before anything is done about it; the first to ask is remembered. */
  requestCancel(id: string, by: Person): Promise<unknown>;
  /** Ends an operation that has not ended, and returns it; null when it had. `releasing`: what is left to do of it. */
  end(
    id: string,
    outcome: Outcome,
    transaction: Transaction,
    releasing: Releasing | null,
    now?: Date,
  ): Promise<Operation | null>;
}

export function createOperationStore(connection: Connection): OperationStore {
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
    warn: (id, warnings) =>
      operations.updateOne({ _id: id }, { $addToSet: { warnings: { $each: [...warnings] } } }).exec(),
    moved: (id, far, at = new Date()) => moved(operations, id, far, at),
    requestCancel: (id, by) =>
      operations
        .updateOne(
          { _id: id, state: { $in: openStates }, cancel_requested: null },
          { $set: { cancel_requested: { by, at: new Date() } } },
        )
        .exec(),
    end: (id, outcome, transaction, releasing, now = new Date()) =>
      ended(operations, id, { ...(releasing && { releasing }), ...asEnded(outcome, now) }, transaction),
    ...operationReads(connection, operations),
    ...operationsOn(operations),
    ...createOperationRuns(operations),
    ...createAdmissions(connection, operations),
  };
}

const moved = (
  operations: Model<Operation>,
  id: string,
  { phase, done, total }: Omit<Moved, 'at' | 'since'>,
  at: Date,
) =>
  operations
    .updateOne(
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
    )
    .exec();

/** What an operation is from its end on. */
const asEnded = (outcome: Outcome, now: Date): Partial<Operation> => ({
  state: outcome.state,
  error: outcome.state === 'succeeded' ? null : told(outcome.error),
  waiting_for: null,
  question: null,
  ended_at: now,
  aged_from: now,
});

const ended = (
  operations: Model<Operation>,
  id: string,
  set: Partial<Operation>,
  transaction: Transaction,
): Promise<Operation | null> =>
  operations
    .findOneAndUpdate(
      { _id: id, state: { $in: openStates } },
      { $set: set },
      { ...within(transaction), returnDocument: 'after' },
    )
    .lean<Operation>()
    .exec();

const told = (error: OperationError): OperationError => ({
  ...error,
  detail: brief(error.detail, longest.operation),
});
