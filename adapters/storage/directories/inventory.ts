import { join } from 'node:path';
import { allocated } from '../machine/files.js';
import type { DatastoreTarget, Inventory } from '../port.js';
import { datastoreRoot, shelves, simulationFile } from './layout.js';
import { namesIn } from './pieces.js';
import { forgetVm, vmName } from './vm-directory.js';

/** Everything below a datastore's directory. What is no name of ours is told of, and never touched. */
export async function inventoryOf(base: string, { id }: DatastoreTarget): Promise<Inventory> {
  const root = datastoreRoot(base, id);
  // All at once: to ask for each is to ask another machine a thousand times.
  const sizes = [...(await allocated(root))];
  const below = (path: string): number =>
    sizes.reduce((sum, [file, bytes]) => (file.startsWith(`${path}/`) ? sum + bytes : sum), 0);
  const known: readonly string[] = Object.values(shelves);
  const strange = (await namesIn(root)).filter((name) => !known.includes(name) && name !== simulationFile);
  const images: Inventory['images'] = [];
  const staging: Inventory['staging'] = [];
  const disks: Inventory['disks'] = [];
  const contexts: Inventory['contexts'] = [];

  const each = async (shelf: string, tell: (name: string) => Promise<boolean>): Promise<void> => {
    for (const name of await namesIn(join(root, shelf))) if (!(await tell(name))) strange.push(`${shelf}/${name}`);
  };
  await each(shelves.images, async (name) => {
    if (!isNumber(name)) return false;
    images.push({ id: Number(name), bytes: below(join(shelves.images, name)) });
    return true;
  });
  await each(shelves.staging, async (name) => {
    if (!isNumber(name)) return false;
    staging.push({ image: Number(name), bytes: below(join(shelves.staging, name)) });
    return true;
  });
  await each(shelves.vms, async (name) => {
    if (!isNumber(name)) return false;
    for (const inner of await namesIn(join(root, shelves.vms, name))) {
      const its = vmName(inner);
      if (its === undefined) strange.push(`${shelves.vms}/${name}/${inner}`);
      else if (its.is === 'disk' || its.is === 'work') {
        const bytes = below(join(shelves.vms, name, inner));
        disks.push({ vm: Number(name), disk: its.disk, bytes });
      } else if (its.is === 'context') {
        const bytes = below(join(shelves.vms, name, inner));
        contexts.push({ vm: Number(name), epoch: its.epoch, bytes });
      }
    }
    // What is left of one that is gone fences off who was at it, and matters to nobody later.
    await forgetVm(join(root, shelves.vms, name)).catch(() => {});
    return true;
  });
  await each(shelves.gone, async (name) => {
    const bytes = below(join(shelves.gone, name));
    const [, vm, , disk] = /^vm\.(\d{1,15})\.(disk|work)\.(\d{1,15})\./.exec(name) ?? [];
    const [, ofVm, epoch] = /^vm\.(\d{1,15})\.(?:told\.)?(\d{1,15})\./.exec(name) ?? [];
    const [image = ''] = name.split('.');
    if (vm !== undefined) disks.push({ vm: Number(vm), disk: Number(disk), bytes });
    else if (ofVm !== undefined) contexts.push({ vm: Number(ofVm), epoch: Number(epoch), bytes });
    else if (/^vm\.\d{1,15}\.memory\./.test(name)) return true;
    else if (isNumber(image)) staging.push({ image: Number(image), bytes });
    else return false;
    return true;
  });
  return {
    images: images.sort((one, other) => one.id - other.id),
    staging: staging.sort((one, other) => one.image - other.image),
    disks: summed(disks, ({ disk }) => disk),
    contexts: summed(contexts, ({ epoch }) => epoch),
    strange: strange.sort(),
  };
}

const isNumber = (name: string): boolean => /^\d{1,15}$/.test(name);

/** One that is being made, and one that is being removed, may lie beside one that is there. */
function summed<T extends { vm: number; bytes: number }>(all: readonly T[], numberOf: (one: T) => number): T[] {
  const sums = new Map<string, T>();
  for (const one of all) {
    const key = `${one.vm} ${numberOf(one)}`;
    sums.set(key, { ...one, bytes: one.bytes + (sums.get(key)?.bytes ?? 0) });
  }
  return [...sums.values()].sort((one, other) => one.vm - other.vm || numberOf(one) - numberOf(other));
}
