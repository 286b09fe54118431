import type { LeasePlace } from '../../schemas/networks/lease.js';

const perRange = 2 ** 16;
/** How many ranges a network can ever have had. */
export const rangesEver = 2 ** 12;
const perNetwork = perRange * rangesEver;

/** The key of an address: a number, in the order of networks, ranges and addresses. Exact for more than three million networks. */
export const leaseKey = ({ network, ar_id, index }: LeasePlace): number =>
  network * perNetwork + ar_id * perRange + index;

/** The keys of addresses of a network, or of a range of it, from a number on and before another one, as a filter. */
export function leaseKeys(
  network: number,
  { ar_id, from = 0, to = perRange }: { ar_id?: number | undefined; from?: number; to?: number } = {},
): { $gte: number; $lt: number } {
  if (ar_id === undefined) return { $gte: network * perNetwork, $lt: (network + 1) * perNetwork };
  const first = leaseKey({ network, ar_id, index: 0 });
  return { $gte: first + from, $lt: first + to };
}
