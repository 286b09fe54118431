import type { Model } from 'mongoose';
import { Problem } from '../../domain/problems.js';
import { type DescribedDatastore, roomIn } from '../../domain/storage/datastore-attributes.js';
import { isBeside } from '../../domain/storage/image-copies.js';
import type { Datastore } from '../../schemas/storage/datastore.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { createTurns } from '../mongo/turns.js';
import type { DatastoreStore } from '../storage/datastores.js';
import type { ImageCopies } from '../storage/image-copies.js';
import type { VmMove } from './vm-transitions.js';

/** Whether a move promises a VM room in a datastore. */
const promises = ({ set }: VmMove): boolean => (set?.datastore ?? null) !== null;

/**
 * How much of system datastores VMs have. What they may come to stands in their documents, and is summed up where one more is promised some: whoever promises writes
 * the datastore first, so that of two who would give the last room one goes again. What is given back needs no such care.
 */
export function createVmDatastores(
  vms: Model<Vm>,
  { model: datastores }: Pick<DatastoreStore, 'model'>,
  copies: Pick<ImageCopies, 'megabytesIn' | 'inDatastores'>,
) {
  /** MB that VMs, and copies of their images, have of one; of these, what was promised after its last look. */
  async function promisedIn(
    { _id, monitored_at }: Pick<Datastore, '_id' | 'monitored_at'>,
    transaction?: Transaction,
  ): Promise<Pick<DescribedDatastore, 'promised' | 'fresh'>> {
    const since = monitored_at ?? new Date(0);
    const isFresh = { $gte: ['$datastore.at', since] };
    const [found] = await vms
      .aggregate<Pick<DescribedDatastore, 'promised' | 'fresh'>>([
        { $match: { 'datastore.id': _id } },
        {
          $group: {
            _id: null,
            promised: { $sum: '$datastore.mb' },
            fresh: { $sum: { $cond: [isFresh, '$datastore.mb', 0] } },
          },
        },
      ])
      .session(sessionOf(transaction))
      .exec();
    const ofCopies = await copies.megabytesIn(_id, since, transaction);
    return { promised: (found?.promised ?? 0) + ofCopies.all, fresh: (found?.fresh ?? 0) + ofCopies.fresh };
  }

  return {
    /** Those of this process that promise room in the same datastores go one after the other. */
    inTurn: createTurns(),

    /** Those for disks of VMs, as placement sees them. */
    async snapshot(): Promise<DescribedDatastore[]> {
      const found = await datastores
        .find({ type: 'system' }, { permissions: 0 })
        .sort({ _id: 1 })
        .lean<Omit<Datastore, 'permissions'>[]>()
        .exec();
      const others = await datastores
        .find({}, { ds_mad: 1, ssh: 1 })
        .lean<Pick<Datastore, '_id' | 'ds_mad' | 'ssh'>[]>();
      const brought = await copies.inDatastores(found.map(({ _id }) => _id));
      return Promise.all(
        found.map(async (one) => ({
          ...{ ...one, ...(await promisedIn(one)) },
          beside: others.filter((other) => isBeside(one, other)).map(({ _id }) => _id),
          copies: brought.filter(({ datastore_id }) => datastore_id === one._id).map(({ image }) => image),
        })),
      );
    },

    /** Refuses where there is no room for so many MB more; writes the datastore, as whoever promises some does. */
    async demandRoom(id: number, mb: number, transaction: Transaction): Promise<void> {
      const datastore = await datastores
        .findOneAndUpdate({ _id: id, type: 'system' }, { $inc: { promises: 1 } }, within(transaction))
        .lean<Datastore>()
        .exec();
      if (!datastore) throw new Problem('not_found', `There is no datastore ${id} for disks of VMs.`);
      const room = roomIn({ ...datastore, ...(await promisedIn(datastore, transaction)) });
      if (mb > 0 && room !== null && mb > room)
        throw new Problem(
          'datastore_full',
          `Datastore ${id} (${datastore.name}) has room for ${room} MB, and the image takes ${mb} MB there.`,
        );
    },

    /**
     * In the transaction that writes these moves: which of them may be, in their order, for there is room for what they promise; the others have lost it to somebody
     * else. A VM that has something there already counts with what it is to have.
     */
    async promise<M extends VmMove>(moves: readonly M[], transaction: Transaction): Promise<{ may: M[]; full: M[] }> {
      const may = moves.filter((move) => !promises(move));
      const full: M[] = [];
      const by = new Map<number, M[]>();
      for (const move of moves.filter(promises)) {
        const id = move.set?.datastore?.id ?? -1;
        by.set(id, [...(by.get(id) ?? []), move]);
      }
      for (const [id, its] of by) {
        const datastore = await datastores
          .findOneAndUpdate({ _id: id, type: 'system' }, { $inc: { promises: 1 } }, within(transaction))
          .lean<Datastore>()
          .exec();
        if (!datastore) {
          full.push(...its);
          continue;
        }
        const had = new Map(
          (
            await vms
              .find({ _id: { $in: its.map(({ vm }) => vm._id) }, 'datastore.id': id }, { 'datastore.mb': 1 })
              .session(sessionOf(transaction))
              .lean<Pick<Vm, '_id' | 'datastore'>[]>()
              .exec()
          ).map((vm) => [vm._id, vm.datastore?.mb ?? 0]),
        );
        let room = roomIn({ ...datastore, ...(await promisedIn(datastore, transaction)) });
        for (const move of its) {
          const isNew = !had.has(move.vm._id);
          const mb = (move.set?.datastore?.mb ?? 0) - (had.get(move.vm._id) ?? 0);
          // One that is disabled keeps what it has, and takes nothing new.
          const isShut = datastore.state !== 'READY' && (isNew || mb > 0);
          if (isShut || (room !== null && mb > room)) full.push(move);
          else {
            may.push(move);
            if (room !== null) room -= Math.max(0, mb);
          }
        }
      }
      return { may, full };
    },

    /** MB that VMs, and copies of their images, have of each of these, as far as they have any. */
    async megabytesOf(ids: readonly number[]): Promise<ReadonlyMap<number, number>> {
      const found = await vms
        .aggregate<{ _id: number; sum: number }>([
          { $match: { 'datastore.id': { $in: [...ids] } } },
          { $group: { _id: '$datastore.id', sum: { $sum: '$datastore.mb' } } },
        ])
        .exec();
      const sums = new Map(found.map(({ _id, sum }) => [_id, sum]));
      for (const { datastore_id: id, size_mb } of await copies.inDatastores(ids))
        sums.set(id, (sums.get(id) ?? 0) + size_mb);
      return sums;
    },

    /** Ids of some VMs whose disks are in a datastore, and how many there are. */
    async inDatastore(id: number, most: number, transaction: Transaction): Promise<{ count: number; first: number[] }> {
      const first = await vms
        .find({ 'datastore.id': id }, { _id: 1 }, within(transaction))
        .sort({ _id: 1 })
        .limit(most)
        .lean<Pick<Vm, '_id'>[]>()
        .exec();
      const count = await vms.countDocuments({ 'datastore.id': id }, within(transaction));
      return { count, first: first.map(({ _id }) => _id) };
    },
  };
}
export type VmDatastores = ReturnType<typeof createVmDatastores>;

/** By which turns are taken. */
export const datastoresOf = (moves: readonly VmMove[]): string[] => [
  ...new Set(moves.flatMap(({ set }) => (set?.datastore ? [`${set.datastore.id}`] : []))),
];
