const ownership = {
  uid: 0,
  gid: 0,
  uname: 'oneadmin',
  gname: 'oneadmin',
  permissions: {
    owner: { use: true, manage: true, admin: false },
    group: { use: false, manage: false, admin: false },
    other: { use: false, manage: false, admin: false },
  },
};
const created_at = '2026-11-22T14:00:00.000Z';

/** A host as the API answers it. */
export const host = (id: number, name: string, state = 'MONITORED') => ({
  ...ownership,
  id,
  name,
  vm_mad: 'simulated',
  libvirt: null,
  state,
  error: null,
  cluster_id: 0,
  attributes: {},
  reserved: { cpu: null, memory: null },
  cpu: { total: 4, reserved: 0, used: 0, outside: 0, free: 4 },
  memory: { total: 4096, reserved: 0, used: 0, outside: 0, free: 4096 },
  vms: [],
  operation: null,
  silent_since: null,
  missed: 0,
  fenced: null,
  ha: null,
  armed: null,
  ha_of: 'cluster',
  fence_test: null,
  expected_recovery: null,
  next_look: created_at,
  zombies: { count: 0, items: [] },
  wilds: { count: 0, items: [] },
  created_at,
  last_monitored_at: created_at,
});

/** A cluster as the API answers it. */
export const cluster = (id: number, name: string, hosts: number[] = []) => ({
  ...ownership,
  ...{ id, name, hosts, created_at },
  attributes: {},
  reserved: { cpu: null, memory: null },
  ha: null,
});

/** A service as the API answers it, by itself and in a list. */
export const service = (id: number, name: string, state = 'RUNNING', changes: Record<string, unknown> = {}) => ({
  ...ownership,
  id,
  name,
  template_id: 0,
  template_revision: 1,
  state,
  deployment: 'straight',
  ready_status_gate: false,
  shutdown_action: null,
  roles: [
    {
      name: 'web',
      cardinality: 2,
      vm_template: 0,
      parents: [],
      state,
      reason: null,
      last_vmname: 2,
      operation: null,
      cooldown_until: null,
      nodes: [node(10 * id, 'host-1'), node(10 * id + 1, 'host-2')],
    },
  ],
  virtual_networks: [],
  log: [],
  operation: null,
  created_at,
  ended_at: null,
  ...changes,
});

const node = (vm_id: number, host: string) => ({
  vm_id,
  name: `web_${vm_id}`,
  state: 'ACTIVE',
  lcm_state: 'RUNNING',
  ready: false,
  host,
  reason: null,
  ...{ created_at, monitoring: null as object | null },
});

/** The only page of a list. */
export const page = (...items: unknown[]) => ({ body: { items, next_cursor: null } });

/** A user and a group as the API answers them. */
export const user = (id: number, name: string, changes: Record<string, unknown> = {}) => ({
  ...{ id, name, gid: 1, gname: 'users', groups: [{ id: 1, name: 'users', admin: false }] },
  ...{ administrator: false, enabled: true, umask: '177', attributes: {}, created_at },
  ...changes,
});
export const group = (id: number, name: string) => ({
  ...{ id, name, members: 1, admins: [], create: { users: ['VM'], admins: ['VM'] } },
  ...{ shared_view: false, rules: [], created_at },
});
