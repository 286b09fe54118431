import type { LeaseResource } from '../../schemas/networks/lease.js';
import type { NetworkResource } from '../../schemas/networks/network.js';
import { fact, row, templateText } from './columns.js';
import { permissionsOf } from './one-program.js';

// `onevnet` of OpenNebula 5.0.

/** `onevnet list`. Networks are in no cluster yet. */
export const networkList = (networks: readonly NetworkResource[]): string =>
  [
    row(
      ...([
        ['ID', -4],
        ['USER', 12],
        ['GROUP', 12],
        ['NAME', 19],
        ['CLUSTERS', 10],
        ['BRIDGE', 8],
        ['LEASES', -6],
      ] as const),
    ),
    ...networks.map((network) =>
      row(
        [String(network.id), -4],
        [network.uname, 12],
        [network.gname, 12],
        [network.name, 19],
        ['-', 10],
        [network.bridge, 8],
        [String(network.used_leases), -6],
      ),
    ),
  ].join('\n');

type Range = NetworkResource['address_ranges'][number];

/** `onevnet show`. */
export function networkText(network: NetworkResource, leases: readonly LeaseResource[]): string {
  return [
    `VIRTUAL NETWORK ${network.id} INFORMATION`,
    ...facts([
      ['ID', network.id],
      ['NAME', network.name],
      ['USER', network.uname],
      ['GROUP', network.gname],
      ['BRIDGE', network.bridge],
      ['VN_MAD', network.vn_mad],
      ['PHYSICAL DEVICE', network.phydev ?? undefined],
      ['VLAN ID', network.vlan_id ?? undefined],
      ['PARENT NETWORK', network.parent_network_id ?? undefined],
      ['USED LEASES', network.used_leases],
    ]),
    '',
    ...permissionsOf(network.permissions),
    '',
    'VIRTUAL NETWORK TEMPLATE',
    ...templateText(network.attributes),
    '',
    'ADDRESS RANGE POOL',
    ...network.address_ranges.flatMap(rangeText),
    'LEASES',
    row(['AR', 3], ['OWNER', 12], ['MAC', -17], ['IP', -15], ['IP6_GLOBAL', -26]),
    ...leases.map((lease) =>
      row(
        [String(lease.ar_id), 3],
        [ownerText(lease.holder), 12],
        [lease.mac, -17],
        [lease.ip ?? '-', -15],
        [lease.ip6_global ?? '-', -26],
      ),
    ),
  ].join('\n');
}

const rangeText = (range: Range): string[] => [
  `AR ${range.ar_id}`,
  ...facts([
    ['TYPE', range.type],
    ['SIZE', range.size],
    ['LEASES', range.used],
  ]),
  '',
  row(['RANGE', 10], ['FIRST', -34], ['LAST', -34]),
  row(['MAC', 10], [range.mac, -34]),
  ...(range.ip === null || range.last_ip === null ? [] : [row(['IP', 10], [range.ip, -34], [range.last_ip, -34])]),
  ...(range.global_prefix === null ? [] : [row(['IP6_GLOBAL', 10], [range.global_prefix, -34])]),
  ...(range.ula_prefix === null ? [] : [row(['IP6_ULA', 10], [range.ula_prefix, -34])]),
  '',
];

/** OpenNebula’s marks: of a VM, of a network that was made of it, or of nobody, who is kept from it. */
const ownerText = ({ type, id }: LeaseResource['holder']): string =>
  type === 'vm' ? `V:${id}` : type === 'network' ? `NET:${id}` : 'V:-1';

const facts = (given: readonly (readonly [string, string | number | undefined])[]): string[] =>
  given.flatMap(([name, value]) => fact(name, value, 15));
