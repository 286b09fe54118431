import type { Had } from '../../schemas/identity/amounts.js';
import { measureOf } from '../../schemas/identity/quota-on.js';
import type { Network } from '../../schemas/networks/network.js';
import type { Disk } from '../../schemas/operations/vm-devices.js';
import { imagesOf } from './disk-wishes.js';

type OnNetwork = Pick<Network, '_id' | 'parent'>;

/**
 * What quotas count of what a VM has beside its capacity: an address of each of these networks, one for each time that it is
 * named, and a disk of each of these images, however many. An address of a reservation was counted when it was reserved.
 */
export function hadOf(networks: readonly OnNetwork[], images: Iterable<number>): Had {
  const on: Record<string, number> = {};
  for (const { _id } of networks) {
    const key = measureOf('network', _id, 'leases');
    on[key] = (on[key] ?? 0) + 1;
  }
  for (const id of new Set(images)) on[measureOf('image', id, 'rvms')] = 1;
  return { leases: networks.filter(({ parent }) => parent === null).length, on };
}

/** The same of a new VM. `wished`: the networks of its NICs. */
export const hadByNew = (wished: readonly { at: OnNetwork }[], disks: readonly Disk[] | undefined): Had =>
  hadOf(
    wished.map(({ at }) => at),
    imagesOf(disks),
  );
