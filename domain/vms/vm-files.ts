import { grouped, limits } from '../../schemas/common/limits.js';
import { mebi } from '../../schemas/common/mebi.js';
import type { Image } from '../../schemas/storage/image.js';
import type { VmFile, VmFileUse } from '../../schemas/vms/vm-files.js';
import { isFileName } from '../storage/file-name.js';
import { isOfBoot } from './boot-files.js';
import type { ImageName } from './disk-wishes.js';
import { readFileReferences } from './file-references.js';
import { type Attributes, isAttributes, textOf } from './template-values.js';

/** A file that a VM is to have, and where its template says so. */
export type FileWish = { use: VmFileUse; at: string; image: ImageName };

/** Where templates name images that are files, as in OpenNebula. */
const places = [
  { section: 'CONTEXT', attribute: 'FILES_DS', use: 'CONTEXT', most: limits.contextFiles.most },
  { section: 'OS', attribute: 'KERNEL_DS', use: 'KERNEL', most: 1 },
  { section: 'OS', attribute: 'INITRD_DS', use: 'RAMDISK', most: 1 },
] as const satisfies readonly { section: string; attribute: string; use: VmFileUse; most: number }[];

/** What the directory has beside, or will have, that a guest is told by. */
const ownNames: ReadonlySet<string> = new Set(['context.sh', 'token.txt']);

/** The files that a VM template names. `findings`: what is wrong with them, as `CONTEXT/FILES_DS …`. */
export function fileWishes(template: Attributes): { wishes: FileWish[]; findings: string[] } {
  const findings: string[] = [];
  const wishes = places.flatMap(({ section, attribute, use, most }): FileWish[] => {
    const given = template[section];
    const said = isAttributes(given) ? given[attribute] : undefined;
    if (said === undefined || said === '') return [];
    const at = `${section}/${attribute}`;
    const images = readFileReferences(textOf(said) ?? '');
    if (typeof images === 'string') findings.push(`${at} ${images}`);
    else if (images.length > most)
      findings.push(`${at} names ${images.length} images, and may name ${most === 1 ? 'one' : most}`);
    else return images.map((image) => ({ use, at, image }));
    return [];
  });
  const { CONTEXT } = template;
  if (isAttributes(CONTEXT) && (textOf(CONTEXT.FILES) ?? '') !== '')
    findings.push(
      'CONTEXT/FILES names files of the machine that VMs are made from, which nobody may read through a VM: make images of type CONTEXT of them, and name these in FILES_DS',
    );
  return { wishes, findings };
}

type FileImage = Pick<Image, '_id' | 'name' | 'datastore_id' | 'ds_mad' | 'bytes'>;

/** What the images that were found for wishes come to. `findings`: why that cannot be, as `CONTEXT/FILES_DS …`. */
export function filesOf(found: readonly { wish: FileWish; image: FileImage }[]): {
  files: VmFile[];
  findings: string[];
} {
  const findings: string[] = [];
  const named = new Map<string, number>();
  let left = limits.contextFileMb.most * mebi;
  for (const { wish, image } of found) {
    const { _id: id, name, bytes } = image;
    const it = `image ${id} (${name})`;
    if (isOfBoot(wish)) {
      if ((bytes ?? 0) > limits.bootFileMb.most * mebi)
        findings.push(
          `${wish.at}: ${it} has ${grouped(bytes ?? 0)} bytes, and VMs are booted by files of ${limits.bootFileMb.most} MB at most`,
        );
      continue;
    }
    const other = named.get(name.toLowerCase());
    left -= bytes ?? 0;
    if (!isFileName(name)) findings.push(`${wish.at}: ${it} has a name that no file can have: rename it`);
    else if (ownNames.has(name.toLowerCase()))
      findings.push(`${wish.at}: ${it} is called as a file that each guest is told by: rename it`);
    else if (other !== undefined && other !== id)
      findings.push(`${wish.at}: ${it} is called as image ${other}: rename one of them`);
    else if (other !== undefined) findings.push(`${wish.at} names ${it} twice`);
    named.set(name.toLowerCase(), id);
  }
  if (left < 0)
    findings.push(
      `CONTEXT/FILES_DS names files of ${grouped(limits.contextFileMb.most * mebi - left)} bytes, and guests may be given ${limits.contextFileMb.most} MB`,
    );
  const files = found.map(({ wish: { use }, image: { _id: id, name, datastore_id: datastore, ds_mad } }) => ({
    ...{ use, name },
    image: { id, datastore, ds_mad },
  }));
  return { files, findings };
}
