import { constants, copyFile, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Body } from '../directories/body.js';
import { datastoreRoot, keptNames, modes } from '../directories/layout.js';
import { onDirectories } from '../directories/on-directories.js';
import { readFrom } from '../directories/write-file.js';
import { writeSparse } from '../directories/write-sparse.js';
import { codeOf } from '../disk-fault.js';
import type { OnProgress, Storage } from '../port.js';
import { createDisk, growDisk } from '../qemu-img.js';

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
});

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
  const file = await open(from, 'r');
  try {
    const { size: total } = await file.stat();
    try {
      await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
      await toDisk(to);
      onProgress({ phase: 'copy', done: total, total });
      return;
    } catch (error) {
      if (!cannotShare.has(codeOf(error) ?? '')) throw error;
    }
    await rm(to, { force: true });
    await writeSparse(to, readFrom(file, 0, total), signal, (done) => onProgress({ phase: 'copy', done, total }));
  } finally {
    await file.close();
  }
}

const cannotShare = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'ENOSYS', 'EINVAL', 'ENOTTY']);
