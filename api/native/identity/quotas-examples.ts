import type { DefaultQuotas, OwnQuotas, QuotaResource } from '../../../schemas/identity/quota.js';

const byDefault = { limit: -1, effective: null, used: 0 };
const unset = {
  services: byDefault,
  vms: byDefault,
  cpu: byDefault,
  memory: byDefault,
  images: byDefault,
  storage: byDefault,
  leases: byDefault,
  ...{ per_network: {}, per_datastore: {}, per_image: {} },
};
const counted = (limit: number) => ({ limit: -1, effective: limit, used: 0 });
const counts = {
  vm_templates: counted(1000),
  service_templates: counted(1000),
  networks: counted(1000),
  network_templates: counted(1000),
  security_groups: counted(1000),
  tokens: counted(100),
  operations: counted(200),
};
const uncounted = {
  vm_templates: byDefault,
  service_templates: byDefault,
  networks: byDefault,
  network_templates: byDefault,
  security_groups: byDefault,
  tokens: byDefault,
  operations: byDefault,
};
const ofUsersByDefault = {
  ...{ vm_templates: 1000, service_templates: 1000, networks: 1000, network_templates: 1000, security_groups: 1000 },
  ...{ tokens: 100, operations: 200 },
};
const noLimitsOn = { leases: -2, per_network: {}, per_datastore: {}, per_image: {} };
const noLimits = { services: -2, vms: -2, cpu: -2, memory: -2, images: -2, storage: -2, ...noLimitsOn };

export const own: OwnQuotas = {
  user: { type: 'user', id: 0, name: 'oneadmin', exempt: true, ...unset, ...uncounted },
  groups: [{ type: 'group', id: 0, name: 'oneadmin', exempt: true, ...unset }],
};

export const noDefaults: DefaultQuotas = { users: { ...noLimits, ...ofUsersByDefault }, groups: noLimits };
export const fiftyVms: DefaultQuotas = {
  users: { ...noLimits, ...ofUsersByDefault, vms: 50 },
  groups: noLimits,
};

export const ofAlice: QuotaResource = {
  type: 'user',
  id: 2,
  name: 'alice',
  exempt: false,
  ...unset,
  ...counts,
  vms: { limit: 10, effective: 10, used: 0 },
  cpu: { limit: 8.5, effective: 8.5, used: 0 },
};

export const ofUsers: QuotaResource = {
  type: 'group',
  id: 1,
  name: 'users',
  exempt: false,
  ...unset,
  services: { limit: 5, effective: 5, used: 0 },
};
