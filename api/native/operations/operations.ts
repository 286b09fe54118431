import { z } from 'zod';
import { OperationState, ResourceRef } from '../../../schemas/operations/operation.js';
import { OperationDetail, OperationResource, operationFields } from '../../../schemas/operations/operation-resource.js';
import { PathId } from '../../http/path-id.js';
import { listQuery } from '../list-query.js';
import { ById, lists, NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';
import {
  appPublished,
  deployed,
  deployedInFull,
  hostFlushed,
  ids,
  imageMade,
  vmDeployed,
} from './operations-examples.js';

const OneResourceQuery = listQuery(operationFields, OperationResource, { newestFirst: true }).extend({
  state: OperationState.optional().describe('Only operations in this state'),
});

const OperationQuery = OneResourceQuery.extend({
  resource_type: ResourceRef.shape.type.optional().describe('Only operations on this kind of resource'),
  resource_id: PathId.optional().describe('Only operations on the resource with this id'),
  id_prefix: z
    .string()
    .regex(/^[0-9A-HJKMNP-TV-Z]{1,26}$/, 'must be the beginning of a ULID')
    .optional()
    .describe('Only operations whose id begins so: people cut ids short'),
});

export const ByOperationId = z.strictObject({
  id: z
    .string()
    .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'must be the ULID of an operation')
    .describe('ULID'),
});

export const operationRoutes: readonly Route[] = [
  route({
    id: 'listOperations',
    method: 'get',
    path: '/operations',
    tag: 'Operations',
    summary: 'List operations, newest first',
    needs: [['see', 'operation']],
    params: NoParams,
    query: OperationQuery,
    body: noBody,
    answer: lists('OperationPage', OperationResource),
    problems: [],
    examples: [
      {
        query: { filter: 'state=succeeded,resource_type=service', fields: 'id,type,state' },
        answer: { items: [{ id: ids.deployment, type: 'deployService', state: 'succeeded' }], next_cursor: null },
      },
    ],
    handle: ({ operations }, { caller, query }) => operations.list(caller, query),
  }),
  route({
    id: 'listServiceOperations',
    method: 'get',
    path: '/services/{id}/operations',
    tag: 'Services',
    summary: 'List the operations on a service, newest first',
    needs: [['use', 'service']],
    params: ById,
    query: OneResourceQuery,
    body: noBody,
    answer: lists('ServiceOperationPage', OperationResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1' }, query: { limit: '1' }, answer: { items: [deployed], next_cursor: null } }],
    handle: ({ operations }, { caller, params, query }) =>
      operations.listOn(caller, { type: 'service', id: params.id }, query),
  }),
  route({
    id: 'listVmOperations',
    method: 'get',
    path: '/vms/{id}/operations',
    tag: 'VMs',
    summary: 'List the operations on a VM, newest first',
    needs: [['use', 'vm']],
    params: ById,
    query: OneResourceQuery,
    body: noBody,
    answer: lists('VmOperationPage', OperationResource),
    problems: ['not_found'],
    examples: [{ params: { id: '3' }, answer: { items: [vmDeployed], next_cursor: null } }],
    handle: ({ operations }, { caller, params, query }) =>
      operations.listOn(caller, { type: 'vm', id: params.id }, query),
  }),
  route({
    id: 'listHostOperations',
    method: 'get',
    path: '/hosts/{id}/operations',
    tag: 'Hosts',
    summary: 'List the operations on a host, newest first',
    needs: [['use', 'host']],
    params: ById,
    query: OneResourceQuery,
    body: noBody,
    answer: lists('HostOperationPage', OperationResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: { items: [hostFlushed], next_cursor: null } }],
    handle: ({ operations }, { caller, params, query }) =>
      operations.listOn(caller, { type: 'host', id: params.id }, query),
  }),
  route({
    id: 'listImageOperations',
    method: 'get',
    path: '/images/{id}/operations',
    tag: 'Images',
    summary: 'List the operations on an image, newest first',
    needs: [['use', 'image']],
    params: ById,
    query: OneResourceQuery,
    body: noBody,
    answer: lists('ImageOperationPage', OperationResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: { items: [imageMade], next_cursor: null } }],
    handle: ({ operations }, { caller, params, query }) =>
      operations.listOn(caller, { type: 'image', id: params.id }, query),
  }),
  route({
    id: 'listAppOperations',
    method: 'get',
    path: '/marketplace-apps/{id}/operations',
    tag: 'Apps',
    summary: 'List the operations on an app, newest first',
    needs: [['use', 'app']],
    params: ById,
    query: OneResourceQuery,
    body: noBody,
    answer: lists('AppOperationPage', OperationResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: { items: [appPublished], next_cursor: null } }],
    handle: ({ operations }, { caller, params, query }) =>
      operations.listOn(caller, { type: 'app', id: params.id }, query),
  }),
  route({
    id: 'showOperation',
    method: 'get',
    path: '/operations/{id}',
    tag: 'Operations',
    summary: 'Show an operation with its steps, its progress and what you may do',
    needs: [['use', 'operation']],
    description: 'Where a step is tried again, Temporal is asked when: for a second at most.',
    params: ByOperationId,
    query: NoQuery,
    body: noBody,
    answer: shows(OperationDetail),
    problems: ['not_found'],
    examples: [{ params: { id: ids.deployment }, answer: deployedInFull }],
    handle: ({ operations }, { caller, params }) => operations.show(caller, params.id),
  }),
];
