import { NewRange } from '../../../schemas/networks/addresses.js';
import { HoldAddress, NetworkResource, Reserve, ResizeRange } from '../../../schemas/networks/network.js';
import { PathId } from '../../http/path-id.js';
import { apiRoot, ById, creates, json, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { holding, office, reserved, withLargerSix, withSix } from './networks-examples.js';

const path = '/virtual-networks/{id}';
const tag = 'Virtual networks';
const RangeOfNetwork = ById.extend({ range: PathId.describe('Its id, `ar_id`') });

/** The network that has them is not below the one that they are of. */
const reservedReply = (network: NetworkResource) => ({
  status: 201,
  body: network,
  headers: { Location: `${apiRoot}/virtual-networks/${network.id}` },
});

/** What is done to the addresses of a virtual network. */
export const addressRoutes: readonly Route[] = [
  route({
    ...{ id: 'addRange', method: 'post', path: `${path}/address-ranges`, tag },
    summary: 'Add an address range to a virtual network',
    needs: [['admin', 'network']],
    description:
      'No address of it may be in another range of the network. A MAC that is not given is `02:00` and the IPv4 address, as in OpenNebula, or is drawn.',
    params: ById,
    query: NoQuery,
    body: json(NewRange.meta({ id: 'NewRange' })),
    answer: shows(NetworkResource),
    problems: ['not_found', 'wrong_state'],
    examples: [
      {
        params: { id: '0' },
        body: { type: 'IP6', size: 8, mac: '02:00:0a:00:00:01', global_prefix: '2001:db8::' },
        answer: withSix,
      },
    ],
    handle: ({ networks }, { caller, params, body, precondition }) =>
      networks.addRange(caller, params.id, body, precondition),
  }),
  route({
    ...{ id: 'resizeRange', method: 'put', path: `${path}/address-ranges/{range}`, tag },
    summary: 'Make an address range larger or smaller',
    needs: [['admin', 'network']],
    description: 'What it would lose must be nobody’s. What was reserved stays as large as it is.',
    params: RangeOfNetwork,
    query: NoQuery,
    body: json(ResizeRange.meta({ id: 'ResizeRange' })),
    answer: shows(NetworkResource),
    problems: ['not_found', 'in_use'],
    examples: [{ params: { id: '0', range: '1' }, body: { size: 16 }, answer: withLargerSix }],
    handle: ({ networks }, { caller, params, body, precondition }) =>
      networks.resizeRange(caller, params.id, params.range, body, precondition),
  }),
  route({
    ...{ id: 'removeRange', method: 'delete', path: `${path}/address-ranges/{range}`, tag },
    summary: 'Remove an address range of which nobody has an address',
    needs: [['manage', 'network']],
    description: 'What was reserved goes back to the network that it was reserved of.',
    params: RangeOfNetwork,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'in_use'],
    examples: [{ params: { id: '0', range: '1' }, answer: null }],
    handle: ({ networks }, { caller, params, precondition }) =>
      networks.removeRange(caller, params.id, params.range, precondition),
  }),
  route({
    ...{ id: 'holdAddress', method: 'post', path: `${path}/hold`, tag },
    summary: 'Keep an address of a virtual network back',
    needs: [['manage', 'network']],
    description: 'Nobody is given it before it is released.',
    params: ById,
    query: NoQuery,
    body: json(HoldAddress.meta({ id: 'HoldAddress' })),
    answer: shows(NetworkResource),
    problems: ['not_found', 'in_use'],
    examples: [{ params: { id: '0' }, body: { ip: '192.168.0.10' }, answer: holding }],
    handle: ({ networks }, { caller, params, body, precondition }) =>
      networks.hold(caller, params.id, body, precondition),
  }),
  route({
    ...{ id: 'releaseAddress', method: 'post', path: `${path}/release`, tag },
    summary: 'Let an address that was kept back be given to somebody',
    needs: [['manage', 'network']],
    params: ById,
    query: NoQuery,
    body: json(HoldAddress),
    answer: shows(NetworkResource),
    problems: ['not_found', 'wrong_state'],
    examples: [{ params: { id: '0' }, body: { ip: '192.168.0.10' }, answer: office }],
    handle: ({ networks }, { caller, params, body, precondition }) =>
      networks.release(caller, params.id, body, precondition),
  }),
  route({
    ...{ id: 'reserveAddresses', method: 'post', path: `${path}/reserve`, tag },
    summary: 'Make a virtual network of addresses of one, or add some to one that was made so',
    needs: [
      ['manage', 'network'],
      ['manage', 'network', { at: '/network_id', as: 'a reservation that they are added to' }],
    ],
    description:
      'The new one is yours, in your group, with your umask, on the same wire and with the same attributes. The addresses come back when it goes.',
    params: ById,
    query: NoQuery,
    body: json(Reserve.meta({ id: 'Reserve' })),
    answer: {
      ...creates(NetworkResource),
      description: 'Reserved',
      reply: reservedReply,
    },
    problems: ['not_found', 'name_taken', 'quota_exceeded', 'in_use', 'wrong_state'],
    examples: [{ params: { id: '0' }, body: { name: 'my office', size: 10 }, answer: reserved }],
    handle: ({ networks }, { caller, params, body }) => networks.reserve(caller, params.id, body),
  }),
];
