import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'arcus-libvirt-';
let swept: Promise<void> | undefined;

/**
 * A name in a directory of our own, which nobody else reads, for as long as the work takes. Definitions and contexts have secrets, and
 * go by files: what is in an argument is in the list of processes.
 */
export async function withOwnFile<T>(name: string, work: (file: string) => Promise<T>): Promise<T> {
  // What cannot be removed now is left to the next process: nobody's work waits for that.
  swept ??= sweep().catch(() => {});
  await swept;
  const directory = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  try {
    return await work(join(directory, name));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A file with this in it, to be read by virsh. */
export const withText = <T>(text: string, work: (file: string) => Promise<T>): Promise<T> =>
  withOwnFile('given.xml', async (file) => {
    await writeFile(file, text, { mode: 0o600 });
    return work(file);
  });

/**
 * Removes what processes that were killed have left, one of the same number as this among them: this has nothing yet. Of one that is not seen from here, in another container with the same directory,
 * a file may go, too: what it was for fails then, and is tried again.
 */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid] = /^arcus-libvirt-(\d{1,10})-/.exec(name) ?? [];
    if (pid === undefined || (Number(pid) !== process.pid && isThere(Number(pid)))) continue;
    const path = join(tmpdir(), name);
    const uid = (await stat(path).catch(() => null))?.uid;
    if (uid === process.getuid?.()) await rm(path, { recursive: true, force: true });
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
