import { Problem } from '../../domain/problems.js';
import { diskWishes, imageText, imageWishes } from '../../domain/vms/disk-wishes.js';
import type { Image } from '../../schemas/storage/image.js';
import type { VmTemplateBody } from '../../schemas/vms/vm-template.js';
import { imageNamed, whoseImage } from '../../store/vms/disk-images.js';
import type { OperationsContext } from '../context.js';

/**
 * The images that the disks of a VM template are made of, by the places of these. Who is named by no IMAGE_UNAME is the owner of the template,
 * whose VMs have them. `missing`: those that are not there, in words.
 */
export async function imagesOfTemplate(
  { store: { images }, directory: { users } }: Pick<OperationsContext, 'store' | 'directory'>,
  { template, uid }: { template: VmTemplateBody; uid: number },
): Promise<{ images: ReadonlyMap<number, Image>; missing: readonly string[] }> {
  const found = new Map<number, Image>();
  const missing: string[] = [];
  for (const { disk_id, of } of imageWishes(diskWishes(template.DISK).wishes)) {
    const image = await imageNamed({ images, users }, of.image, uid);
    if (image) found.set(disk_id, image);
    else missing.push(`DISK/${disk_id}: there is no ${imageText(of.image)}${whoseImage(of.image)}`);
  }
  return { images: found, missing };
}

/** Refuses to go on without what a template names. */
export function refuseMissing(template: { id: number; name: string }, missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new Problem(
    'invalid_request',
    `VM template ${template.id} (${template.name}) names images that are not there.`,
    {
      findings: missing.map((detail) => ({ pointer: '', detail })),
    },
  );
}
