import { VmLogResource } from '../../../schemas/vms/vm-log.js';
import { ids } from '../operations/operations-examples.js';
import { ById, NoQuery, noBody, type Route, route, shows } from '../route.js';

const deployed = { operation: ids.vm, action: 'deploy', requester: 'oneadmin', reason: null };
const none = { operation: null, action: null, requester: null, reason: null };

export const vmLogRoute: Route = route({
  ...{ id: 'showVmLog', method: 'get', path: '/vms/{id}/log', tag: 'VMs' },
  summary: 'Show what a VM has been through: its changes of state, and where it was',
  needs: [['use', 'vm']],
  description:
    'Each change of state is written in the update that makes it, with the operation that made it. Of the phases of a stay, each as it was last.',
  params: ById,
  query: NoQuery,
  body: noBody,
  answer: shows(VmLogResource),
  problems: ['not_found'],
  examples: [
    {
      params: { id: '3' },
      answer: {
        vm: 3,
        log: [
          { time: '2026-11-22T09:34:00.000Z', state: 'PENDING', lcm_state: 'LCM_INIT', ...none },
          { time: '2026-11-22T09:34:00.120Z', state: 'ACTIVE', lcm_state: 'PROLOG', ...deployed },
          { time: '2026-11-22T09:34:00.150Z', state: 'ACTIVE', lcm_state: 'BOOT', ...deployed },
          { time: '2026-11-22T09:34:03.200Z', state: 'ACTIVE', lcm_state: 'RUNNING', ...deployed },
        ],
        history: [
          {
            ...{ seq: 0, host_id: 0, hostname: 'node-1', started_at: '2026-11-22T09:34:00.119Z', ended_at: null },
            ...{ reason: 'none', action: null, placed_by: ids.vm },
            prolog: { from: '2026-11-22T09:34:00.120Z', until: '2026-11-22T09:34:00.150Z' },
            running: { from: '2026-11-22T09:34:00.150Z', until: null },
            epilog: null,
          },
        ],
      },
    },
  ],
  handle: ({ vms }, { caller, params }) => vms.log(caller, params.id),
});
