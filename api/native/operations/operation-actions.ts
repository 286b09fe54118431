import { AnswerOperation } from '../../../schemas/operations/question.js';
import { accepts, json, NoQuery, noBody, type Route, route } from '../route.js';
import { ByOperationId } from './operations.js';
import { accepted, acceptedOnRoles, begun, cancelled, ids, secondShop } from './operations-examples.js';

export const operationActionRoutes: readonly Route[] = [
  route({
    id: 'cancelOperation',
    method: 'post',
    path: '/operations/{id}/cancel',
    tag: 'Operations',
    summary: 'Have an operation stop at its next safe point',
    needs: [['manage', 'operation']],
    description: 'Nothing is left unaccounted for; one that is done but for its last words still succeeds.',
    params: ByOperationId,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state'],
    examples: [{ params: { id: ids.recovery }, answer: cancelled }],
    handle: ({ operations }, { caller, params }) => operations.cancel(caller, params.id),
  }),
  route({
    id: 'answerOperation',
    method: 'post',
    path: '/operations/{id}/answer',
    tag: 'Operations',
    summary: 'Answer an operation that waits for you',
    needs: [['manage', 'operation']],
    description: 'The operation goes on in a new run. The first answer counts.',
    params: ByOperationId,
    query: NoQuery,
    body: json(AnswerOperation.meta({ id: 'AnswerOperation' })),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress'],
    examples: [
      {
        params: { id: ids.second },
        body: { answer: 'give_up' },
        answer: begun(
          accepted(ids.second, 'deployService', secondShop, '09:42:00'),
          '019df25b-c640-7f38-93d2-41b7c8a05e92',
          '09:42:01',
        ),
      },
    ],
    handle: ({ operations }, { caller, params, body }) => operations.answer(caller, params.id, body),
  }),
  route({
    id: 'retryOperation',
    method: 'post',
    path: '/operations/{id}/retry',
    tag: 'Operations',
    summary: 'Try a failed or cancelled operation again',
    needs: [['manage', 'operation']],
    description: 'A new operation of the same kind, which goes on from what is. Only the last one of a resource.',
    params: ByOperationId,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [
      {
        params: { id: ids.recovery },
        answer: { ...acceptedOnRoles(ids.retry, 'deployService', secondShop, '09:46:00'), retry_of: ids.recovery },
      },
    ],
    handle: ({ operations }, { caller, params, admission }) => operations.retry(caller, params.id, admission),
  }),
];
