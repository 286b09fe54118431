import {
  CheckConsistency,
  ConsistencyCheckResource,
  ConsistencyCheckSummary,
  checkFields,
} from '../../../schemas/consistency/consistency.js';
import { listQuery } from '../list-query.js';
import { ByOperationId } from '../operations/operations.js';
import { checkAccepted, ids } from '../operations/operations-examples.js';
import { accepts, json, lists, NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { check } from './consistency-examples.js';

export const consistencyRoutes: readonly Route[] = [
  route({
    id: 'checkConsistency',
    method: 'post',
    path: '/consistency-checks',
    tag: 'Consistency checks',
    summary: 'Check that documents, runs and hosts agree',
    needs: ['administrator'],
    description:
      'Only administrators may. The report is at `/consistency-checks/{id}`, under the id of the operation, while the check goes on and for 30 days. With `repair` it also repairs what it finds where that is safe.',
    params: NoParams,
    query: NoQuery,
    body: json(CheckConsistency.meta({ id: 'CheckConsistency' }), 'optional'),
    answer: accepts,
    problems: ['operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [{ body: { repair: true }, answer: checkAccepted }],
    handle: ({ consistency }, { caller, body, admission }) => consistency.start(caller, body, admission),
  }),
  route({
    id: 'listConsistencyChecks',
    method: 'get',
    path: '/consistency-checks',
    tag: 'Consistency checks',
    summary: 'List checks of consistency, newest first',
    needs: ['administrator'],
    params: NoParams,
    query: listQuery(checkFields, ConsistencyCheckSummary, { newestFirst: true }),
    body: noBody,
    answer: lists('ConsistencyCheckPage', ConsistencyCheckSummary),
    problems: [],
    examples: [{ query: { filter: 'repair=true' }, answer: { items: [check], next_cursor: null } }],
    handle: ({ consistency }, { caller, query }) => consistency.list(caller, query),
  }),
  route({
    id: 'showConsistencyCheck',
    method: 'get',
    path: '/consistency-checks/{id}',
    tag: 'Consistency checks',
    summary: 'Show what a check of consistency has found',
    needs: ['administrator'],
    params: ByOperationId,
    query: NoQuery,
    body: noBody,
    answer: shows(ConsistencyCheckResource),
    problems: ['not_found'],
    examples: [{ params: { id: ids.check }, answer: { ...check, findings: [] } }],
    handle: ({ consistency }, { caller, params }) => consistency.show(caller, params.id),
  }),
];
