import { PageQuery } from '../../../schemas/common/common.js';
import { namedFields } from '../../../schemas/common/list.js';
import { LeaseResource } from '../../../schemas/networks/lease.js';
import { CreateNetwork, NetworkEdit, NetworkResource, UpdateNetwork } from '../../../schemas/networks/network.js';
import { patches, upperCaseBelow } from '../../http/edit-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { ownershipRoutes } from '../ownership.js';
import { ById, creates, json, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { addressRoutes } from './addresses.js';
import { held, office } from './networks-examples.js';

const path = '/virtual-networks';

export const networkRoutes: readonly Route[] = [
  route({
    ...{ id: 'listNetworks', method: 'get', path, tag: 'Virtual networks' },
    summary: 'List virtual networks',
    needs: [['see', 'network']],
    params: NoParams,
    query: listQuery(namedFields, NetworkResource),
    body: noBody,
    answer: lists('NetworkPage', NetworkResource),
    problems: [],
    examples: [{ query: { filter: 'name~off*' }, answer: { items: [office], next_cursor: null } }],
    handle: ({ networks }, { caller, query }) => networks.list(caller, query),
  }),
  route({
    ...{ id: 'createNetwork', method: 'post', path, tag: 'Virtual networks' },
    summary: 'Add a virtual network',
    needs: [['create', 'network']],
    description:
      'How VMs are connected on their hosts (`vn_mad`, `bridge`, `phydev`, `vlan_id`) is for administrators to say: a network that says nothing of it is on a bridge of its own. Addresses of its ranges are given to VMs, each to one.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateNetwork.meta({ id: 'CreateNetwork' })),
    answer: creates(NetworkResource),
    problems: ['name_taken', 'quota_exceeded', 'wrong_state'],
    examples: [
      {
        body: {
          ...{ name: 'office', vn_mad: '802.1Q', phydev: 'eth0' },
          attributes: { GATEWAY: '192.168.0.1', NETWORK_MASK: '255.255.255.0' },
          address_ranges: [{ type: 'IP4', ip: '192.168.0.10', size: 100 }],
        },
        answer: office,
      },
    ],
    handle: ({ networks }, { caller, body }) => networks.create(caller, body),
  }),
  route({
    ...{ id: 'showNetwork', method: 'get', path: `${path}/{id}`, tag: 'Virtual networks' },
    summary: 'Show a virtual network',
    needs: [['use', 'network']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(NetworkResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: office }],
    handle: ({ networks }, { caller, params }) => networks.show(caller, params.id),
  }),
  route({
    ...{ id: 'updateNetwork', method: 'patch', path: `${path}/{id}`, tag: 'Virtual networks' },
    summary: 'Rename a virtual network, or set its attributes',
    needs: [edits('network')],
    description: 'VMs that are on it keep what they were told.',
    params: ById,
    query: NoQuery,
    body: patches(UpdateNetwork.meta({ id: 'UpdateNetwork' }), NetworkEdit, upperCaseBelow('attributes')),
    answer: shows(NetworkResource),
    problems: ['not_found', 'name_taken'],
    examples: [
      {
        title: 'An attribute',
        params: { id: '0' },
        body: { attributes: { DNS: '192.168.0.1 9.9.9.9' } },
        answer: { ...office, attributes: { ...office.attributes, DNS: '192.168.0.1 9.9.9.9' } },
      },
      { title: 'An attribute that goes', params: { id: '0' }, body: { attributes: { DNS: null } }, answer: office },
    ],
    handle: ({ networks }, { caller, params, body: revise, precondition }) =>
      networks.update(caller, params.id, { revise, precondition }),
  }),
  route({
    ...{ id: 'deleteNetwork', method: 'delete', path: `${path}/{id}`, tag: 'Virtual networks' },
    summary: 'Remove a virtual network of which nobody has an address',
    needs: [edits('network')],
    description: 'What a reservation has goes back to the network that it was reserved of.',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'in_use'],
    examples: [{ params: { id: '1' }, answer: null }],
    handle: ({ networks }, { caller, params, precondition }) => networks.remove(caller, params.id, precondition),
  }),
  ...addressRoutes,
  route({
    ...{ id: 'showLeases', method: 'get', path: `${path}/{id}/leases`, tag: 'Virtual networks' },
    summary: 'Show who has which addresses of a virtual network',
    needs: [['use', 'network']],
    params: ById,
    query: PageQuery,
    body: noBody,
    answer: lists('LeasePage', LeaseResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: { items: [held], next_cursor: null } }],
    handle: ({ networks }, { caller, params, query }) => networks.leases(caller, params.id, query),
  }),
  ...ownershipRoutes('network', {
    schema: NetworkResource,
    examples: { chmod: sharing('0', office), chown: giving('0', office) },
    of: ({ networks }) => networks,
  }),
];
