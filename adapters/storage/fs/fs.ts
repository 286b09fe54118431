import { randomBytes } from 'node:crypto';
import { join, relative } from 'node:path';
import { Problem } from '../../../domain/problems.js';
import { swapHead } from '../../../domain/storage/swap-space.js';
import type { Body } from '../directories/body.js';
import { datastoreRoot, keptNames, modes } from '../directories/layout.js';
import { onDirectories } from '../directories/on-directories.js';
import { readFrom, syncDirectory, writeAll } from '../directories/write-file.js';
import { writeSparse } from '../directories/write-sparse.js';
import { copyWithin, isTogether, open, realpath, rename, statfs, symlink } from '../machine/files.js';
import type { OnProgress, Storage } from '../port.js';
import { changeSnapshot, cloneDisk, createDisk, flattenDisk, growDisk } from '../qemu-img.js';

/** Files below `base`. */
export const fsStorage = (base: string): Storage => onDirectories(base, fsBody(base));

const diskIn = (directory: string): string => join(directory, keptNames.disk);

const fsBody = (base: string): Body => ({
  can: { read: true },
  async capacity({ id }) {
    const { blocks, bfree, bavail, bsize } = await statfs(datastoreRoot(base, id));
    return { total: blocks * bsize, used: (blocks - bfree) * bsize, free: bavail * bsize };
  },
  before: async () => {},
  settle: async () => null,
  async createEmpty(directory, format, size, signal) {
    await createDisk(diskIn(directory), format, size, signal);
    await toDisk(diskIn(directory));
    return null;
  },
  async copy(from, directory, _record, onProgress, signal) {
    await copyDisk(diskIn(from), diskIn(directory), onProgress, signal);
    return null;
  },
  async resize(kept, { format }, size, signal) {
    await growDisk(diskIn(kept), format, size, signal);
    await toDisk(diskIn(kept));
    return null;
  },
  async clone(from, directory, { format }, size, signal) {
    await cloneDisk(await pathBetween(directory, from), format, diskIn(directory), size, signal);
    await toDisk(diskIn(directory));
    return null;
  },
  async use(from, directory) {
    await symlink(await pathBetween(directory, from), diskIn(directory));
  },
  async makeSwap(directory, size) {
    const file = await open(diskIn(directory), 'r+');
    try {
      await writeAll(file, swapHead(size, randomBytes(16)), 0);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  async flatten(from, directory, { format, as, snapshot }, onProgress, signal) {
    if (!(await isTogether(from, directory)))
      throw new Problem('not_implemented', 'A disk is saved on the machine that it is on: name a datastore there.');
    const given = { path: diskIn(from), format, ...(snapshot !== undefined && { snapshot }) };
    await flattenDisk(given, { path: diskIn(directory), format: as }, onProgress, signal);
    await toDisk(diskIn(directory));
    return null;
  },
  async tell(directory, files, signal) {
    for (const file of files) {
      const [bytes, most] =
        'text' in file ? [bytesOf(file.text), Number.POSITIVE_INFINITY] : [file.bytes(signal), file.size];
      const written = await writeSparse(join(directory, file.name), bytes, signal, (count) =>
        refuseOther(count > most),
      );
      refuseOther('size' in file && written < file.size);
    }
  },
  async snapshot(directory, _record, change, signal) {
    const there = await changeSnapshot(diskIn(directory), change, signal);
    await toDisk(diskIn(directory));
    return there;
  },
  async replace(work, directory) {
    await rename(diskIn(work), diskIn(directory));
    await syncDirectory(directory);
  },
  pathIn: diskIn,
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** Bytes of an image that is kept are as many as was said: of another number, it was changed under us, and is no file for a guest. */
function refuseOther(is: boolean): void {
  if (is)
    throw new Problem('image_refused', 'A file for a guest has another size than its image had when it was kept.');
}

/** From a disk to the image that it stands on, wherever all of it is mounted: as long as datastores lie to each other as they do. */
async function pathBetween(directory: string, image: string): Promise<string> {
  if (!(await isTogether(directory, image)))
    throw new Problem(
      'not_found',
      'Its image is in a datastore on another machine: clone it into one on the same first.',
    );
  return diskIn(relative(await realpath(directory), await realpath(image)));
}

/** Made by a program: its bytes to disk, and for nobody else to read. */
async function toDisk(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.chmod(modes.file);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Shares the blocks where the file system can (btrfs, XFS), and copies them where it cannot. */
async function copyDisk(from: string, to: string, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
  if (await copyWithin(from, to, onProgress, signal)) return toDisk(to);
  const file = await open(from, 'r');
  try {
    const { size: total } = await file.stat();
    await writeSparse(to, readFrom(file, 0, total), signal, (done) => onProgress({ phase: 'copy', done, total }));
  } finally {
    await file.close();
  }
}
