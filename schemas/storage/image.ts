import { z } from 'zod';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';
import type { Amounts } from '../identity/quota.js';
import type { DatastoreType } from './datastore.js';
import { ImageFormat, Packing, type StorageKind } from './stored.js';

/** OpenNebula's types of images: the first three are disks, the others files. */
export const ImageType = z.enum(['OS', 'CDROM', 'DATABLOCK', 'KERNEL', 'RAMDISK', 'CONTEXT']);
export type ImageType = z.infer<typeof ImageType>;

/** In what a datastore of which type an image of each type is, and what is made of its bytes. */
export const imageTypes = {
  OS: { datastore: 'image', content: 'disk' },
  CDROM: { datastore: 'image', content: 'disk' },
  DATABLOCK: { datastore: 'image', content: 'disk' },
  KERNEL: { datastore: 'file', content: 'file' },
  RAMDISK: { datastore: 'file', content: 'file' },
  CONTEXT: { datastore: 'file', content: 'file' },
} as const satisfies Record<ImageType, { datastore: DatastoreType; content: 'disk' | 'file' }>;

/**
 * OpenNebula's states of images. LOCKED: its bytes are being made; READY: VMs may use it; USED: some do; USED_PERS: the one that may does; CLONE:
 * others are being made of it; DISABLED: nobody may use it; ERROR: `reason` says what failed; DELETE: it is being removed.
 */
export const ImageState = z.enum(['LOCKED', 'READY', 'USED', 'USED_PERS', 'CLONE', 'DISABLED', 'ERROR', 'DELETE']);
export type ImageState = z.infer<typeof ImageState>;

const SizeMb = z.int().min(1).max(limits.imageSize.most, atMost('imageSize'));
const Digest = (pattern: RegExp, digits: number) =>
  z
    .string()
    .regex(pattern, `must be ${digits} hexadecimal digits`)
    .transform((text) => text.toLowerCase());
const Sha256 = Digest(/^[0-9a-fA-F]{64}$/, 64);
const Md5 = Digest(/^[0-9a-fA-F]{32}$/, 32);

const Source = z.string().min(1).max(limits.imageSource.most, atMost('imageSource'));
const webAddress = /^https?:\/\/[^\s/@]{1,300}(\/[^\s]*)?$/;

/** Where its bytes come from. Who may read what is for the settings of the workers to say. */
export const ImageSource = z.union([
  z.strictObject({ path: Source.regex(/^\/[^\p{Cc}]*$/u, 'must be an absolute path') }),
  z.strictObject({ url: Source.regex(webAddress, 'must be an http or https address without a user or password') }),
  z.strictObject({ empty: z.strictObject({ size_mb: SizeMb, format: ImageFormat.default('qcow2') }) }),
]);
export type ImageSource = z.infer<typeof ImageSource>;

const Description = z
  .string()
  .max(limits.imageDescription.most, atMost('imageDescription'))
  .refine((text) => !/[^\P{Cc}\n\t]/u.test(text), 'must not contain control characters');

export const CreateImage = z.strictObject({
  name: ObjectName,
  description: Description.default(''),
  type: ImageType.default('OS').describe('OS, CDROM and DATABLOCK are disks; KERNEL, RAMDISK and CONTEXT are files'),
  datastore_id: ObjectId.optional().describe('Default: 1 of a disk, 2 of a file'),
  persistent: z.boolean().default(false).describe('What a VM writes is kept in it; one VM uses it at a time'),
  source: ImageSource.describe('A path on the machine of a worker, an address, or how large it is to be, empty'),
  sha256: Sha256.optional().describe('Of the bytes as they are published'),
  md5: Md5.optional().describe('Of the bytes as they are published'),
  size_mb: SizeMb.optional().describe(
    'MB that it comes to at most, which are reserved before a byte is moved; absent: what is left of quotas and of the datastore bounds it',
  ),
});
export type CreateImage = z.infer<typeof CreateImage>;

export const CloneImage = z.strictObject({
  name: ObjectName,
  datastore_id: ObjectId.optional().describe('Default: that of the image'),
});
export type CloneImage = z.infer<typeof CloneImage>;

/** What people can change of an image, whole. */
export const ImageEdit = z.strictObject({
  name: ObjectName,
  description: Description.default(''),
  type: ImageType,
  persistent: z.boolean(),
  state: z.enum(['enabled', 'disabled']),
});
export type ImageEdit = z.output<typeof ImageEdit>;

/** A merge patch of that. */
export const UpdateImage = z.strictObject({
  name: ObjectName.optional(),
  description: Description.nullable().optional(),
  type: ImageType.optional().describe('Among disks, or among files, where nothing uses it'),
  persistent: z.boolean().optional().describe('Changed where nothing uses it'),
  state: z.enum(['enabled', 'disabled']).optional().describe('A disabled one is used by nobody'),
});
export type UpdateImage = z.infer<typeof UpdateImage>;

/** What was published, as it was found; null: it was made empty, or is a clone. */
const Published = z.object({
  bytes: z.int(),
  sha256: z.string(),
  md5: z.string().nullable(),
  packing: z.array(Packing),
});

/** What an image was asked to be made of. `url` may hold what is nobody's business: it is not shown as it is. */
export type ImageOrigin = ImageSource | { image: number };

/** An image as stored. Its bytes lie in its datastore, under a name that derives from its id. */
export type Image = Ownership & {
  _id: number;
  name: string;
  description: string;
  type: ImageType;
  datastore_id: number;
  ds_mad: StorageKind;
  persistent: boolean;
  state: ImageState;
  /** Why it is in ERROR. */
  reason: string | null;
  origin: ImageOrigin;
  wish: { sha256?: string; md5?: string; size_mb: number | null };
  /** MB that it is charged, reserved at first, and found at last. */
  size_mb: number;
  /** As it is kept; null: it is not yet. */
  format: ImageFormat | null;
  virtual_size: number | null;
  bytes: number | null;
  published: z.infer<typeof Published> | null;
  /** VMs that use it. */
  vms: number[];
  /** Images that are being made of it. */
  clones: number[];
  operation: string | null;
  /** The deletion that takes it over. */
  wanted: string | null;
  /** Rises with each holder and with each try of a step: what is written or done under an older one counts for nothing. */
  epoch: number;
  /** Nothing of it is left in its datastore, said by the operation that has seen to it. */
  emptied?: string;
  /** What its owner's quotas are charged. */
  charge: Amounts;
  created_at: Date;
};

/** What lists of images can be filtered and sorted by. */
export const imageFields = {
  ...namedFields,
  type: { kind: ImageType.options, path: 'type' },
  state: { kind: ImageState.options, path: 'state' },
  datastore_id: { kind: 'integer', path: 'datastore_id' },
  persistent: { kind: 'boolean', path: 'persistent' },
} as const satisfies ListFields;

export const ImageResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  description: z.string(),
  type: ImageType,
  datastore_id: ObjectId,
  persistent: z.boolean(),
  state: ImageState,
  reason: z.string().nullable().describe('Why it is in ERROR'),
  source: z.string().describe('What it was made of, without what an address has after its path'),
  size_mb: z.int().describe('MB that quotas are charged for it: reserved at first, and found at last'),
  format: ImageFormat.nullable().describe('As it was found; null: it is not there yet'),
  virtual_size: z.int().nullable().describe('Bytes that a guest sees'),
  bytes: z.int().nullable().describe('Bytes as it is kept'),
  published: Published.nullable().describe('What it was made of, as it was found; null: nothing was published'),
  vms: z.array(ObjectId).describe('VMs that use it'),
  clones: z.array(ObjectId).describe('Images that are being made of it'),
  operation: z.string().nullable().describe('The operation that is at work on it'),
  created_at: Timestamp,
}).meta({ id: 'Image' });
export type ImageResource = z.infer<typeof ImageResource>;
