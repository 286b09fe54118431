import type { App } from '../../schemas/market/app.js';
import type { Image, ImageAttributes, ImageType } from '../../schemas/storage/image.js';
import { isImageType } from '../../schemas/storage/image.js';
import { megabytesOf } from '../storage/image-states.js';

type Exported = Pick<App, 'bytes' | 'md5' | 'sha256' | 'virtual_size' | 'upstream' | 'image_type' | 'app_template'>;

/**
 * What an image of an app is to be: what it is, what its bytes sum up to, and how much room is kept for it before any is fetched. Of what we publish that is known; what a catalogue of
 * others has may be packed, and comes to more.
 */
export function exportedImage(app: Exported): {
  type: ImageType;
  attributes: ImageAttributes;
  wish: Image['wish'];
  size_mb: number;
} {
  const { bytes, md5, sha256, virtual_size, upstream, image_type: type, app_template } = app;
  const { TYPE: _said, ...attributes } = app_template;
  const size_mb = bytes === null ? 0 : megabytesOf(Math.max(bytes, virtual_size ?? 0));
  const sums = { ...(sha256 !== null && { sha256 }), ...(md5 !== null && { md5 }) };
  return { type, attributes, wish: { size_mb: upstream === null ? size_mb : null, ...sums }, size_mb };
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
