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
  examples: ['arcus service scale my_service worker 5 --wait', 'arcus service scale 12 web 20 --force'],
  options: [
    ['--force', 'also below min_vms or above max_vms of the role, and while it is in COOLDOWN'],
    ['--wait', 'wait until the operation has ended'],
  ],
  schema: z.object({ force: z.boolean().optional(), wait: z.boolean().optional() }),
  run: async (context, [wish, role, cardinality = ''], { force, wait }) => {
    if (!/^\d+$/.test(cardinality))
      throw new Complaint('usage', `${JSON.stringify(cardinality)} is not a number of VMs.`, {
        next: 'Say how many VMs the role is to have: arcus service scale my_service worker 5',
      });
    const id = await resolve(context.client(), services, wish);
    const path = `/services/${id}/roles/${encodeURIComponent(role ?? '')}/scale`;
    const body = json({ cardinality: Number(cardinality), ...(force && { force }) });
    await reportOperation(context, await startOperation(context, 'POST', path, body), { wait });
  },
});
