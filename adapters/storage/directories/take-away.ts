import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { mkdir, rm } from '../machine/files.js';
import type { vmLayoutOf } from './layout.js';
import { modes } from './layout.js';
import { namesIn, takeFile } from './pieces.js';
import { syncDirectory } from './write-file.js';

/** Removes names from the directory of a VM, out of the way first, each in one go: with what earlier tries have left there of this VM. */
export async function takeAway(
  { vm, gone }: ReturnType<typeof vmLayoutOf>,
  id: number,
  names: readonly string[],
): Promise<void> {
  await mkdir(gone, { recursive: true, mode: modes.directory });
  const left = `vm.${id}.`;
  for (const name of names) await takeFile(join(vm, name), join(gone, `${left}${name}.${randomUUID()}`));
  await syncDirectory(vm);
  for (const name of await namesIn(gone))
    if (name.startsWith(left)) await rm(join(gone, name), { recursive: true, force: true });
}
