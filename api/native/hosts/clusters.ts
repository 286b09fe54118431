import { namedFields } from '../../../schemas/common/list.js';
import { ClusterEdit, ClusterResource, CreateCluster, UpdateCluster } from '../../../schemas/hosts/cluster.js';
import { patches, upperCaseBelow } from '../../http/edit-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { ownershipRoutes } from '../ownership.js';
import { ById, creates, json, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { production } from './clusters-examples.js';

export const clusterRoutes: readonly Route[] = [
  route({
    id: 'listClusters',
    method: 'get',
    path: '/clusters',
    tag: 'Clusters',
    summary: 'List clusters',
    needs: [['see', 'cluster']],
    params: NoParams,
    query: listQuery(namedFields, ClusterResource),
    body: noBody,
    answer: lists('ClusterPage', ClusterResource),
    problems: [],
    examples: [{ query: { filter: 'name~prod*' }, answer: { items: [production], next_cursor: null } }],
    handle: ({ clusters }, { caller, query }) => clusters.list(caller, query),
  }),
  route({
    id: 'createCluster',
    method: 'post',
    path: '/clusters',
    tag: 'Clusters',
    summary: 'Add a cluster',
    needs: [['create', 'cluster']],
    description: 'Hosts are put into it by `PATCH /hosts/{id}` with its `cluster_id`.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateCluster.meta({ id: 'CreateCluster' })),
    answer: creates(ClusterResource),
    problems: ['name_taken'],
    examples: [{ body: { name: 'production', attributes: { RACK: 'r1' } }, answer: production }],
    handle: ({ clusters }, { caller, body }) => clusters.create(caller, body),
  }),
  route({
    id: 'showCluster',
    method: 'get',
    path: '/clusters/{id}',
    tag: 'Clusters',
    summary: 'Show a cluster',
    needs: [['use', 'cluster']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(ClusterResource),
    problems: ['not_found'],
    examples: [{ params: { id: '100' }, answer: production }],
    handle: ({ clusters }, { caller, params }) => clusters.show(caller, params.id),
  }),
  route({
    id: 'updateCluster',
    method: 'patch',
    path: '/clusters/{id}',
    tag: 'Clusters',
    summary: 'Rename a cluster, set its attributes or what is kept back of its hosts',
    needs: [edits('cluster')],
    params: ById,
    query: NoQuery,
    body: patches(UpdateCluster.meta({ id: 'UpdateCluster' }), ClusterEdit, upperCaseBelow('attributes')),
    answer: shows(ClusterResource),
    problems: ['not_found', 'name_taken'],
    examples: [
      {
        params: { id: '100' },
        body: { reserved: { memory: '10%' } },
        answer: { ...production, reserved: { cpu: null, memory: '10%' } },
      },
    ],
    handle: ({ clusters }, { caller, params, body: revise, precondition }) =>
      clusters.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'deleteCluster',
    method: 'delete',
    path: '/clusters/{id}',
    tag: 'Clusters',
    summary: 'Remove a cluster that has neither hosts nor datastores',
    needs: [edits('cluster')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'in_use', 'wrong_state'],
    examples: [{ params: { id: '100' }, answer: null }],
    handle: ({ clusters }, { caller, params, precondition }) => clusters.remove(caller, params.id, precondition),
  }),
  ...ownershipRoutes('cluster', {
    schema: ClusterResource,
    examples: { chmod: sharing('100', production), chown: giving('100', production) },
    of: ({ clusters }) => clusters,
  }),
];
