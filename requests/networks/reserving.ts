import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { firstRun } from '../../domain/networks/free-addresses.js';
import { reservedRange } from '../../domain/networks/ranges.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import type { AddressRange } from '../../schemas/networks/addresses.js';
import type { Network, NetworkResource, Reserve } from '../../schemas/networks/network.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { untilChosen } from '../../store/networks/choice-lost.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { nameFree, objectsOf } from '../managed.js';
import { refuseMore } from './address-ranges.js';
import { keptNetworks } from './networks.js';

type Run = { range: AddressRange; first: number };

/**
 * Takes addresses of a network, one after the other, for a network that is made of them, or for one that was. They come back to it when
 * that goes. Returns the network that has them now.
 */
export const reserve = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: Reserve,
): Promise<NetworkResource> =>
  untilChosen(async () => {
    const { store } = context;
    const parent = authorised(caller, 'network', await store.networks.find(id), 'manage', id);
    if (parent.parent !== null)
      throw new Problem(
        'wrong_state',
        `Virtual network ${id} is a reservation itself: reserve of network ${parent.parent}.`,
      );
    const run = await freeRun(context, parent, wish);
    return 'name' in wish ? make(context, caller, parent, run, wish) : add(context, caller, parent, run, wish);
  });

/** Addresses in a row that nobody has now. */
async function freeRun({ store }: OperationsContext, parent: Network, { size, ar_id }: Reserve): Promise<Run> {
  const ranges = parent.ranges.filter((range) => ar_id === undefined || range.ar_id === ar_id);
  if (ar_id !== undefined && ranges.length === 0)
    throw new Problem('not_found', `Virtual network ${parent._id} has no address range ${ar_id}.`);
  for (const range of ranges) {
    if (range.size < size) continue;
    const first = firstRun(await store.leases.takenOf(parent._id, range.ar_id), range.size, size);
    if (first !== null) return { range, first };
  }
  const where = ar_id === undefined ? `Virtual network ${parent._id}` : `Its address range ${ar_id}`;
  throw new Problem('in_use', `${where} has not ${size} free addresses in a row. Reserve fewer at a time.`);
}

/** In the transaction that writes the network which has them. */
const takeRun = (
  { store }: OperationsContext,
  { _id: network }: Network,
  { range: { ar_id }, first }: Run,
  { child, size }: { child: number; size: number },
  transaction: Transaction,
): Promise<void> =>
  store.leases.take(
    Array.from({ length: size }, (_, at) => ({
      ...{ network, ar_id, index: first + at },
      holder: { type: 'network', id: child } as const,
    })),
    transaction,
  );

async function make(
  context: OperationsContext,
  caller: Caller,
  parent: Network,
  run: Run,
  { name, size }: Extract<Reserve, { name: string }>,
): Promise<NetworkResource> {
  const { store } = context;
  const id = await store.counters.one('vnet');
  const { vn_mad, bridge, phydev, vlan_id, attributes } = parent;
  const made: Network = {
    ...{ _id: id, name: objectName(name), uid: caller.id, gid: caller.gid, permissions: permissionsOfNew(caller) },
    // It is on the same wire: the number of its VLAN is its parent's.
    ...{ vn_mad, bridge, phydev, vlan_id, vlan_drawn: false, attributes },
    ranges: [reservedRange(run.range, { network: parent._id, first: run.first, size, ar_id: 0 })],
    ...{ next_ar: 1, parent: parent._id, created_at: new Date() },
  };
  await nameFree('network', made.name, () =>
    store.quotas.makeCounted({ uid: caller.id, uname: caller.name }, 'networks', async (transaction) => {
      await store.references.makeFor(made, transaction);
      await takeRun(context, parent, run, { child: id, size }, transaction);
      await store.networks.insert(made, transaction);
    }),
  );
  return objectsOf(context, 'network', keptNetworks(context)).shownOne(caller, made);
}

async function add(
  context: OperationsContext,
  caller: Caller,
  parent: Network,
  run: Run,
  { network_id: child, size }: Extract<Reserve, { network_id: number }>,
): Promise<NetworkResource> {
  const { store } = context;
  const objects = objectsOf(context, 'network', keptNetworks(context));
  const after = await store.edit('network', child, async (stored, transaction) => {
    const present = authorised(caller, 'network', stored, 'manage', child);
    if (present.parent !== parent._id)
      throw new Problem('wrong_state', `Virtual network ${child} is no reservation of network ${parent._id}.`);
    const { ranges, next_ar } = present;
    refuseMore(child, ranges.length + 1, next_ar);
    await takeRun(context, parent, run, { child, size }, transaction);
    const range = reservedRange(run.range, { network: parent._id, first: run.first, size, ar_id: next_ar });
    return store.networks.replace(child, { ranges: [...ranges, range], next_ar: next_ar + 1 }, transaction);
  });
  if (!after) throw new Problem('not_found', `There is no ${nameOf({ type: 'network', id: child })}.`);
  return objects.shownOne(caller, after);
}
