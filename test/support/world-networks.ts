import type { Lease } from '../../schemas/networks/lease.js';
import { CreateNetwork } from '../../schemas/networks/network.js';
import type { World } from './world.js';

/** A network of so many IPv4 addresses, of whom the world is asked by; returns its id. */
export async function newNetwork(world: World, name: string, ip: string, size: number): Promise<number> {
  const request = CreateNetwork.parse({ name, address_ranges: [{ type: 'IP4', ip, size }] });
  return (await world.operations.networks.create(world.caller, request)).id;
}

/** What the NICs of a VM have of networks: the NIC's id, and which address of which network; in order. */
export async function leasesOf(world: World, vm: number): Promise<[nic: number, network: number, index: number][]> {
  const found = await world.store.leases.model.find({ 'holder.type': 'vm', 'holder.id': vm }).lean<Lease[]>().exec();
  return found
    .flatMap(({ holder, network, index }): [number, number, number][] =>
      holder.type === 'vm' ? [[holder.nic, network, index]] : [],
    )
    .sort(([one], [other]) => one - other);
}

export type NetworkOfTest = { id: number; name: string };

/** Makes networks of so many addresses that have none in common; `under`: the first half of their addresses. */
export function newNetworks(inWorld: () => World, under: string): (size: number) => Promise<NetworkOfTest> {
  let made = 0;
  return async (size) => {
    made += 1;
    const name = `net-${made}`;
    return { id: await newNetwork(inWorld(), name, `${under}.${made}.1`, size), name };
  };
}
