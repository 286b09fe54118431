import type { ClusterResource } from '../../../schemas/hosts/cluster.js';
import { ofOneadmin } from '../identity/owner-examples.js';

export const production: ClusterResource = {
  id: 100,
  name: 'production',
  ...ofOneadmin,
  attributes: { RACK: 'r1' },
  reserved: { cpu: null, memory: null },
  ha: null,
  hosts: [],
  created_at: '2026-05-04T09:00:00.000Z',
};
