import type { Caller } from '../domain/caller.js';
import type { Subject } from '../domain/permissions.js';
import { Problem } from '../domain/problems.js';
import type { AnswerOperation, Operation, OperationResource, ResourceRef } from '../schemas/operation.js';
import { openStates } from '../store/operations.js';
import { repeatedRequest } from './admit.js';
import { administrator, authorisedOperation, demand, nameOf, subjectOf } from './authorise.js';
import type { Admission, OperationsContext } from './context.js';
import { operationResource } from './resources.js';
import type { Retries } from './retries.js';

/** What can be asked of an operation itself: to stop, to go on with an answer, to be tried again. */
export const operationActions = (context: OperationsContext, retries: Retries) => {
  const { store, engine, settings, onDelayed } = context;
  const shown = (operation: Operation): OperationResource => operationResource(operation, settings.temporalUiUrl);
  const person = ({ id, name }: Caller) => ({ id, name });

  return {
    /**
     * Has it stop at its next safe point. Written down first: should this process die before the engine has heard of it,
     * reconciliation carries it out. Asked again it is the same.
     */
    async cancel(caller: Caller, id: string): Promise<OperationResource> {
      await manageable(caller, id);
      await store.operations.requestCancel(id, person(caller));
      const seen = await store.operations.find(id);
      if (!seen?.cancel_requested || !isOpen(seen)) throw ended(id, seen);
      const now = seen.state === 'running' ? seen : ((await store.endings.endCancelled(seen)) ?? seen);
      if (now.state === 'running' && now.run_id !== null)
        await engine
          .cancel(now.workflow_id, { firstRunId: now.run_id })
          .catch((error: unknown) => onDelayed(`operation ${id} is cancelled when Temporal answers`, error));
      return shown(now);
    },

    /** Goes on as the answer says, in a new run. */
    async answer(caller: Caller, id: string, { answer }: AnswerOperation): Promise<OperationResource> {
      const asking = await manageable(caller, id);
      const answered =
        asking.state === 'waiting_for_you' ? await store.questions.answer(asking, answer, person(caller)) : null;
      if (!answered) throw await unanswerable(id);
      await engine
        .startNext(answered)
        .catch((error: unknown) => onDelayed(`operation ${id} goes on when Temporal answers`, error));
      return shown(answered);
    },

    /** Tries again what failed or was cancelled: a new operation of the same kind, which goes on from what is. */
    async retry(caller: Caller, id: string, admission: Admission): Promise<OperationResource> {
      const operation = await manageable(caller, id);
      const request = { deed: 'retry', id };
      const repeated = await repeatedRequest(context, caller, admission, request);
      if (repeated) return repeated;
      if (isOpen(operation))
        throw new Problem(
          'operation_in_progress',
          `Operation ${id} has not ended (${operation.state}). Wait for it, or cancel it.`,
          { operation: id },
        );
      if (operation.state === 'succeeded')
        throw new Problem('wrong_state', `Operation ${id} has succeeded: there is nothing to try again.`);
      const last = await store.operations.lastOf(operation.resource);
      if (last && last._id !== id)
        throw new Problem(
          'wrong_state',
          `Operation ${last._id} (${last.kind}) came after it on ${nameOf(operation.resource)}: look at that one.`,
        );
      return retries.again(caller, operation, request, admission);
    },
  };

  /** The operation, if the caller may MANAGE it and what it is about. */
  async function manageable(caller: Caller, id: string): Promise<Operation> {
    const operation = authorisedOperation(caller, id, await store.operations.find(id), 'manage');
    const { resource } = operation;
    if (resource.type === 'zone') administrator(caller, 'act on the operations of a zone');
    const object = await objectOf(resource);
    if (object) demand(caller, object, 'manage', nameOf(resource));
    return operation;
  }

  async function objectOf({ type, id }: ResourceRef): Promise<Subject | null> {
    if (type === 'zone') return null;
    if (type === 'vm') {
      const vm = await store.vms.find(id);
      return vm && subjectOf('VM', vm);
    }
    const service = await store.services.find(id);
    return service && subjectOf('DOCUMENT', service);
  }

  /** Why a question could not be answered: somebody was first, or nothing is asked. */
  async function unanswerable(id: string): Promise<Problem> {
    const now = await store.operations.find(id);
    if (!now || !isOpen(now)) return ended(id, now);
    if (now.answer)
      return new Problem(
        'wrong_state',
        `${now.answer.by.name} answered ${now.answer.answer} at ${now.answer.at.toISOString()}: operation ${id} goes on with that.`,
      );
    if (now.cancel_requested)
      return new Problem(
        'wrong_state',
        `Operation ${id} is being cancelled: ${now.cancel_requested.by.name} asked for it.`,
      );
    if (now.state !== 'waiting_for_you')
      return new Problem('wrong_state', `Operation ${id} is ${now.state}: it asks nothing.`);
    const service = await store.services.find(now.resource.id);
    const over = service?.wanted ?? null;
    return new Problem(
      'operation_in_progress',
      over === null
        ? `Operation ${id} has changed meanwhile; look again.`
        : `Operation ${over} takes over service ${now.resource.id}.`,
      over === null ? {} : { operation: over },
    );
  }
};

const isOpen = ({ state }: Operation): boolean => openStates.some((open) => open === state);

const ended = (id: string, operation: Operation | null): Problem =>
  new Problem('wrong_state', `Operation ${id} has ended: it is ${operation?.state ?? 'gone'}.`);
