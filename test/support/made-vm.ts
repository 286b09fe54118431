import { defaultPermissions } from '../../schemas/common/common.js';
import type { Vm } from '../../schemas/vms/vm.js';

/** A small VM of oneadmin's made by hand, in nobody's hands and on no host, but for what is said. */
export const madeVm = (said: Pick<Vm, '_id' | 'state' | 'lcm_state'> & Partial<Vm>): Vm => ({
  name: `VM ${said._id}`,
  ...{ uid: 0, gid: 0, permissions: defaultPermissions },
  reason: null,
  template_id: 0,
  capacity: { cpu: 100, memory: 64 },
  template: {},
  user_template: {},
  service: null,
  history: [],
  deploy_id: null,
  epoch: 1,
  hold: null,
  operation: null,
  wanted: null,
  created_at: new Date(),
  ended_at: null,
  ...said,
});
