import type { AddressWish } from '../../schemas/networks/addresses.js';
import type { LeasePlace } from '../../schemas/networks/lease.js';
import type { Network } from '../../schemas/networks/network.js';
import type { Nic } from '../../schemas/operations/vm-devices.js';
import { addressAt, indexIn } from './ranges.js';
import { groupsOfNic, guardsOf } from './security-groups.js';

/** Where an address is among those of a network; null: it is none of them. */
export function placeOfAddress({ _id, ranges }: Pick<Network, '_id' | 'ranges'>, wish: AddressWish): LeasePlace | null {
  for (const range of ranges) {
    const index = indexIn(range, wish);
    if (index !== null) return { network: _id, ar_id: range.ar_id, index };
  }
  return null;
}

/** A NIC with an address of a network; null: the network has no such address. */
export function leasedNic(nic: Nic, network: Network, { ar_id, index }: LeasePlace): Nic | null {
  const range = network.ranges.find((one) => one.ar_id === ar_id);
  if (!range) return null;
  const { mac, ...ips } = addressAt(range, index);
  const { _id, name, vn_mad, bridge, phydev, vlan_id, attributes } = network;
  const guards = guardsOf(attributes);
  return {
    ...{ ...nic, network: name, mac },
    lease: {
      ...{ network: _id, ar_id, index, ...ips, vn_mad, bridge, phydev, vlan_id },
      ...((guards.mac || guards.ip) && { guards }),
    },
    security_groups: groupsOfNic(nic.security_groups ?? [], attributes),
  };
}
