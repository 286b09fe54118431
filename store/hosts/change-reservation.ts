import type { Model } from 'mongoose';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { Host } from '../../schemas/hosts/host.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { keptBack } from './host-reservations.js';

/** The reservation of one VM on one host as it was seen, and what it is to be; null: there is none. */
export type ReservationChange = { host: number; vm: number; from: Capacity | null; to: Capacity | null };

/**
 * From the reservation that was seen to another, the sums with it, in one guarded update. `fits`: only where the host has room for what it
 * takes more. False: it is not as it was seen, or does not fit.
 */
export async function changeReservation(
  hosts: Model<Host>,
  { host, vm, from, to }: ReservationChange,
  { fits = false, transaction }: { fits?: boolean; transaction?: Transaction | undefined } = {},
): Promise<boolean> {
  const at = `vms.${vm}`;
  const change = (size: keyof Capacity) => (to?.[size] ?? 0) - (from?.[size] ?? 0);
  const grown = (['cpu', 'memory'] as const).filter((size) => fits && change(size) > 0);
  const { modifiedCount } = await hosts.updateOne(
    {
      _id: host,
      ...(from ? { [`${at}.cpu`]: from.cpu, [`${at}.memory`]: from.memory } : { [at]: { $exists: false } }),
      ...(grown.length > 0 && {
        $expr: {
          $and: grown.map((size) => ({
            $lte: [{ $add: [`$used.${size}`, change(size), keptBack(size)] }, `$total.${size}`],
          })),
        },
      }),
    },
    {
      ...(to ? { $set: { [at]: to } } : { $unset: { [at]: '' } }),
      $inc: {
        'used.cpu': change('cpu'),
        'used.memory': change('memory'),
        vm_count: (to ? 1 : 0) - (from ? 1 : 0),
      },
    },
    within(transaction),
  );
  return modifiedCount > 0;
}
