import type { Connection } from 'mongoose';
import type { Host } from '../../schemas/hosts/host.js';
import type { StoredWild } from '../../schemas/hosts/strays.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { entryOf, keptBack } from './host-reservations.js';

const isUp = (state: StoredWild['state']): boolean => state === 'running' || state === 'booting';

/** How wild domains become reservations of VMs, each counted once. */
export function createWilds(connection: Connection) {
  const hosts = () => connection.collection<Host>('hosts');
  return {
    /**
     * A wild domain is to be a VM: what it has taken becomes the VM's reservation, which that of one that does not run has to
     * find room for. False: it is not among the wilds any more, or does not fit.
     */
    async adopt(id: number, vm: number, wild: StoredWild, transaction: Transaction): Promise<boolean> {
      const { cpu, memory } = wild.capacity;
      const up = isUp(wild.state) ? 1 : 0;
      const { modifiedCount } = await hosts().updateOne(
        {
          ...{ _id: id, state: 'MONITORED', 'strays.wilds.deploy_id': wild.deploy_id },
          ...{ [entryOf(vm)]: { $exists: false } },
          ...(up === 0 && {
            $expr: {
              $and: [
                { $lte: [{ $add: ['$used.cpu', cpu, keptBack('cpu')] }, '$total.cpu'] },
                { $lte: [{ $add: ['$used.memory', memory, keptBack('memory')] }, '$total.memory'] },
              ],
            },
          }),
        },
        {
          $set: { [entryOf(vm)]: { cpu, memory } },
          $pull: { 'strays.wilds': { deploy_id: wild.deploy_id } },
          $inc: {
            ...{ 'used.cpu': cpu, 'used.memory': memory, vm_count: 1, 'strays.wild_count': -1 },
            ...(up === 1 && { 'outside.cpu': -cpu, 'outside.memory': -memory }),
          },
        },
        within(transaction),
      );
      return modifiedCount > 0;
    },

    /** It is not to be, after all: its reservation is again what a wild domain takes, until a look says otherwise. */
    async giveBack(id: number, vm: number, wild: StoredWild, transaction: Transaction): Promise<void> {
      const { cpu, memory } = isUp(wild.state) ? wild.capacity : { cpu: 0, memory: 0 };
      const none = { zombies: [], wilds: [], zombie_count: 0, wild_count: 0 };
      await hosts().updateOne(
        { _id: id, [entryOf(vm)]: { $exists: true } },
        [
          // A look that has found nothing else has written that there are none.
          { $set: { strays: { $ifNull: ['$strays', none] } } },
          {
            $set: {
              'strays.wilds': { $concatArrays: ['$strays.wilds', [{ $literal: wild }]] },
              'strays.wild_count': { $add: ['$strays.wild_count', 1] },
              'used.cpu': { $subtract: ['$used.cpu', wild.capacity.cpu] },
              'used.memory': { $subtract: ['$used.memory', wild.capacity.memory] },
              'outside.cpu': { $add: [{ $ifNull: ['$outside.cpu', 0] }, cpu] },
              'outside.memory': { $add: [{ $ifNull: ['$outside.memory', 0] }, memory] },
              vm_count: { $subtract: ['$vm_count', 1] },
            },
          },
          { $unset: [entryOf(vm)] },
        ],
        within(transaction),
      );
    },
  };
}
export type Wilds = ReturnType<typeof createWilds>;
