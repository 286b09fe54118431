import { join } from 'node:path';
import { mkdir, rename } from '../machine/files.js';
import type { DisksClaim, KeptMemory } from '../port.js';
import { memoryName, modes, vmLayoutOf } from './layout.js';
import { takeAway } from './take-away.js';
import { namesOfMemory, refuseLate, takeDirectory } from './vm-directory.js';
import { syncDirectory } from './write-file.js';

/** What VMs have in memory, kept below `base` by whoever runs them: `vms/<vm>/memory.<epoch>`. Its name goes on to the epoch that takes it, so that who is late finds nothing. */
export const memoriesIn = (base: string) => ({
  async take(claim: DisksClaim): Promise<KeptMemory> {
    const layout = vmLayoutOf(base, claim);
    const { vm } = layout;
    await mkdir(vm, { recursive: true, mode: modes.directory });
    await takeDirectory(vm, claim);
    const path = join(vm, memoryName(claim.epoch));
    const names = await namesOfMemory(vm, claim.epoch);
    const last = names.pop();
    if (last === undefined) return { path, isThere: false };
    if (last !== memoryName(claim.epoch)) {
      await rename(join(vm, last), path);
      await syncDirectory(vm);
      await refuseLate(vm, claim);
    }
    await takeAway(layout, claim.vm, names);
    return { path, isThere: true };
  },
  async drop(claim: DisksClaim): Promise<void> {
    const layout = vmLayoutOf(base, claim);
    await mkdir(layout.vm, { recursive: true, mode: modes.directory });
    await takeDirectory(layout.vm, claim);
    await takeAway(layout, claim.vm, await namesOfMemory(layout.vm, claim.epoch));
  },
});
