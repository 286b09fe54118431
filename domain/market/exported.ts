import type { AppPart, AppTemplate } from '../../schemas/market/app.js';
import type { Image, ImageAttributes, ImageType } from '../../schemas/storage/image.js';
import { isImageType } from '../../schemas/storage/image.js';
import type { VmTemplateBody } from '../../schemas/vms/vm-template.js';
import { megabytesOf } from '../storage/image-states.js';
import { disksOfOthers } from '../vms/image-names.js';

type Exported = Pick<AppPart, 'bytes' | 'md5' | 'sha256' | 'virtual_size' | 'url' | 'image_type' | 'app_template'>;

/**
 * What an image of a part of an app is to be: what it is, what its bytes sum up to, and how much room is kept for it before any is fetched. Of what we publish that is known; what a catalogue of
 * others has may be packed, and comes to more.
 */
export function exportedImage(part: Exported): {
  type: ImageType;
  attributes: ImageAttributes;
  wish: Image['wish'];
  size_mb: number;
} {
  const { bytes, md5, sha256, virtual_size, url, image_type: type, app_template } = part;
  const { TYPE: _said, ...attributes } = app_template;
  const size_mb = bytes === null ? 0 : megabytesOf(Math.max(bytes, virtual_size ?? 0));
  const sums = { ...(sha256 !== null && { sha256 }), ...(md5 !== null && { md5 }) };
  return { type, attributes, wish: { size_mb: url === null ? size_mb : null, ...sums }, size_mb };
}

/** What OpenNebula's `TYPE` of an app's attributes says of images of it; what is none is a disk with a system. */
export const imageTypeIn = ({ TYPE = '' }: Readonly<Record<string, string>>): ImageType =>
  isImageType(TYPE) ? TYPE : 'OS';

const byImage = /^IMAGE(_ID|_UNAME|_UID)?$/;

/** A VM template whose first disk is this image: as the app has it, without the images of those whose it was. */
export function exportedVmTemplate(
  template: Readonly<Record<string, unknown>>,
  image: number,
): Record<string, unknown> {
  const { DISK: disks = [], ...rest } = template;
  const [first = {}, ...others] = (Array.isArray(disks) ? disks : [disks]).map(plain);
  // Disks of images of others name nothing here; volatile ones are made anew.
  const kept = others.filter((disk) => Object.keys(disk).length > 0 && 'TYPE' in disk);
  return { ...rest, DISK: [{ ...first, IMAGE_ID: image }, ...kept] };
}

const plain = (disk: unknown): Record<string, unknown> =>
  typeof disk === 'object' && disk !== null
    ? Object.fromEntries(Object.entries(disk).filter(([name]) => !byImage.test(name.toUpperCase())))
    : {};

/** A VM template that an app carries, with its disks on these images, one for each part. */
export const boundTemplate = ({ template, disks }: AppTemplate, images: readonly number[]): VmTemplateBody => ({
  ...template,
  DISK: disksOfOthers(template.DISK, new Map(disks.map(({ place, part }) => [place, images[part] ?? -1]))),
});

/** What images of these parts are called: as was asked for where there is one, else after that and the part, each once. */
export function namesOfParts(name: string, parts: readonly Pick<AppPart, 'name'>[]): string[] {
  if (parts.length === 1) return [name];
  const given = new Set<string>();
  return parts.map((part, at) => {
    const wish = `${name}-${part.name}`;
    const called = given.has(wish) ? `${wish}-${at}` : wish;
    given.add(called);
    return called;
  });
}
