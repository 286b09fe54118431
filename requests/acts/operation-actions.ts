import { type Act, verdictOn } from '../../domain/acts/acts.js';
import type { ActionFacts } from '../../domain/acts/facts.js';
import { problemFor } from '../../domain/acts/verdict.js';
import type { Caller } from '../../domain/identity/caller.js';
import { isOpen } from '../../domain/operation-states.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import { kinds } from '../../schemas/kinds.js';
import type { Operation, Person } from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { AnswerOperation } from '../../schemas/operations/question.js';
import { administrator, authorisedOperation, demand } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { repeatedRequest } from '../operations/admit.js';
import { operationResource } from '../operations/operation-resource.js';
import { actionFacts, findResource, subjectOfResource } from './action-facts.js';
import { demandAct } from './acts.js';
import { tryAgain } from './retries.js';

// What can be asked of an operation itself: to stop, to go on with an answer, to be tried again.

/**
 * Has it stop at its next safe point. Written down first: should this process die before the engine has heard of it,
 * reconciliation carries it out. Asked again it is the same.
 */
export async function cancelOperation(
  context: OperationsContext,
  caller: Caller,
  id: string,
): Promise<OperationResource> {
  const { store, engine, onDelayed } = context;
  const operation = await manageable(context, caller, id);
  await demandOf(context, caller, { do: 'cancel' }, operation);
  await store.operations.requestCancel(id, person(caller));
  const seen = (await store.operations.find(id)) ?? operation;
  if (!seen.cancel_requested || !isOpen(seen)) throw await whyNot(context, caller, { do: 'cancel' }, seen);
  const now = seen.state === 'running' ? seen : ((await store.endings.endCancelled(seen)) ?? seen);
  if (now.state === 'running' && now.run_id !== null)
    await engine
      .cancel(now.workflow_id, { firstRunId: now.run_id })
      .catch((error: unknown) => onDelayed(`operation ${id} is cancelled when Temporal answers`, error));
  return shown(context, now);
}

/** Goes on as the answer says, in a new run. */
export async function answerOperation(
  context: OperationsContext,
  caller: Caller,
  id: string,
  { answer }: AnswerOperation,
): Promise<OperationResource> {
  const { store, engine, onDelayed } = context;
  const asking = await manageable(context, caller, id);
  await demandOf(context, caller, { do: 'answer', answer }, asking);
  const answered = await store.questions.answer(asking, answer, person(caller));
  if (!answered)
    throw await whyNot(context, caller, { do: 'answer', answer }, (await store.operations.find(id)) ?? asking);
  await engine
    .startNext(answered)
    .catch((error: unknown) => onDelayed(`operation ${id} goes on when Temporal answers`, error));
  return shown(context, answered);
}

/** Tries again what failed or was cancelled: a new operation of the same kind, which goes on from what is. */
export async function retryOperation(
  context: OperationsContext,
  caller: Caller,
  id: string,
  admission: Admission,
): Promise<OperationResource> {
  const operation = await manageable(context, caller, id);
  const request = { deed: 'retry', id };
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return repeated;
  await demandOf(context, caller, { do: 'retry' }, operation);
  return tryAgain(context, caller, operation, request, admission);
}

function shown(context: OperationsContext, operation: Operation): OperationResource {
  const { settings } = context;
  return operationResource(operation, settings);
}

const person = ({ id, name }: Caller): Person => ({ id, name });

async function demandOf(context: OperationsContext, caller: Caller, act: Act, operation: Operation): Promise<void> {
  demandAct(act, await factsOf(context, caller, operation));
}

/** Why somebody else was first. */
async function whyNot(context: OperationsContext, caller: Caller, act: Act, operation: Operation): Promise<Problem> {
  const verdict = verdictOn(act, await factsOf(context, caller, operation));
  return typeof verdict === 'string'
    ? new Problem('operation_in_progress', `Operation ${operation._id} has changed meanwhile; look again.`)
    : problemFor(verdict);
}

async function factsOf(context: OperationsContext, caller: Caller, operation: Operation): Promise<ActionFacts> {
  const { store } = context;
  return actionFacts(store, caller, 'operation', operation, await findResource(store, operation.resource));
}

/** The operation, if the caller may MANAGE it and what it is about. */
async function manageable(context: OperationsContext, caller: Caller, id: string): Promise<Operation> {
  const { store } = context;
  const operation = authorisedOperation(caller, id, await store.operations.find(id), 'manage');
  const { resource } = operation;
  const { edits, one } = kinds[resource.type];
  if (edits === 'administrator') administrator(caller, `act on the operations of a ${one}`);
  const object = await findResource(store, resource);
  const subject = object && subjectOfResource(object);
  if (subject && edits !== 'administrator') demand(caller, subject, edits, nameOf(resource));
  return operation;
}
