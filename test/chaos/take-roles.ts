import { z } from 'zod';
import { race } from './racer.js';

/** What `startRoles` of a deployment does first, for one role after the other: answers the roles that it got. */
await race(z.object({ service: z.int(), op: z.string(), roles: z.array(z.string()) }), async (store, task) => {
  const { service, op, roles } = task;
  const taken: string[] = [];
  for (const role of roles)
    if (await store.services.takeRoles({ service, op, event: 'deploy', roles: [{ role, step: 1 }] })) taken.push(role);
  return taken;
});
