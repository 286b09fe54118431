import { open } from 'node:fs/promises';
import { Obstacle, reasonOf } from '../processes/obstacle.js';

const sector = 512;
const qcow2 = Buffer.from('QFI\xfb', 'latin1');
const bootable = Buffer.from([0x55, 0xaa]);

/**
 * Throws an Obstacle where a file is no disk that a guest boots from. A raw disk has no mark of its own, and qemu-img takes any file for one:
 * what a machine's firmware looks for at the end of the first sector tells it from others. It is there with GPT, too.
 */
export async function refuseNoDisk(path: string): Promise<void> {
  const first = Buffer.alloc(sector);
  try {
    const file = await open(path, 'r');
    try {
      await file.read(first, 0, sector, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(error);
  }
  if (first.subarray(0, qcow2.length).equals(qcow2) || first.subarray(-bootable.length).equals(bootable)) return;
  throw new Obstacle(
    `${path}, given with --guest-image, is no disk that a guest boots from: neither qcow2, nor raw with a boot sector; qemu-img convert -O qcow2 makes one of other formats`,
  );
}

export const unreadable = (error: unknown): Obstacle =>
  new Obstacle(`the disk given with --guest-image cannot be read: ${reasonOf(error)}`);
