import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { isFileName } from '../../../domain/storage/file-name.js';
import { mkdir } from '../machine/files.js';
import type { ContextFile, DisksClaim, KeptContext } from '../port.js';
import type { Body } from './body.js';
import { bootName, contextName, modes, named, vmLayoutOf } from './layout.js';
import { namesIn } from './pieces.js';
import { takeAway } from './take-away.js';
import { appear, namesOfContexts, takeDirectory } from './vm-directory.js';
import { syncDirectory } from './write-file.js';

/**
 * What guests are told and booted by, below `base`: `vms/<vm>/<epoch>/context` and `boot`, of which the directory of the epoch appears whole, by being renamed. A later epoch takes it away, and with it
 * what a domain of before could be started with.
 */
export const contextsIn =
  (base: string, body: Body) =>
  async (claim: DisksClaim, files: readonly ContextFile[], signal: AbortSignal): Promise<KeptContext> => {
    for (const { name } of files) if (!isFileName(name)) throw new TypeError('A file has a name that is none.');
    const layout = vmLayoutOf(base, claim);
    const { vm } = layout;
    const own = named(claim.epoch);
    const parts = [
      { name: contextName, its: files.filter(({ part }) => part === undefined) },
      { name: bootName, its: files.filter(({ part }) => part === 'boot') },
    ].filter(({ its }) => its.length > 0);
    const result = (): KeptContext => {
      const [path, boot] = [contextName, bootName].map((part) =>
        body.can.read && parts.some(({ name }) => name === part) ? join(vm, own, part) : null,
      );
      return { path: path ?? null, ...(boot && { boot }) };
    };
    await mkdir(vm, { recursive: true, mode: modes.directory });
    await takeDirectory(vm, claim);
    await body.before(claim.datastore, 'keepContext', sizeOf(files), signal);
    const earlier = (await namesOfContexts(vm, claim.epoch)).filter((name) => files.length === 0 || name !== own);
    await takeAway(layout, claim.vm, earlier);
    if (files.length === 0) return { path: null };
    const isThere = async (): Promise<boolean> => (await namesIn(vm)).includes(own);
    if (await isThere()) return result();
    const fill = async (work: string): Promise<void> => {
      for (const { name: part, its } of parts) {
        const directory = join(work, part);
        await mkdir(directory, { mode: modes.directory });
        await body.tell(directory, its, signal);
        await syncDirectory(directory);
      }
    };
    const [name, place] = [`told.${own}.${randomUUID()}`, join(vm, own)];
    await appear(vm, claim, { name, place, isThere, fill }, signal);
    return result();
  };

const sizeOf = (files: readonly ContextFile[]): number =>
  files.reduce((sum, file) => sum + ('text' in file ? Buffer.byteLength(file.text) : file.size), 0);
