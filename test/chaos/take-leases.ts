import { z } from 'zod';
import { untilChosen } from '../../store/mongo/choice-lost.js';
import { withTransaction } from '../../store/mongo/transaction.js';
import { race } from './racer.js';

/** Takes an address of a network for each NIC of a VM, all or none, or gives all back; answers whether it did. */
await race(z.object({ network: z.int(), vm: z.int(), nics: z.int() }), ({ connection, leases, networks }, task) => {
  const { network: id, vm, nics } = task;
  return nics === 0
    ? withTransaction(connection, async (transaction) => {
        await leases.releaseVm(vm, transaction);
        return true;
      })
    : untilChosen(async () => {
        const network = await networks.find(id);
        const places = network ? await leases.choose(network, nics) : [];
        if (places.length < nics) return false;
        const wishes = places.map((place, nic) => ({ ...place, holder: { type: 'vm', id: vm, nic } as const }));
        await withTransaction(connection, (transaction) => leases.take(wishes, transaction));
        return true;
      });
});
