import { leaseKey } from '../../domain/networks/lease-key.js';
import { leasedNic, placeOfAddress } from '../../domain/networks/leased-nic.js';
import { Problem } from '../../domain/problems.js';
import type { LeaseHolder, LeasePlace } from '../../schemas/networks/lease.js';
import type { Network } from '../../schemas/networks/network.js';
import type { Nic } from '../../schemas/operations/vm-devices.js';
import { ChoiceLost } from '../mongo/choice-lost.js';
import type { Leases } from './leases.js';

/** A NIC of a VM that is to have an address. `ip`, `mac`: that very one. */
export type NicAsk = { vm: number; nic: Nic; network: Network; ip?: string | undefined; mac?: string | undefined };

/** A NIC with its address, and what has to be taken for it. */
export type Addressed = { vm: number; nic: Nic; take: LeasePlace & { holder: LeaseHolder } };

/**
 * Addresses for NICs, which nobody has now; they are had once they are taken. Throws `in_use` where a network has not so many, or somebody
 * else has the one that is asked for, and `invalid_request` where that is none of its network, or is asked for twice. `others`: what others are to have that are taken
 * together with these.
 */
export async function addressesFor(
  leases: Leases,
  asks: readonly NicAsk[],
  others: Set<number> = new Set(),
): Promise<Addressed[]> {
  const places = new Map<NicAsk, LeasePlace>();
  const free = new Map<number, NicAsk[]>();
  for (const ask of asks)
    if (ask.ip === undefined && ask.mac === undefined)
      free.set(ask.network._id, [...(free.get(ask.network._id) ?? []), ask]);
    else {
      const place = await named(leases, ask);
      const key = leaseKey(place);
      if (others.has(key)) throw new Problem('invalid_request', `${whereOf(ask)} is asked for twice: one NIC has it.`);
      others.add(key);
      places.set(ask, place);
    }
  for (const some of free.values()) {
    const [first] = some;
    if (!first) continue;
    const chosen = await leases.choose(first.network, some.length);
    if (chosen.length < some.length) throw usedUp(first.network, some.length, chosen.length);
    some.forEach((ask, at) => {
      const place = chosen[at];
      if (place) places.set(ask, place);
    });
  }
  return asks.map((ask): Addressed => {
    const place = places.get(ask);
    const nic = place && leasedNic(ask.nic, ask.network, place);
    if (!nic) throw new ChoiceLost(`network ${ask.network._id} has changed`);
    return { vm: ask.vm, nic, take: { ...place, holder: { type: 'vm', id: ask.vm, nic: nic.nic_id } } };
  });
}

/** Throws as `addressesFor` would now; nothing is chosen. */
export async function refuseWhereNone(leases: Leases, ask: Pick<NicAsk, 'network' | 'ip' | 'mac'>): Promise<void> {
  const { network, ip, mac } = ask;
  if (ip !== undefined || mac !== undefined) await named(leases, ask);
  else if ((await leases.count(network._id)) >= sizeOf(network)) throw usedUp(network, 1, 0);
}

/** The one that is asked for. */
async function named(
  leases: Leases,
  { network, ip, mac }: Pick<NicAsk, 'network' | 'ip' | 'mac'>,
): Promise<LeasePlace> {
  const place = placeOfAddress(network, { ...(ip !== undefined && { ip }), ...(mac !== undefined && { mac }) });
  const where = whereOf({ network, ip, mac });
  if (!place) throw new Problem('invalid_request', `There is no ${where}.`);
  const lease = await leases.at(place);
  if (!lease) return place;
  const { holder } = lease;
  const by = holder.type === 'vm' ? `by VM ${holder.id}` : holder.type === 'network' ? 'reserved' : 'held back';
  throw new Problem('in_use', `${where} is in use: ${by}.`);
}

const whereOf = ({ network, ip, mac }: Pick<NicAsk, 'network' | 'ip' | 'mac'>): string =>
  `${[ip, mac].filter((one) => one !== undefined).join(' with ')} of virtual network ${network._id} (${network.name})`;

const sizeOf = ({ ranges }: Pick<Network, 'ranges'>): number => ranges.reduce((sum, { size }) => sum + size, 0);

const usedUp = (network: Network, wanted: number, free: number): Problem => {
  const { _id, name } = network;
  const left = free === 0 ? 'none is free' : free === 1 ? 'one is free' : `${free} are free`;
  return new Problem(
    'in_use',
    `Virtual network ${_id} (${name}) has not ${wanted === 1 ? 'a free address' : `${wanted} free addresses`}: of its ${sizeOf(network)}, ${left}.`,
  );
};
