import type { SecurityGroupResource } from '../../../schemas/networks/security-group.js';
import { ofOneadmin } from '../identity/owner-examples.js';

export const web: SecurityGroupResource = {
  id: 100,
  name: 'web',
  ...ofOneadmin,
  rules: [
    { protocol: 'TCP', rule_type: 'inbound', range: '80,443' },
    { protocol: 'ICMP', rule_type: 'inbound', icmp_type: 8 },
    { protocol: 'ALL', rule_type: 'outbound' },
  ],
  vms: [],
  networks: [],
  created_at: '2026-05-04T09:00:00.000Z',
};
