import { defaultPermissions } from '../../schemas/common/common.js';
import type { Host } from '../../schemas/hosts/host.js';

/** A host of oneadmin's made by hand: it answers, and nothing is on it, but for what is said. */
export const madeHost = (said: Pick<Host, '_id'> & Partial<Host>): Host => ({
  ...{ uid: 0, gid: 0, permissions: defaultPermissions },
  name: `host ${said._id}`,
  vm_mad: 'simulated',
  state: 'MONITORED',
  error: null,
  total: { cpu: 400, memory: 4_096 },
  used: { cpu: 0, memory: 0 },
  vms: {},
  vm_count: 0,
  created_at: new Date(),
  last_monitored_at: null,
  ...said,
});
