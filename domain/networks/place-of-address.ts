import type { AddressWish } from '../../schemas/networks/addresses.js';
import type { LeasePlace } from '../../schemas/networks/lease.js';
import type { Network } from '../../schemas/networks/network.js';
import { indexIn } from './ranges.js';

/** Where an address is among those of a network; null: it is none of them. */
export function placeOfAddress({ _id, ranges }: Pick<Network, '_id' | 'ranges'>, wish: AddressWish): LeasePlace | null {
  for (const range of ranges) {
    const index = indexIn(range, wish);
    if (index !== null) return { network: _id, ar_id: range.ar_id, index };
  }
  return null;
}
