import type { VmTemplateBody } from '../../schemas/vms/vm-template.js';

type Disks = VmTemplateBody['DISK'];
type Disk = Record<string, unknown>;

const names: ReadonlySet<string> = new Set(['IMAGE', 'IMAGE_ID', 'IMAGE_UID', 'IMAGE_UNAME']);

/** DISK of a VM template, each of these disks, by its place, of another image; all else of it stays as it is. */
export function disksOfOthers(DISK: Disks, images: ReadonlyMap<number, number>): Disks {
  const changed = (disk: Disk, at: number): Disk => {
    const image = images.get(at);
    return image === undefined ? disk : { ...without(disk), IMAGE_ID: image };
  };
  return Array.isArray(DISK) ? DISK.map(changed) : DISK && changed(DISK, 0);
}

const without = (disk: Disk): Disk => Object.fromEntries(Object.entries(disk).filter(([name]) => !names.has(name)));
