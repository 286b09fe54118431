import type { Why } from '../../../schemas/operations/why.js';
import type { VmPlacement } from '../../../schemas/placement/placement.js';
import type { VmResource } from '../../../schemas/vms/vm.js';
import { ofOneadmin } from '../identity/owner-examples.js';
import { heldVm, ids, terminate } from '../operations/operations-examples.js';
import { small } from './vm-templates-examples.js';

export const buildServer: VmResource = {
  id: 3,
  name: 'build-server',
  ...ofOneadmin,
  state: 'ACTIVE',
  lcm_state: 'RUNNING',
  reason: null,
  ready: false,
  template_id: 0,
  cpu: 1,
  memory: 512,
  service_id: null,
  role_name: null,
  host: { id: 0, name: 'node-1' },
  resched: false,
  nics: [],
  files: [],
  disks: [],
  datastore_id: null,
  snapshots: [],
  debugging: null,
  template: small.template,
  user_template: {},
  history: [
    {
      seq: 0,
      host_id: 0,
      hostname: 'node-1',
      vm_mad: 'simulated',
      datastore_id: null,
      started_at: '2026-05-04T09:34:01.000Z',
      ended_at: null,
      reason: 'none',
    },
  ],
  operation: null,
  monitoring: null,
  created_at: '2026-05-04T09:34:00.000Z',
  ended_at: null,
};

/** Without what it uses, as where more than it is told of. */
const { monitoring: _, ...told } = buildServer;
export const toldServer: VmResource = told;

export const onHold: VmResource = {
  ...toldServer,
  ...{ id: heldVm.id, name: heldVm.name, state: 'HOLD', lcm_state: 'LCM_INIT', host: null, history: [] },
  created_at: '2026-05-04T09:55:00.000Z',
};

export const whyBuildServer: Why = {
  text: 'VM 3 (build-server) runs on node-1.',
  resource: { type: 'vm', id: 3, name: 'build-server', state: 'ACTIVE/RUNNING' },
  operation: ids.vm,
  operation_state: 'succeeded',
  waiting_for: null,
  failures: [],
  actions: [terminate],
  asked_engine: true,
};

export const placementOfBuildServer: VmPlacement = {
  vm: 3,
  text: 'VM 3 (build-server) is on host 0 (node-1), the only host there was.',
  host: { id: 0, name: 'node-1' },
  placed_at: '2026-05-04T09:34:01.000Z',
  requirements: null,
  rank: null,
  record: { rank_by: 'stripe', rank: -3, candidates: 1, hosts: 1, others: [], refused: [] },
  candidates: 0,
  refused: [],
};
