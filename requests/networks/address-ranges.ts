import type { Caller } from '../../domain/identity/caller.js';
import { chargeOfReservation, without } from '../../domain/identity/quotas.js';
import { holderText, mostNamed, refuseInUse } from '../../domain/networks/holders.js';
import { rangesEver } from '../../domain/networks/lease-key.js';
import { placeOfAddress } from '../../domain/networks/leased-nic.js';
import { planRange, rangesFault, resizeFault } from '../../domain/networks/ranges.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import type { AddressRange, AddressWish, NewRange } from '../../schemas/networks/addresses.js';
import type { LeasePlace } from '../../schemas/networks/lease.js';
import type { Network, NetworkResource, ResizeRange } from '../../schemas/networks/network.js';
import { untilChosen } from '../../store/mongo/choice-lost.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { objectsOf } from '../managed.js';
import { type Precondition, unconditional } from '../precondition.js';
import { keptNetworks } from './networks.js';

type Right = 'manage' | 'admin';

/** Addresses are the business of whoever has the network as a whole: who could add any would have those of others. */
const onRanges: Right = 'admin';

async function changed(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { right, precondition }: { right: Right; precondition: Precondition },
  change: (present: Network, transaction: Transaction) => Promise<Partial<Network>>,
): Promise<NetworkResource> {
  const { store } = context;
  const { shownOne } = objectsOf(context, 'network', keptNetworks(context));
  // Asked before the transaction, too: who may not do it holds nobody up.
  authorised(caller, 'network', await store.networks.find(id), right, id);
  const after = await store.edit('network', id, async (stored, transaction) => {
    const present = authorised(caller, 'network', stored, right, id);
    await precondition.demand(() => shownOne(caller, present));
    return store.networks.replace(id, await change(present, transaction), transaction);
  });
  if (!after) throw new Problem('not_found', `There is no ${nameOf({ type: 'network', id })}.`);
  return shownOne(caller, after);
}

/** One more range, whose addresses no other range of the network has. */
export const addRange = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: NewRange,
  precondition: Precondition = unconditional,
): Promise<NetworkResource> =>
  changed(context, caller, id, { right: onRanges, precondition }, async ({ ranges, next_ar }) => {
    refuseMore(id, ranges.length + 1, next_ar);
    const plan = planRange(wish, { ar_id: next_ar, others: ranges, under: '', chance: Math.random });
    if (!('range' in plan))
      throw new Problem('invalid_request', `Virtual network ${id} cannot have this range.`, {
        findings: plan.findings,
      });
    return { ranges: [...ranges, plan.range], next_ar: next_ar + 1 };
  });

export function refuseMore(id: number, count: number, next_ar: number): void {
  const fault = rangesFault(count) ?? (next_ar >= rangesEver ? `it has had ${rangesEver} ranges` : null);
  if (fault !== null) throw new Problem('wrong_state', `Virtual network ${id} may have no more ranges: ${fault}.`);
}

function rangeOf({ _id, ranges }: Network, ar_id: number): AddressRange {
  const range = ranges.find((one) => one.ar_id === ar_id);
  if (!range) throw new Problem('not_found', `Virtual network ${_id} has no address range ${ar_id}.`);
  return range;
}

/** Makes a range larger or smaller; what it would lose must be nobody's. */
export const resizeRange = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  ar_id: number,
  { size }: ResizeRange,
  precondition: Precondition = unconditional,
): Promise<NetworkResource> =>
  changed(context, caller, id, { right: onRanges, precondition }, async (present, transaction) => {
    const range = rangeOf(present, ar_id);
    const others = present.ranges.filter((one) => one !== range);
    const fault = resizeFault(range, size, others);
    if (fault !== null)
      throw new Problem('invalid_request', `Address range ${ar_id} cannot have ${size} addresses.`, {
        findings: [{ pointer: '/size', detail: fault }],
      });
    if (size < range.size) {
      await context.store.leases.shut(id, transaction);
      const beyond = { ar_id, from: size, most: mostNamed };
      refuseInUse(
        `Of address range ${ar_id} what comes after the first ${size}`,
        await context.store.leases.holding(id, beyond, transaction),
        'Make it as large as that at least.',
      );
    }
    return { ranges: present.ranges.map((one) => (one === range ? { ...range, size } : one)) };
  });

/** Removes a range that nobody has an address of; one that was reserved goes back to the network that it is of. */
export async function removeRange(
  context: OperationsContext,
  caller: Caller,
  id: number,
  ar_id: number,
  precondition: Precondition = unconditional,
): Promise<void> {
  const { leases, quotas } = context.store;
  await changed(context, caller, id, { right: 'manage', precondition }, async (present, transaction) => {
    const range = rangeOf(present, ar_id);
    await leases.shut(id, transaction);
    const holding = await leases.holding(id, { ar_id, most: mostNamed }, transaction);
    refuseInUse(`Address range ${ar_id} of virtual network ${id}`, holding, 'Take it from them first.');
    await leases.releaseReserved(id, range, transaction);
    const ranges = present.ranges.filter((one) => one !== range);
    if (!range.from || !present.charge) return { ranges };
    const { left, returned } = without(present.charge, chargeOfReservation(range.from.network, range.size));
    await quotas.giveBack(present, returned, transaction);
    return { ranges, charge: left };
  });
}

/** The place of an address in a network. Refuses what is none of it. */
export function placeIn({ _id, ranges }: Pick<Network, '_id' | 'ranges'>, wish: AddressWish): LeasePlace {
  const place = placeOfAddress({ _id, ranges }, wish);
  if (place) return place;
  const [name, address] = wish.ip === undefined ? ['mac', wish.mac] : ['ip', wish.ip];
  throw new Problem('invalid_request', `Virtual network ${_id} has no address ${address}.`, {
    findings: [{ pointer: `/${name}`, detail: 'is none of its addresses' }],
  });
}

/** Keeps an address back: nobody is given it before it is released. */
export async function holdAddress(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: AddressWish,
  precondition: Precondition = unconditional,
): Promise<NetworkResource> {
  const { leases } = context.store;
  return untilChosen(() =>
    changed(context, caller, id, { right: 'manage', precondition }, async (present, transaction) => {
      const place = placeIn(present, wish);
      const lease = await leases.at(place, transaction);
      if (lease) throw new Problem('in_use', `${wish.ip ?? wish.mac} is in use, by ${holderText(lease.holder)}.`);
      await leases.take([{ ...place, holder: { type: 'hold' } }], transaction);
      return {};
    }),
  );
}

/** What was kept back may be given to somebody again. */
export async function releaseAddress(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: AddressWish,
  precondition: Precondition = unconditional,
): Promise<NetworkResource> {
  const { leases } = context.store;
  return changed(context, caller, id, { right: 'manage', precondition }, async (present, transaction) => {
    const place = placeIn(present, wish);
    if (!(await leases.releaseHeld(place, transaction)))
      throw new Problem('wrong_state', `${wish.ip ?? wish.mac} of virtual network ${id} is not held.`);
    return {};
  });
}
