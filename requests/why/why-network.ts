import type { Caller } from '../../domain/identity/caller.js';
import { allowed } from '../../domain/identity/permissions.js';
import { longestRun } from '../../domain/networks/free-addresses.js';
import { addressAt } from '../../domain/networks/ranges.js';
import { type NetworkFacts, whyNetwork as tell } from '../../domain/why/network-story.js';
import type { Lease } from '../../schemas/networks/lease.js';
import type { Network } from '../../schemas/networks/network.js';
import type { Why } from '../../schemas/operations/why.js';
import { authorised, subjectOf } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/** How many addresses are looked through for those in a row. */
const lookedThrough = 65_536;

/** How many VMs are named. */
const namedVms = 3;

/** Who has the addresses of a network, why none is to be had, and what can be done. */
export async function whyNetwork(context: OperationsContext, caller: Caller, id: number): Promise<Why> {
  const { store } = context;
  const network = authorised(caller, 'network', await store.networks.find(id), 'use', id);
  const { vms, held, reserved } = await store.leases.holders(id, namedVms);
  const others = await store.networks.byIds([...reserved.map(({ network: one }) => one), network.parent ?? -1]);
  // Who may USE this one need not see what was made of it, nor of what it was made.
  const nameOf = (one: number): string | null => {
    const found = others.find(({ _id }) => _id === one);
    return found && allowed(caller, subjectOf('network', found), 'use') ? found.name : null;
  };
  const facts: NetworkFacts = {
    ...{ id, name: network.name, service: network.service ?? null },
    parent: network.parent === null ? null : { id: network.parent, name: nameOf(network.parent) },
    size: network.ranges.reduce((sum, { size }) => sum + size, 0),
    longest: await longestOf(context, network),
    vms,
    reservations: reserved.map(({ network: one, addresses }) => ({ id: one, name: nameOf(one), addresses })),
    held: { addresses: held.addresses, first: held.first && addressOf(network, held.first) },
    manages: allowed(caller, subjectOf('network', network), 'manage'),
    administers: allowed(caller, subjectOf('network', network), 'admin'),
    href: `/api/v1/virtual-networks/${id}`,
  };
  return tell(facts);
}

async function longestOf({ store }: OperationsContext, { _id, ranges }: Network): Promise<number | null> {
  if (ranges.reduce((sum, { size }) => sum + size, 0) > lookedThrough) return null;
  const runs = ranges.map(async ({ ar_id, size }) => longestRun(await store.leases.takenOf(_id, ar_id), size));
  return Math.max(0, ...(await Promise.all(runs)));
}

function addressOf({ ranges }: Network, { ar_id, index }: Pick<Lease, 'ar_id' | 'index'>) {
  const range = ranges.find((one) => one.ar_id === ar_id);
  if (!range) return null;
  const { ip, mac } = addressAt(range, index);
  return ip === null ? { mac } : { ip };
}
