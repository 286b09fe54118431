import type { Model } from 'mongoose';
import { placeOf } from '../../domain/vms/stays.js';
import type { Vm } from '../../schemas/vms/vm.js';

/** Which VMs of a batch have something that is not on a host, and so are to be gone about in a way of their own. */
export interface VmsInTransit {
  /** Those of them that go on, where they are now, from what they had in memory when they were stopped. */
  comingBack(ids: readonly number[]): Promise<number[]>;
  /** Those of them that have a host, and whose disks are to be in a datastore before they boot there. */
  withDisksToMake(ids: readonly number[]): Promise<number[]>;
  /**
   * Those of them of which something is kept away from hosts, memory or disks. `away`: they have no host; `placed`: they have one, and disks in a
   * datastore.
   */
  keptApart(ids: readonly number[]): Promise<{ away: number[]; placed: number[] }>;
}

export const vmsInTransit = (vms: Model<Vm>): VmsInTransit => ({
  comingBack: (ids) => idsOf(vms, { _id: { $in: ids }, lcm_state: { $in: ['PROLOG_RESUME', 'BOOT_STOPPED'] } }),
  withDisksToMake: (ids) => idsOf(vms, { _id: { $in: ids }, lcm_state: 'PROLOG', 'datastore.id': { $exists: true } }),
  async keptApart(ids) {
    const kept = [{ 'stored.vm_mad': { $exists: true } }, { 'datastore.id': { $exists: true } }];
    const found = await vms
      .find({ _id: { $in: ids }, $or: kept }, { history: 1, datastore: 1 })
      .lean<Pick<Vm, '_id' | 'history' | 'datastore'>[]>()
      .exec();
    return {
      away: found.filter((vm) => placeOf(vm) === null).map(({ _id }) => _id),
      placed: found.filter((vm) => placeOf(vm) !== null && vm.datastore).map(({ _id }) => _id),
    };
  },
});

const idsOf = async (vms: Model<Vm>, filter: Record<string, unknown>): Promise<number[]> =>
  (await vms.find(filter, { _id: 1 }).lean<Pick<Vm, '_id'>[]>().exec()).map(({ _id }) => _id);
