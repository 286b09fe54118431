import { addressAt } from '../../domain/networks/ranges.js';
import type { AddressRange } from '../../schemas/networks/addresses.js';
import type { Lease, LeaseResource } from '../../schemas/networks/lease.js';
import type { Network, NetworkResource } from '../../schemas/networks/network.js';
import { iso, type Names, ownership } from '../resources.js';

/** `used`: how many addresses of each range somebody has. */
export function networkResource(
  network: Network,
  used: (network: number, ar_id: number) => number,
  names: Names,
): NetworkResource {
  const ranges = network.ranges.map((range) => rangeResource(range, used(network._id, range.ar_id)));
  return {
    id: network._id,
    name: network.name,
    ...ownership(network),
    ...names(network),
    vn_mad: network.vn_mad,
    bridge: network.bridge,
    phydev: network.phydev,
    vlan_id: network.vlan_id,
    vlan_id_automatic: network.vlan_drawn,
    attributes: network.attributes,
    parent_network_id: network.parent,
    service_id: network.service ?? null,
    used_leases: ranges.reduce((sum, range) => sum + range.used, 0),
    address_ranges: ranges,
    created_at: iso(network.created_at),
  };
}

const rangeResource = (range: AddressRange, used: number): NetworkResource['address_ranges'][number] => ({
  ...{ ar_id: range.ar_id, type: range.type, size: range.size, used, mac: range.mac, ip: range.ip ?? null },
  last_ip: addressAt(range, range.size - 1).ip,
  ...{ global_prefix: range.global_prefix ?? null, ula_prefix: range.ula_prefix ?? null },
  parent_ar_id: range.from?.ar_id ?? null,
});

/** A lease in its network; one of a range that is not there any more has no addresses, and is left out. */
export const leaseResources = ({ ranges }: Pick<Network, 'ranges'>, leases: readonly Lease[]): LeaseResource[] =>
  leases.flatMap(({ ar_id, index, holder, taken_at }) => {
    const range = ranges.find((one) => one.ar_id === ar_id);
    if (!range) return [];
    return [
      {
        ...addressAt(range, index),
        ar_id,
        holder: {
          type: holder.type,
          id: holder.type === 'hold' ? null : holder.id,
          nic_id: holder.type === 'vm' ? holder.nic : null,
        },
        taken_at: iso(taken_at),
      },
    ];
  });
