import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { added, chargeOfReservation, nothing } from '../../domain/identity/quotas.js';
import type { Run } from '../../domain/networks/free-addresses.js';
import { reservedRange } from '../../domain/networks/ranges.js';
import { refuseOfReservation, reservationOf } from '../../domain/networks/reservation.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import type { Network, NetworkResource, Reserve } from '../../schemas/networks/network.js';
import { untilChosen } from '../../store/mongo/choice-lost.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { nameFree } from '../free-name.js';
import { objectsOf } from '../managed.js';
import { refuseMore } from './address-ranges.js';
import { keptNetworks } from './networks.js';

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
    refuseOfReservation(parent);
    const run = await store.reservations.freeRun(parent, wish);
    return 'name' in wish ? make(context, caller, parent, run, wish) : add(context, caller, parent, run, wish);
  });

async function make(
  context: OperationsContext,
  caller: Caller,
  parent: Network,
  run: Run,
  { name, size }: Extract<Reserve, { name: string }>,
): Promise<NetworkResource> {
  const { store } = context;
  const id = await store.counters.one('vnet');
  const charge = chargeOfReservation(parent._id, size);
  const made: Network = {
    ...{ _id: id, name: objectName(name), uid: caller.id, gid: caller.gid, permissions: permissionsOfNew(caller) },
    ...reservationOf(parent, run, size),
    charge,
    created_at: new Date(),
  };
  await nameFree('network', made.name, () =>
    store.quotas.makeCounted({ uid: caller.id, uname: caller.name }, 'networks', async (transaction) => {
      await store.references.makeFor(made, transaction);
      await store.reservations.takeRun(parent, run, { child: id, size }, transaction);
      await store.networks.insert(made, transaction);
      await store.quotas.charge({ ...made, uname: caller.name }, charge, transaction);
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
    await store.reservations.takeRun(parent, run, { child, size }, transaction);
    const charge = chargeOfReservation(parent._id, size);
    const { uid, gid } = present;
    const owner = { uid, gid, ...(uid === caller.id && { uname: caller.name }) };
    await store.quotas.charge(owner, charge, transaction);
    const range = reservedRange(run.range, { network: parent._id, first: run.first, size, ar_id: next_ar });
    const change = {
      ranges: [...ranges, range],
      next_ar: next_ar + 1,
      charge: added(present.charge ?? nothing, charge),
    };
    return store.networks.replace(child, change, transaction);
  });
  if (!after) throw new Problem('not_found', `There is no ${nameOf({ type: 'network', id: child })}.`);
  return objects.shownOne(caller, after);
}
