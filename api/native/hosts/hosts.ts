import { FailoverHost } from '../../../schemas/hosts/ha.js';
import { CreateHost, HostEdit, HostResource, HostState, hostFields, UpdateHost } from '../../../schemas/hosts/host.js';
import { CleanHost, ImportWild } from '../../../schemas/hosts/strays.js';
import { patches, upperCaseBelow } from '../../http/edit-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { accepted, ids } from '../operations/operations-examples.js';
import { ownershipRoutes } from '../ownership.js';
import {
  accepts,
  ById,
  creates,
  json,
  lists,
  NoParams,
  NoQuery,
  noBody,
  type Route,
  removes,
  route,
  shows,
} from '../route.js';
import { node } from './hosts-examples.js';

const HostQuery = listQuery(hostFields, HostResource).extend({
  state: HostState.optional().describe('Only hosts in this state'),
});

const intoCluster = ['admin', 'cluster', { at: '/cluster_id', as: 'the cluster that it is put into' }] as const;

export const hostRoutes: readonly Route[] = [
  route({
    id: 'listHosts',
    method: 'get',
    path: '/hosts',
    tag: 'Hosts',
    summary: 'List hosts',
    needs: [['see', 'host']],
    params: NoParams,
    query: HostQuery,
    body: noBody,
    answer: lists('HostPage', HostResource),
    problems: [],
    examples: [
      {
        query: { filter: 'state=MONITORED', fields: 'id,name,state,cpu,memory' },
        answer: {
          items: [{ id: node.id, name: node.name, state: node.state, cpu: node.cpu, memory: node.memory }],
          next_cursor: null,
        },
      },
    ],
    handle: ({ hosts }, { caller, query }) => hosts.list(caller, query),
  }),
  route({
    id: 'createHost',
    method: 'post',
    path: '/hosts',
    tag: 'Hosts',
    summary: 'Add a host',
    needs: [['create', 'host'], intoCluster],
    description: 'It takes VMs as soon as its hypervisor has answered a first probe.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateHost.meta({ id: 'CreateHost' })),
    answer: creates(HostResource),
    problems: ['name_taken'],
    examples: [
      {
        body: { name: 'node-1', cpu: 16, memory: 65536, cluster_id: 100, attributes: { SSD: 'YES' } },
        answer: { ...node, state: 'INIT', next_look: null, last_monitored_at: null },
      },
    ],
    handle: ({ hosts }, { caller, body }) => hosts.create(caller, body),
  }),
  route({
    id: 'showHost',
    method: 'get',
    path: '/hosts/{id}',
    tag: 'Hosts',
    summary: 'Show a host',
    needs: [['use', 'host']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(HostResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: node }],
    handle: ({ hosts }, { caller, params }) => hosts.show(caller, params.id),
  }),
  route({
    id: 'updateHost',
    method: 'patch',
    path: '/hosts/{id}',
    tag: 'Hosts',
    summary: 'Enable, disable or resize a host',
    needs: [edits('host'), intoCluster],
    params: ById,
    query: NoQuery,
    body: patches(UpdateHost.meta({ id: 'UpdateHost' }), HostEdit, upperCaseBelow('attributes')),
    answer: shows(HostResource),
    problems: ['not_found', 'wrong_state', 'in_use', 'operation_in_progress'],
    examples: [{ params: { id: '0' }, body: { state: 'disabled' }, answer: { ...node, state: 'DISABLED' } }],
    handle: ({ hosts }, { caller, params, body: revise, precondition }) =>
      hosts.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'cleanHost',
    method: 'post',
    path: '/hosts/{id}/clean',
    tag: 'Hosts',
    summary: 'Remove domains of ours that should not be there',
    description:
      'The next looks at the host remove them, each under the epoch that was seen. Without `vms`: all `zombies` but those that are `kept`. Domains of others (`wilds`) are never touched.',
    needs: [edits('host')],
    params: ById,
    query: NoQuery,
    body: json(CleanHost.meta({ id: 'CleanHost' }), 'optional'),
    answer: shows(HostResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, body: {}, answer: node }],
    handle: ({ hosts }, { caller, params, body, precondition }) => hosts.clean(caller, params.id, body, precondition),
  }),
  route({
    id: 'flushHost',
    method: 'post',
    path: '/hosts/{id}/flush',
    tag: 'Hosts',
    summary: 'Disable a host, and move its VMs to others',
    description:
      'Each VM by an operation of its own, as `POST /vms/{id}/migrate` would: live where it runs and its hypervisors can, else cold, and of a role then one after the other. What has no place elsewhere stays: the operation fails then and names it, and a retry goes on. The host stays disabled.',
    needs: [edits('host')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [
      {
        params: { id: '0' },
        answer: accepted(ids.flush, 'flushHost', { type: 'host', id: 0, name: 'node-1' }, '09:27:30'),
      },
    ],
    handle: ({ hosts }, { caller, params, admission }) => hosts.flush(caller, params.id, admission),
  }),
  route({
    id: 'failoverHost',
    method: 'post',
    path: '/hosts/{id}/failover',
    tag: 'Hosts',
    summary: 'Recover the VMs of a host that does not answer elsewhere',
    description:
      'As its policy (`ha`) has it done by itself: a second look, then the host is turned off by the methods of its policy, or a person says that it is off (`POST /hosts/{id}/fenced`); then its VMs are recovered, those first that others of their service stand on. Nothing is started elsewhere before the host is off. What fits nowhere waits for room by an operation of its own. `failed_over` of the operation says what has become of each VM.',
    needs: [edits('host')],
    params: ById,
    query: NoQuery,
    body: json(FailoverHost.meta({ id: 'FailoverHost' }), 'optional'),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [
      {
        params: { id: '0' },
        body: { action: 'migrate' },
        answer: accepted(ids.failover, 'failoverHost', { type: 'host', id: 0, name: 'node-1' }, '09:31:10'),
      },
    ],
    handle: ({ hosts }, { caller, params, body, admission }) => hosts.failOver(caller, params.id, body, admission),
  }),
  route({
    id: 'testHostFencing',
    method: 'post',
    path: '/hosts/{id}/fence-test',
    tag: 'Hosts',
    summary: 'Turn a host off and on, to try whether that can be done',
    description:
      'By each method of its policy (`ha`) that needs nobody: it has to have power, go when it is turned off, and answer again when it is turned on, as probes see it. Where all do, the policy is `armed`: failovers begin by themselves. It is until its methods are changed. The host has to be disabled and have no VMs; it is turned on again whatever fails.',
    needs: [edits('host')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [
      {
        params: { id: '0' },
        answer: accepted(ids.fenceTest, 'testFencing', { type: 'host', id: 0, name: 'node-1' }, '09:33:10'),
      },
    ],
    handle: ({ hosts }, { caller, params, admission }) => hosts.testFencing(caller, params.id, admission),
  }),
  route({
    id: 'callHostFenced',
    method: 'post',
    path: '/hosts/{id}/fenced',
    tag: 'Hosts',
    summary: 'Say that a host that does not answer is off',
    description:
      'Said by somebody who knows that its power is cut, or that it has none: VMs of it are started elsewhere, and ended, as if nothing of them ran there. A failover that waits for it goes on. It is so until the host answers again.',
    needs: [edits('host')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(HostResource),
    problems: ['not_found', 'wrong_state'],
    examples: [
      {
        params: { id: '0' },
        answer: {
          ...node,
          state: 'ERROR',
          error: 'connection refused',
          silent_since: '2026-11-18T09:31:02.000Z',
          missed: 1,
          fenced: { at: '2026-11-18T09:31:40.000Z', by: 'oneadmin' },
        },
      },
    ],
    handle: ({ hosts }, { caller, params, precondition }) => hosts.callFenced(caller, params.id, precondition),
  }),
  route({
    id: 'importWild',
    method: 'post',
    path: '/hosts/{id}/import',
    tag: 'Hosts',
    summary: 'Make a domain that is not of this Arcus a VM',
    description:
      'One of the `wilds` of the host, by deploy id or name, as it is: RUNNING, POWEROFF or SUSPENDED by what it does. The VM is the caller’s, with the size that the host reports: its reservation, and charged, from now on. The domain keeps its name and is from then on like any other of ours: whoever terminates the VM destroys it. Where the operation fails or is cancelled the VM is DONE, and the domain as it was.',
    needs: [edits('host'), ['create', 'vm']],
    params: ById,
    query: NoQuery,
    body: json(ImportWild.meta({ id: 'ImportWild' })),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'quota_exceeded', 'idempotency_key_reused'],
    examples: [
      {
        params: { id: '0' },
        body: { wild: 'legacy-501-zone-b', name: 'database' },
        answer: accepted(ids.import, 'importVm', { type: 'vm', id: 19, name: 'database' }, '09:56:40'),
      },
    ],
    handle: ({ hosts }, { caller, params, body, admission }) => hosts.importWild(caller, params.id, body, admission),
  }),
  route({
    id: 'deleteHost',
    method: 'delete',
    path: '/hosts/{id}',
    tag: 'Hosts',
    summary: 'Remove a host that has no VMs',
    needs: [edits('host')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'in_use', 'wrong_state', 'operation_in_progress'],
    examples: [{ params: { id: '0' }, answer: null }],
    handle: ({ hosts }, { caller, params, precondition }) => hosts.remove(caller, params.id, precondition),
  }),
  ...ownershipRoutes('host', {
    schema: HostResource,
    examples: { chmod: sharing('0', node), chown: giving('0', node) },
    of: ({ hosts }) => hosts,
  }),
];
