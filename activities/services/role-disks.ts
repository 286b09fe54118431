import { Problem } from '../../domain/problems.js';
import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { disksFor, type ImageAsker, type ImagesFinding } from '../../store/vms/disk-images.js';
import { filesFor } from '../../store/vms/file-images.js';
import { orProblem } from '../or-problem.js';

/**
 * The VMs of roles with the disks that their images make them, and their files; a role for which one is not to be had has none of its VMs made, and says why.
 * What belongs to one VM at a time goes to the first that asks.
 */
export async function withDisks(
  where: ImagesFinding,
  roles: readonly (Vm[] | Problem)[],
  asker: ImageAsker,
): Promise<(Vm[] | Problem)[]> {
  const had = new Map<number, string>();
  const made: (Vm[] | Problem)[] = [];
  for (const vms of roles) {
    const [first] = vms instanceof Problem ? [] : vms;
    if (vms instanceof Problem || !first) {
      made.push(vms);
      continue;
    }
    const disks = await orProblem(disksFor(where, first.template, asker));
    const files = await orProblem(filesFor(where, first.template, asker));
    if (disks instanceof Problem) made.push(disks);
    else if (files instanceof Problem) made.push(files);
    else {
      const its = { ...(disks && { disks }), ...(files && { files }) };
      made.push(claimed(vms, first, disks ?? [], had) ?? vms.map((vm) => ({ ...vm, ...its })));
    }
  }
  return made;
}

/** Persistent images are one VM's: why these cannot have them; null: they can. */
function claimed(
  vms: readonly Vm[],
  { service }: Vm,
  disks: readonly Disk[],
  had: Map<number, string>,
): Problem | null {
  const role = service?.role ?? '';
  for (const { image } of disks) {
    if (!image?.persistent) continue;
    const it = `Image ${image.id} (${image.name}) is persistent: one VM uses it at a time`;
    const other = had.get(image.id);
    if (other !== undefined) return new Problem('in_use', `${it}, and one of role ${other} is to.`);
    if (vms.length > 1) return new Problem('in_use', `${it}, and ${vms.length} of role ${role} are to be made.`);
  }
  for (const { image } of disks) if (image?.persistent) had.set(image.id, role);
  return null;
}
