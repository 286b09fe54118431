import type { OperatedKind } from '../../schemas/kinds.js';
import { isOpen } from '../operation-states.js';
import { nameOf } from '../operations/names.js';
import { appRetries } from './app-acts.js';
import type { ActionFacts, OperationFacts, ResourceFacts } from './facts.js';
import { hostRetries } from './host-acts.js';
import { imageRetries } from './image-acts.js';
import { type MayRetryOn, whereThere } from './retrying.js';
import { serviceRetries } from './service-acts.js';
import { type Refusal, type Verdict, wrongState } from './verdict.js';
import { vmRetries } from './vm-acts.js';

/** Asked for again it is the same: it is written down, and carried out until it has ended. */
export function mayCancel(operation: OperationFacts): Verdict {
  if (!isOpen(operation)) return endedAlready(operation);
  return operation.cancel_requested ? 'is so' : 'may';
}

/** What a question may be answered; the same for each answer. */
export function mayAnswer({ _id, state, answer, cancel_requested }: OperationFacts, on: ResourceFacts | null): Verdict {
  if (!isOpen({ state })) return endedAlready({ _id, state });
  if (answer)
    return wrongState(
      `${answer.by.name} answered ${answer.answer} at ${answer.at.toISOString()}: operation ${_id} goes on with that.`,
    );
  if (cancel_requested)
    return wrongState(`Operation ${_id} is being cancelled: ${cancel_requested.by.name} asked for it.`);
  if (state !== 'waiting_for_you') return wrongState(`Operation ${_id} is ${state}: it asks nothing.`);
  if (on?.type !== 'service' || !on.going || !on.work) return 'may';
  return {
    code: 'operation_in_progress',
    detail: `Operation ${on.work.op} takes over service ${on.id}.`,
    operation: on.work.op,
  };
}

/** A new operation of the same kind, where that can be asked of the resource as it is. */
export function mayRetry({ operation, after, resource }: ActionFacts & { operation: OperationFacts }): Verdict {
  const { _id: id, kind, state } = operation;
  if (isOpen(operation))
    return {
      code: 'operation_in_progress',
      detail: `Operation ${id} has not ended (${state}). Wait for it, or cancel it.`,
      operation: id,
    };
  if (state === 'succeeded') return wrongState(`Operation ${id} has succeeded: there is nothing to try again.`);
  const name = nameOf(operation.resource);
  if (after) return wrongState(`Operation ${after._id} (${after.kind}) came after it on ${name}: look at that one.`);
  return retries[kind](operation, resource);
}

/** One check at a time. */
export const mayCheck = ({ work }: Extract<ResourceFacts, { type: 'zone' }>): Verdict =>
  work
    ? {
        code: 'operation_in_progress',
        detail: `Operation ${work.op} is checking consistency already. Wait for it.`,
        operation: work.op,
      }
    : 'may';

const retries: MayRetryOn<OperatedKind> = {
  ...serviceRetries,
  ...vmRetries,
  ...hostRetries,
  ...imageRetries,
  ...appRetries,
  checkConsistency: whereThere('zone', mayCheck),
};

const endedAlready = ({ _id, state }: Pick<OperationFacts, '_id' | 'state'>): Refusal =>
  wrongState(`Operation ${_id} has ended: it is ${state}.`);
