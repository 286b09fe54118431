import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '../../../domain/problems.js';
import { type SimulatedCall, Simulation } from '../../../schemas/storage/simulation.js';
import { type Body, type Counted, DiskRecord } from '../directories/body.js';
import { inventoryOf } from '../directories/inventory.js';
import { readRecord, recordOf } from '../directories/kept.js';
import { datastoreRoot, diskPlace, keptNames, layoutOf, simulationFile } from '../directories/layout.js';
import { onDirectories } from '../directories/on-directories.js';
import { codeOf } from '../disk-fault.js';
import { noSnapshot } from '../no-snapshot.js';
import type { DatastoreTarget, Storage } from '../port.js';

/**
 * Counts bytes and keeps none, below `base`: what arrives is checked, unpacked and looked into as everywhere, and then goes; of an image its numbers
 * are left. So a datastore of any size costs nothing, and survives what others survive.
 */
export const simulatedStorage = (base: string): Storage => onDirectories(base, countingBody(base));

async function simulationOf(base: string, { id }: DatastoreTarget): Promise<Simulation> {
  try {
    return Simulation.parse(JSON.parse(await readFile(join(datastoreRoot(base, id), simulationFile), 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Simulation.parse({});
    throw new Problem('backend_unavailable', `What simulated datastore ${id} was told cannot be read.`, {
      cause: error,
    });
  }
}

/** A timer takes no more; nobody waits that long either. */
const longestWait = 2 ** 31 - 1;

const countingBody = (base: string): Body => {
  const told = async (
    datastore: DatastoreTarget,
    call: SimulatedCall,
    bytes: number,
    signal: AbortSignal,
  ): Promise<Simulation> => {
    const simulation = await simulationOf(base, datastore);
    const fault = simulation.faults[call];
    if (fault !== undefined) throw new Problem(fault, `Simulated datastore ${datastore.id} was told to fail so.`);
    const { bytes_per_second: rate } = simulation;
    if (rate !== null && bytes > 0) await wait(Math.min((bytes / rate) * 1_000, longestWait), undefined, { signal });
    return simulation;
  };
  const counted = (bytes: number): NonNullable<Counted> => ({ bytes, virtualSize: bytes });
  return {
    can: { read: false },
    async capacity(datastore, signal) {
      const { total } = await told(datastore, 'capacity', 0, signal);
      const { images, staging, disks } = await inventoryOf(base, datastore);
      let used = staging.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const { id } of images)
        used += (await recordOf(layoutOf(base, { id, datastore }).kept))?.counted?.bytes ?? 0;
      for (const { vm, disk } of disks)
        used += (await readRecord(diskPlace(base, { vm, disk, datastore }), DiskRecord))?.counted?.bytes ?? 0;
      return { total, used, free: Math.max(0, total - used) };
    },
    async before(datastore, call, bytes, signal) {
      await told(datastore, call, bytes, signal);
    },
    async settle(directory, its) {
      await rm(join(directory, keptNames.disk));
      return its;
    },
    createEmpty: async (_directory, _format, size) => counted(size),
    async copy(_from, _directory, record, onProgress) {
      const its = record.counted ?? counted(0);
      onProgress({ phase: 'copy', done: its.bytes, total: its.bytes });
      return its;
    },
    resize: async (_kept, { counted: its }, size) => ({ ...counted(size), bytes: Math.max(size, its?.bytes ?? 0) }),
    clone: async (_from, _directory, _record, size) => ({ bytes: 0, virtualSize: size }),
    use: async () => {},
    makeSwap: async () => {},
    async flatten(_from, _directory, record, onProgress) {
      if (record.snapshot !== undefined && !record.snapshots?.includes(record.snapshot))
        throw noSnapshot(record.snapshot);
      const { virtualSize } = record.counted ?? counted(0);
      onProgress({ phase: 'copy', done: virtualSize, total: virtualSize });
      return counted(virtualSize);
    },
    tell: async () => {},
    async snapshot(_directory, { snapshots = [] }, change) {
      if (change === null) return snapshots;
      const { do: what, snapshot } = change;
      if (what === 'revert' && !snapshots.includes(snapshot)) throw noSnapshot(snapshot);
      const others = snapshots.filter((one) => one !== snapshot);
      return what === 'take' ? [...others, snapshot] : what === 'drop' ? others : snapshots;
    },
    replace: async () => {},
    pathIn: () => null,
  };
};
