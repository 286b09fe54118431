import { CreateNetwork, NetworkResource } from '../../schemas/networks/network.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { permissionsText } from '../identity/ownership.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs, tableOf } from '../shell/output.js';
import type { Resource } from '../shell/resource.js';

type Range = NetworkResource['address_ranges'][number];

const sizes = ({ used_leases, address_ranges }: NetworkResource): string =>
  `${used_leases} / ${address_ranges.reduce((sum, { size }) => sum + size, 0)}`;

const rangesText = (ranges: readonly Range[]): string =>
  tableOf(
    [
      { title: 'AR', text: ({ ar_id }) => String(ar_id), right: true },
      { title: 'TYPE', text: ({ type }) => type },
      { title: 'FIRST IP', text: ({ ip }) => ip ?? '-' },
      { title: 'LAST IP', text: ({ last_ip }) => last_ip ?? '-' },
      { title: 'FIRST MAC', text: ({ mac }) => mac },
      { title: 'PREFIXES', text: (range) => prefixes(range) },
      { title: 'USED', text: ({ used, size }) => `${used} / ${size}`, right: true },
    ],
    ranges,
  );

const prefixes = ({ global_prefix, ula_prefix }: Range): string =>
  [global_prefix, ula_prefix].filter((prefix) => prefix !== null).join(' ') || '-';

export const networks: Resource<typeof NetworkResource, typeof NetworkResource> = {
  ...nounOf('network'),
  item: NetworkResource,
  whole: NetworkResource,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'USER', text: ({ uname }) => uname },
    { title: 'GROUP', text: ({ gname }) => gname },
    { title: 'NAME', text: ({ name }) => name, cut: true },
    { title: 'BRIDGE', text: ({ bridge }) => bridge },
    { title: 'LEASES', text: sizes, right: true },
  ],
  text: (network) =>
    [
      `VIRTUAL NETWORK ${network.id} INFORMATION`,
      pairs([
        ['ID', String(network.id)],
        ['NAME', network.name],
        ['USER', network.uname],
        ['GROUP', network.gname],
        ['DRIVER', network.vn_mad],
        ['BRIDGE', network.bridge],
        ['PHYSICAL DEVICE', network.phydev ?? '-'],
        ['VLAN', vlanText(network)],
        ['RESERVED OF', network.parent_network_id === null ? '-' : `network ${network.parent_network_id}`],
        ['LEASES', sizes(network)],
        ['CREATED', network.created_at],
      ]),
      '',
      permissionsText(network),
      ...section('ATTRIBUTES', Object.entries(network.attributes)),
      ...(network.address_ranges.length > 0 ? ['', 'ADDRESS RANGES', rangesText(network.address_ranges)] : []),
    ].join('\n'),
};

const vlanText = ({ vlan_id, vlan_id_automatic }: NetworkResource): string =>
  vlan_id === null ? '-' : `${vlan_id}${vlan_id_automatic ? ' (drawn)' : ''}`;

const section = (title: string, rows: [string, string][]): string[] =>
  rows.length === 0 ? [] : ['', title, pairs(rows)];

/** A network in a document of `apply`. */
export const networkDocuments: DocumentKind = {
  ...nounOf('network'),
  wish: CreateNetwork,
  answer: NetworkResource,
  asDocument: (object) => NetworkResource.parse(object),
  update: 'PATCH',
  merges: ['attributes'],
  once: ['address_ranges'],
  anyCase: ['attributes'],
};
