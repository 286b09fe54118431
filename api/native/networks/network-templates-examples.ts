import type { NetworkTemplateResource } from '../../../schemas/networks/network-template.js';
import { ofOneadmin } from '../identity/owner-examples.js';
import { office } from './networks-examples.js';

export const isolated: NetworkTemplateResource = {
  id: 0,
  name: 'isolated',
  ...ofOneadmin,
  ...{ vn_mad: 'vxlan', bridge: null, phydev: 'eth0', vlan_id: null },
  attributes: { MTU: '1450' },
  address_ranges: [{ type: 'IP4', ip: '10.0.0.1', size: 100 }],
  created_at: '2026-05-04T09:00:00.000Z',
};

export const ofIsolated: typeof office = {
  ...office,
  ...{ id: 2, name: 'lab', vn_mad: 'vxlan', bridge: 'onebr2' },
  attributes: { MTU: '1450', GATEWAY: '10.0.0.254' },
  address_ranges: office.address_ranges.map((range) => ({
    ...range,
    ...{ mac: '02:00:0a:00:00:01', ip: '10.0.0.1', last_ip: '10.0.0.100' },
  })),
};
