import {
  CreateDatastore,
  DatastoreEdit,
  DatastoreResource,
  datastoreFields,
  UpdateDatastore,
} from '../../../schemas/storage/datastore.js';
import { patches } from '../../http/edit-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { ownershipRoutes } from '../ownership.js';
import { ById, creates, json, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { fast } from './datastores-examples.js';

const intoClusters = ['admin', 'cluster', { at: '/cluster_ids/*', as: 'the clusters that it is put into' }] as const;

export const datastoreRoutes: readonly Route[] = [
  route({
    id: 'listDatastores',
    method: 'get',
    path: '/datastores',
    tag: 'Datastores',
    summary: 'List datastores',
    needs: [['see', 'datastore']],
    params: NoParams,
    query: listQuery(datastoreFields, DatastoreResource),
    body: noBody,
    answer: lists('DatastorePage', DatastoreResource),
    problems: [],
    examples: [{ query: { filter: 'name~fast*' }, answer: { items: [fast], next_cursor: null } }],
    handle: ({ datastores }, { caller, query }) => datastores.list(caller, query),
  }),
  route({
    id: 'createDatastore',
    method: 'post',
    path: '/datastores',
    tag: 'Datastores',
    summary: 'Add a datastore',
    needs: [['create', 'datastore'], intoClusters],
    description: 'Its type and its adapter stay as they are. What lies behind it is looked at every minute.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateDatastore.meta({ id: 'CreateDatastore' })),
    answer: creates(DatastoreResource),
    problems: ['name_taken', 'wrong_state'],
    examples: [{ body: { name: 'fast', limit_mb: 512000 }, answer: fast }],
    handle: ({ datastores }, { caller, body }) => datastores.create(caller, body),
  }),
  route({
    id: 'showDatastore',
    method: 'get',
    path: '/datastores/{id}',
    tag: 'Datastores',
    summary: 'Show a datastore',
    needs: [['use', 'datastore']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(DatastoreResource),
    problems: ['not_found'],
    examples: [{ params: { id: '100' }, answer: fast }],
    handle: ({ datastores }, { caller, params }) => datastores.show(caller, params.id),
  }),
  route({
    id: 'updateDatastore',
    method: 'patch',
    path: '/datastores/{id}',
    tag: 'Datastores',
    summary: 'Rename, enable, disable or limit a datastore, or put it into clusters',
    needs: [edits('datastore'), intoClusters],
    params: ById,
    query: NoQuery,
    body: patches(UpdateDatastore.meta({ id: 'UpdateDatastore' }), DatastoreEdit),
    answer: shows(DatastoreResource),
    problems: ['not_found', 'name_taken', 'wrong_state'],
    examples: [
      {
        params: { id: '100' },
        body: { state: 'disabled' },
        answer: { ...fast, state: 'DISABLED' },
      },
    ],
    handle: ({ datastores }, { caller, params, body: revise, precondition }) =>
      datastores.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'deleteDatastore',
    method: 'delete',
    path: '/datastores/{id}',
    tag: 'Datastores',
    summary: 'Remove a datastore that has no images, nor disks of VMs',
    description:
      'What was brought to it of images of other datastores goes first; of one that is disabled and does not answer, it is left there.',
    needs: [edits('datastore')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'wrong_state', 'in_use', 'backend_unavailable'],
    examples: [{ params: { id: '100' }, answer: null }],
    handle: ({ datastores }, { caller, params, precondition }) => datastores.remove(caller, params.id, precondition),
  }),
  ...ownershipRoutes('datastore', {
    schema: DatastoreResource,
    examples: { chmod: sharing('100', fast), chown: giving('100', fast) },
    of: ({ datastores }) => datastores,
  }),
];
