import type { Capacity } from '../../schemas/common/capacity.js';
import type { Amounts } from '../../schemas/identity/amounts.js';
import { octetOf } from '../identity/permission-bits.js';
import type { StrayOperations } from './evidence.js';

export const capacity = ({ cpu, memory }: Capacity): string => `${cpu / 100} CPU and ${memory} MB`;
/** How many of what is used of single networks, datastores and images are told. */
const mostTold = 10;

/** Of images, addresses and single resources where there is anything to say. */
export const amounts = ({
  services,
  vms: count,
  images = 0,
  storage = 0,
  leases = 0,
  on = {},
  ...size
}: Amounts): string =>
  [
    `${services} services`,
    vms(count),
    capacity(size),
    ...(images === 0 && storage === 0 ? [] : [`${images === 1 ? '1 image' : `${images} images`} of ${storage} MB`]),
    ...(leases === 0 ? [] : [leases === 1 ? '1 address' : `${leases} addresses`]),
    ...Object.entries(on)
      .slice(0, mostTold)
      .map(([key, amount]) => `${amount} of ${key}`),
    ...(Object.keys(on).length > mostTold ? [`and ${Object.keys(on).length - mostTold} others`] : []),
  ].join(', ');
export const vms = (count: number): string => (count === 1 ? '1 VM' : `${count} VMs`);

export function strayOperations({ operations, first, should: { uid, gid, permissions } }: StrayOperations): string {
  const which =
    operations === 1 ? `Operation ${first} on it has` : `${operations} operations on it, the first ${first}, have`;
  return `${which} another owner, group or permissions than it: user ${uid}, group ${gid}, ${octetOf(permissions)}.`;
}
