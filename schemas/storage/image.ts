import { z } from 'zod';
import { attributeChanges, namedUpTo } from '../common/attribute-name.js';
import { Description, ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';
import type { Amounts } from '../identity/amounts.js';
import type { DiskSnapshots } from '../operations/vm-devices.js';
import type { DatastoreType } from './datastore.js';
import { ImageCopyShown } from './image-copy.js';
import { ImageFormat, Packing, type StorageKind } from './stored.js';

/** OpenNebula's types of images: the first three are disks, the others files. */
export const ImageType = z.enum(['OS', 'CDROM', 'DATABLOCK', 'KERNEL', 'RAMDISK', 'CONTEXT']);
export type ImageType = z.infer<typeof ImageType>;

export const isImageType = (name: string): name is ImageType => Object.hasOwn(imageTypes, name);

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

const UploadBytes = z
  .int()
  .min(1)
  .max(limits.imageSize.most * 2 ** 20, `an image may have ${limits.imageSize.most} MB at most`);

const Source = z.string().min(1).max(limits.imageSource.most, atMost('imageSource'));
const webAddress = /^https?:\/\/[^\s/@]{1,300}(\/[^\s]*)?$/;

/** Where its bytes come from. Who may read what is for the settings of the workers to say. */
export const ImageSource = z.union([
  z.strictObject({ path: Source.regex(/^\/[^\p{Cc}]*$/u, 'must be an absolute path') }),
  z.strictObject({ url: Source.regex(webAddress, 'must be an http or https address without a user or password') }),
  z.strictObject({ empty: z.strictObject({ size_mb: SizeMb, format: ImageFormat.default('qcow2') }) }),
  z.strictObject({ upload: z.strictObject({ bytes: UploadBytes }) }),
]);
export type ImageSource = z.infer<typeof ImageSource>;

const kept = 'What is to be kept of it beside, such as DEV_PREFIX and LABELS, and what guests can be told of it';
const attributeText = z.string().max(limits.imageAttributeText.most, atMost('imageAttributeText'));

/** What is to be kept of an image beside, such as DEV_PREFIX, and what guests are told of it by `$IMAGE[…]`. Names are upper case. */
const ImageAttributes = z.record(z.string(), attributeText).meta(namedUpTo('imageAttributes'));
export type ImageAttributes = Record<string, string>;
const AttributeChanges = attributeChanges(attributeText, 'imageAttributes');

export const CreateImage = z.strictObject({
  name: ObjectName,
  description: Description.default(''),
  type: ImageType.default('OS').describe('OS, CDROM and DATABLOCK are disks; KERNEL, RAMDISK and CONTEXT are files'),
  datastore_id: ObjectId.optional().describe('Default: 1 of a disk, 2 of a file'),
  persistent: z.boolean().default(false).describe('What a VM writes is kept in it; one VM uses it at a time'),
  source: ImageSource.describe(
    'A path on the machine of a worker, an address, how large it is to be, empty, or how many bytes are sent of it afterwards',
  ),
  sha256: Sha256.optional().describe('Of the bytes as they are published'),
  md5: Md5.optional().describe('Of the bytes as they are published'),
  size_mb: SizeMb.optional().describe(
    'MB that it comes to at most, which are reserved before a byte is moved; absent: what is left of quotas and of the datastore bounds it',
  ),
  attributes: AttributeChanges.optional().describe(kept),
});
export type CreateImage = z.infer<typeof CreateImage>;

export const CloneImage = z.strictObject({
  name: ObjectName,
  datastore_id: ObjectId.optional().describe('Default: that of the image'),
});
export type CloneImage = z.infer<typeof CloneImage>;

export const ResizeImage = z.strictObject({ size_mb: SizeMb.describe('MB that a guest is to see; more than it sees') });
export type ResizeImage = z.infer<typeof ResizeImage>;

/** An image of what a disk of a VM is. */
export const SaveDisk = z.strictObject({
  name: ObjectName,
  description: Description.default(''),
  type: z
    .enum(['OS', 'CDROM', 'DATABLOCK'])
    .optional()
    .describe('Default: that of the image which the disk is made of; DATABLOCK of a volatile one'),
  datastore_id: ObjectId.optional().describe(
    'Default: that of the image which the disk is made of; 1 of a volatile one',
  ),
  persistent: z.boolean().default(false).describe('What a VM writes is kept in it; one VM uses it at a time'),
  snapshot_id: z.int().min(0).optional().describe('A snapshot of the disk, which is saved instead of what it is now'),
});
export type SaveDisk = z.infer<typeof SaveDisk>;

/** A disk of a VM as an image is. */
export const RestoreDisk = z.strictObject({
  image_id: ObjectId.describe(
    'The image that the disk is to be as: one that `disk-saveas` has made of it, or any other of its size or less',
  ),
});
export type RestoreDisk = z.infer<typeof RestoreDisk>;

/** What people can change of an image, whole. */
export const ImageEdit = z.strictObject({
  name: ObjectName,
  description: Description.default(''),
  type: ImageType,
  persistent: z.boolean(),
  state: z.enum(['enabled', 'disabled']),
  attributes: ImageAttributes.default({}),
  locked: z.boolean().default(false),
});
export type ImageEdit = z.output<typeof ImageEdit>;

/** A merge patch of that. */
export const UpdateImage = z.strictObject({
  name: ObjectName.optional(),
  description: Description.nullable().optional(),
  type: ImageType.optional().describe('Among disks, or among files, where nothing uses it'),
  persistent: z.boolean().optional().describe('Changed where nothing uses it'),
  state: z.enum(['enabled', 'disabled']).optional().describe('A disabled one is used by nobody'),
  attributes: AttributeChanges.nullable().optional().describe(`${kept}; null takes one away`),
  locked: z
    .boolean()
    .optional()
    .describe('One that is locked is used, and neither changed, given away nor removed before it is unlocked'),
});
export type UpdateImage = z.infer<typeof UpdateImage>;

/** What was published, as it was found; null: it was made empty, or is a clone. */
const Published = z.object({
  bytes: z.int(),
  sha256: z.string(),
  md5: z.string().nullable(),
  packing: z.array(Packing),
});

/** Of an app of a marketplace: where its bytes are, by an address or by what it is called there. */
export type ImageOfApp = { app: number } & ({ url: string } | { object: { market: number; key: string } });

/** What an image was asked to be made of. `schedule`: the scheduled action of the VM that saves its disks again and again. `url` may hold what is nobody's business: it is not shown as it is. */
export type ImageOrigin =
  | ImageSource
  | { image: number }
  | ImageOfApp
  | { vm: number; disk: number; schedule?: number; snapshot?: number };

/** Since when it is not to be changed, and by whom. */
export type ImageLock = { uid: number; at: Date };

/**
 * What is sent of an image. `open`: more may be; not once it is whole, is given up or removed. `arrived`, and when it last grew by what counts as getting
 * further, are as whoever took it has seen them: how much lies in the datastore, the datastore says.
 */
export type Upload = { open: boolean; arrived: number; at: Date };

/** An image as stored. Its bytes lie in its datastore, under a name that derives from its id. */
export type Image = Ownership & {
  _id: number;
  name: string;
  description: string;
  /** Absent: of before there were any. */
  attributes?: ImageAttributes;
  /** Absent, null: it is not locked. */
  lock?: ImageLock | null;
  type: ImageType;
  datastore_id: number;
  ds_mad: StorageKind;
  persistent: boolean;
  state: ImageState;
  /** Why it is in ERROR. */
  reason: string | null;
  origin: ImageOrigin;
  wish: { sha256?: string; md5?: string; size_mb: number | null };
  /** Of one that is sent; absent: it is made of something else. */
  upload?: Upload;
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
  /** Apps of marketplaces that are being published of it; absent: none ever was. */
  apps?: number[];
  operation: string | null;
  /** The deletion that takes it over. */
  wanted: string | null;
  /** Rises with each holder and with each try of a step: what is written or done under an older one counts for nothing. */
  epoch: number;
  /** How often somebody has begun with a copy of it in another datastore, or with the removal of one; absent: nobody ever has. */
  copied?: number;
  /** The operation that is to resize it, and has not touched it yet, with what the image was before. */
  untouched?: { op: string } & Pick<Image, 'state' | 'reason'>;
  /** Nothing of it is left in its datastore, said by the operation that has seen to it. */
  emptied?: string;
  /** What is kept in it of a persistent one, by the VMs that have used it; absent: nothing ever was. */
  snapshots?: DiskSnapshots;
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
  attributes: z.record(z.string(), z.string()),
  lock: z.object({ uid: ObjectId, at: Timestamp }).nullable().describe('Who has locked it, and when'),
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
  apps: z.array(ObjectId).describe('Apps of marketplaces that are being published of it'),
  copies: z.array(ImageCopyShown).describe('What there is of it in datastores for VMs that lie elsewhere'),
  upload: z
    .object({ bytes: z.int(), arrived: z.int(), expires_at: Timestamp })
    .nullable()
    .describe(
      'Bytes that are still to be sent of it, of how many, and when it is given up if nobody goes on; null: none',
    ),
  snapshots: z
    .array(
      z.object({
        snapshot_id: z.int(),
        name: z.string(),
        parent: z.int().nullable().describe('The one after which it was taken'),
        taken_at: Timestamp,
        current: z.boolean().describe('What is written comes after it'),
      }),
    )
    .describe('Of a persistent one: what disks that were it were at a moment, which is kept in it'),
  operation: z.string().nullable().describe('The operation that is at work on it'),
  created_at: Timestamp,
}).meta({ id: 'Image' });
export type ImageResource = z.infer<typeof ImageResource>;
