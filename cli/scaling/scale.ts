import { z } from 'zod';
import { json } from '../../client/message.js';
import { startOperation } from '../operations/start-operation.js';
import { services } from '../services/service.js';
import { type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { resolve } from '../shell/resource.js';

/** `arcus service scale`. */
export const scaleLeaf: Leaf = leaf({
  usage: 'scale <service> <role> <cardinality>',
  summary: 'Give a role of a service another number of VMs',
  examples: [
    'arcus service scale my_service worker 5 --wait',
    'arcus service scale 12 web 20 --force',
    'arcus service scale 12 web 2 --vm 40 41',
  ],
  options: [
    ['--force', 'also below min_vms or above max_vms, in COOLDOWN, and protected VMs that are named'],
    ['--vm <ids...>', 'VMs that are to go, when the role is made smaller; absent: as its scale_in says'],
    ['--wait', 'wait until the operation has ended'],
  ],
  schema: z.object({
    force: z.boolean().optional(),
    vm: z.array(z.string().regex(/^\d+$/, 'must be ids of VMs')).optional(),
    wait: z.boolean().optional(),
  }),
  run: async (context, [wish, role, cardinality = ''], { force, vm, wait }) => {
    if (!/^\d+$/.test(cardinality))
      throw new Complaint('usage', `${JSON.stringify(cardinality)} is not a number of VMs.`, {
        next: 'Say how many VMs the role is to have: arcus service scale my_service worker 5',
      });
    const id = await resolve(context.client(), services, wish);
    const path = `/services/${id}/roles/${encodeURIComponent(role ?? '')}/scale`;
    const vms = vm && { vms: vm.map(Number) };
    const body = json({ cardinality: Number(cardinality), ...(force && { force }), ...vms });
    await reportOperation(context, await startOperation(context, 'POST', path, body), { wait });
  },
});
