import type { LeaseResource } from '../../../schemas/networks/lease.js';
import type { NetworkResource } from '../../../schemas/networks/network.js';
import type { Why } from '../../../schemas/operations/why.js';
import { ofOneadmin } from '../identity/owner-examples.js';

type Range = NetworkResource['address_ranges'][number];

const range: Range = {
  type: 'IP4',
  ...{ ar_id: 0, size: 100, used: 0, mac: '02:00:c0:a8:00:0a', ip: '192.168.0.10' },
  ...{ last_ip: '192.168.0.109', global_prefix: null, ula_prefix: null, parent_ar_id: null },
};

export const office: NetworkResource = {
  id: 0,
  name: 'office',
  ...ofOneadmin,
  vn_mad: '802.1Q',
  ...{ bridge: 'onebr0', phydev: 'eth0', vlan_id: 2, vlan_id_automatic: true },
  attributes: { GATEWAY: '192.168.0.1', NETWORK_MASK: '255.255.255.0' },
  parent_network_id: null,
  service_id: null,
  used_leases: 0,
  address_ranges: [range],
  created_at: '2026-05-04T09:00:00.000Z',
};

export const whyOffice: Why = {
  text: 'Virtual network 0 (office) has 100 addresses, and nobody has one.',
  resource: { type: 'network', id: 0, name: 'office', state: 'FREE' },
  ...{ operation: null, operation_state: null, waiting_for: null, failures: [] },
  actions: [
    {
      name: 'delete_network',
      description: 'Remove it: nobody has an address of it.',
      ...{ method: 'DELETE', href: '/api/v1/virtual-networks/0', body: null },
      command: 'arcus network delete 0',
    },
  ],
  asked_engine: true,
};

const six: Range = {
  type: 'IP6',
  ...{ ar_id: 1, size: 8, used: 0, mac: '02:00:0a:00:00:01', ip: null, last_ip: null },
  ...{ global_prefix: '2001:db8::', ula_prefix: null, parent_ar_id: null },
};

export const withSix: NetworkResource = { ...office, address_ranges: [range, six] };
export const withLargerSix: NetworkResource = { ...office, address_ranges: [range, { ...six, size: 16 }] };

export const holding: NetworkResource = { ...office, used_leases: 1, address_ranges: [{ ...range, used: 1 }] };

export const held: LeaseResource = {
  ...{ mac: '02:00:c0:a8:00:0a', ip: '192.168.0.10', ip6_link: null, ip6_global: null, ip6_ula: null },
  ar_id: 0,
  holder: { type: 'hold', id: null, nic_id: null },
  taken_at: '2026-05-04T09:00:10.000Z',
};

export const reserved: NetworkResource = {
  ...office,
  ...{ id: 1, name: 'my office', vlan_id_automatic: false, parent_network_id: 0 },
  address_ranges: [{ ...range, size: 10, last_ip: '192.168.0.19', parent_ar_id: 0 }],
};
