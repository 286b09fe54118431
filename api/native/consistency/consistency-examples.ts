import type { ConsistencyCheckSummary } from '../../../schemas/consistency/consistency.js';
import { ids } from '../operations/operations-examples.js';

export const check: ConsistencyCheckSummary = {
  id: ids.check,
  state: 'succeeded',
  repair: true,
  doing: null,
  compared: { services: 1, vms: 4, hosts: 1, operations: 1, runs: 1, domains: 4, images: 2, datastores: 3, markets: 0 },
  found: 0,
  left: 0,
  created_at: '2026-05-04T09:54:00.000Z',
  started_at: '2026-05-04T09:54:01.000Z',
  ended_at: '2026-05-04T09:54:31.000Z',
};
