import { z } from 'zod';
import { placeVms } from '../../activities/vms/place-vms.js';
import { race } from './racer.js';

/** Places a batch of VMs, as the first step of a role does; answers how many of them have a host then. */
await race(z.object({ vms: z.array(z.int()) }), async (store, { vms }) => {
  await placeVms(store, await store.vms.byIds(vms));
  return (await store.vms.byIds(vms)).filter(({ state }) => state === 'ACTIVE').length;
});
