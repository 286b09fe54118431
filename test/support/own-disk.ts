import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { World } from './world.js';

const system = { id: 0, ds_mad: 'fs' } as const;

/** A volatile disk of 3 MB. */
export const ownDisk: Disk = {
  ...{ disk_id: 0, type: 'fs', size: 3, format: 'qcow2', target: 'vda' },
  ...{ snapshots: [], current: null, snapshot_ids: 0 },
};

/** Gives a VM that disk, in datastore 0, as if it had come with it. */
export async function giveDisk(world: World, vm: number): Promise<void> {
  const change = { disks: [ownDisk], datastore: { ...system, mb: 3, at: new Date() } };
  await world.store.vms.model.updateOne({ _id: vm }, { $set: change });
  await world.storage.disks.calls.makeDisk(
    { vm, disk: 0, datastore: system, epoch: 1 },
    { empty: { format: 'qcow2', size: 3 * 2 ** 20 }, content: 'none' },
    new AbortController().signal,
  );
}
