import type { HostResource } from '../../../schemas/hosts/host.js';
import type { Why } from '../../../schemas/operations/why.js';
import { ofOneadmin } from '../identity/owner-examples.js';

export const node: HostResource = {
  id: 0,
  name: 'node-1',
  ...ofOneadmin,
  vm_mad: 'simulated',
  libvirt: null,
  state: 'MONITORED',
  error: null,
  silent_since: null,
  missed: 0,
  fenced: null,
  ha: null,
  ha_of: 'cluster',
  armed: null,
  fence_test: null,
  expected_recovery: null,
  next_look: '2026-05-04T09:15:40.000Z',
  cluster_id: 100,
  attributes: { SSD: 'YES' },
  reserved: { cpu: null, memory: null },
  cpu: { total: 16, reserved: 0, used: 0, outside: 0, free: 16 },
  memory: { total: 65536, reserved: 6554, used: 0, outside: 0, free: 58982 },
  vms: [],
  operation: null,
  zombies: { count: 0, items: [] },
  wilds: { count: 0, items: [] },
  created_at: '2026-05-04T09:10:00.000Z',
  last_monitored_at: '2026-05-04T09:15:20.000Z',
};

export const whyDisabled: Why = {
  text: 'Host 0 (node-1) is disabled: it keeps its VMs and takes no new ones. 16 of 16 CPU and 58982 of 58982 MB of memory are free, with 0 VMs on it. You can enable the host.',
  resource: { type: 'host', id: 0, name: 'node-1', state: 'DISABLED' },
  operation: null,
  operation_state: null,
  waiting_for: null,
  failures: [],
  actions: [
    {
      name: 'enable',
      description: 'Let the host take VMs again.',
      method: 'PATCH',
      href: '/api/v1/hosts/0',
      body: { state: 'enabled' },
      command: 'arcus host enable 0',
    },
  ],
  asked_engine: true,
};
