import type { Why } from '../../../schemas/operations/why.js';
import type { NodeResource, ServiceResource, ServiceSummary } from '../../../schemas/services/service.js';
import { ofOneadmin } from '../identity/owner-examples.js';
import { ids, undeployOrDelete } from '../operations/operations-examples.js';
import { roles } from './service-templates-examples.js';

const node = (vm_id: number, name: string): NodeResource => ({
  vm_id,
  name,
  state: 'ACTIVE',
  lcm_state: 'RUNNING',
  ready: false,
  host: 'node-1',
  reason: null,
  created_at: '2026-05-04T09:32:11.000Z',
  monitoring: null,
});

export const shopOfMay: ServiceResource = {
  id: 1,
  name: 'shop of May',
  ...ofOneadmin,
  template_id: 0,
  template_revision: 1,
  state: 'RUNNING',
  deployment: 'straight',
  ready_status_gate: false,
  shutdown_action: null,
  roles: [
    {
      ...roles.web,
      state: 'RUNNING',
      reason: null,
      last_vmname: 2,
      operation: null,
      cooldown_until: null,
      nodes: [node(1, 'web_0_(service_1)'), node(2, 'web_1_(service_1)')],
    },
    {
      ...{ ...roles.db, state: 'RUNNING', reason: null, last_vmname: 1, operation: null, cooldown_until: null },
      nodes: [node(0, 'db_0_(service_1)')],
    },
  ],
  virtual_networks: [],
  log: [
    { timestamp: '2026-05-04T09:32:10.000Z', severity: 'I', message: 'Deployment, by oneadmin' },
    { timestamp: '2026-05-04T09:32:11.000Z', severity: 'I', message: 'New state: DEPLOYING' },
    { timestamp: '2026-05-04T09:32:25.000Z', severity: 'I', message: 'New state: RUNNING' },
  ],
  operation: null,
  created_at: '2026-05-04T09:32:10.000Z',
  ended_at: null,
};

export const shopOfMayInList: ServiceSummary = {
  id: 1,
  name: 'shop of May',
  ...ofOneadmin,
  template_id: 0,
  state: 'RUNNING',
  roles: [
    { name: 'web', state: 'RUNNING', cardinality: 2 },
    { name: 'db', state: 'RUNNING', cardinality: 1 },
  ],
  operation: null,
  created_at: '2026-05-04T09:32:10.000Z',
  ended_at: null,
};

export const whyShopOfMay: Why = {
  text: 'Service 1 (shop of May) runs: all 3 VMs of its 2 roles run. The deployment of service 1 (shop of May), asked for by oneadmin, succeeded 40 s ago, at 09:32:25Z, after 14 s.',
  resource: { type: 'service', id: 1, name: 'shop of May', state: 'RUNNING' },
  operation: ids.deployment,
  operation_state: 'succeeded',
  waiting_for: null,
  failures: [],
  actions: undeployOrDelete(1),
  asked_engine: true,
};
