import type { Network } from '../../schemas/networks/network.js';
import { Problem } from '../problems.js';
import type { Run } from './free-addresses.js';
import { reservedRange } from './ranges.js';

/** Of what was reserved nothing is reserved again. */
export function refuseOfReservation({ _id, parent }: Pick<Network, '_id' | 'parent'>): void {
  if (parent !== null)
    throw new Problem('wrong_state', `Virtual network ${_id} is a reservation itself: reserve of network ${parent}.`);
}

/** A network of addresses of another one, on the same wire: the number of its VLAN is its parent's. */
export const reservationOf = (
  { _id, vn_mad, bridge, phydev, vlan_id, attributes }: Network,
  { range, first }: Run,
  size: number,
): Omit<Network, '_id' | 'name' | 'uid' | 'gid' | 'permissions' | 'created_at'> => ({
  ...{ vn_mad, bridge, phydev, vlan_id, vlan_drawn: false, attributes },
  ranges: [reservedRange(range, { network: _id, first, size, ar_id: 0 })],
  ...{ next_ar: 1, parent: _id },
});
