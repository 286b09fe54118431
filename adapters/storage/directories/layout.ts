import { join } from 'node:path';
import type { DatastoreTarget, StoredDisk, StoredImage } from '../port.js';

/** Where everything of a datastore lies: `<base>/<id>/…`. Directories are the owner's alone, and so are files. */
export const modes = { directory: 0o700, file: 0o600 } as const;

/** Names are numbers, whatever a type has promised: what is none leads nowhere. */
export function named(id: number): string {
  if (!Number.isSafeInteger(id) || id < 0) throw new TypeError('What is no number names no directory.');
  return String(id);
}

export const datastoreRoot = (base: string, id: number): string => join(base, named(id));

/** Names in a datastore's directory. `gone`: what is being removed, out of the way first, in one go. */
export const shelves = { images: 'images', staging: 'staging', vms: 'vms', gone: 'gone' } as const;

/** Of one image. `kept` appears whole, by being renamed, and goes whole. */
export function layoutOf(base: string, image: StoredImage): { kept: string; staging: string; gone: string } {
  const root = datastoreRoot(base, image.datastore.id);
  const id = named(image.id);
  return {
    kept: join(root, shelves.images, id),
    staging: join(root, shelves.staging, id),
    gone: join(root, shelves.gone),
  };
}

/**
 * Of one VM: `disk.0` is a disk, with the names of a kept image in it; `work.0.5.…` one that is being made under epoch 5; `at.5` says that 5 is the latest
 * epoch that has been at them. `5` has what is the VM's beside disks since it was started under epoch 5, and `told.5.…` is that in the making. `memory.5`: what it
 * has in memory, kept under epoch 5.
 */
export function vmLayoutOf(base: string, at: { vm: number; datastore: DatastoreTarget }): { vm: string; gone: string } {
  const root = datastoreRoot(base, at.datastore.id);
  return { vm: join(root, shelves.vms, named(at.vm)), gone: join(root, shelves.gone) };
}

/** What a VM has in memory, where it is kept away from hosts. */
export const memoryName = (epoch: number): string => `memory.${named(epoch)}`;
export const diskName = (disk: number): string => `disk.${named(disk)}`;

/** In the directory of an epoch: the files that the guest is told by. */
export const contextName = 'context';
export const bootName = 'boot';

/** The directory of a disk. */
export const diskPlace = (base: string, at: StoredDisk): string => join(vmLayoutOf(base, at).vm, diskName(at.disk));

/** In the directory of a kept image or of a disk: its bytes, and what `KeptRecord` or `DiskRecord` says of them. */
export const keptNames = { disk: 'disk', record: 'kept.json' } as const;

/** In the directory of a simulated datastore: what it is told to be like. */
export const simulationFile = 'simulation.json';
