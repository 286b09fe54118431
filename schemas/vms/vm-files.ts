import { z } from 'zod';
import { ObjectId } from '../common/common.js';
import type { ImageType } from '../storage/image.js';
import type { StorageKind } from '../storage/stored.js';

/** What a VM has of images that are files: what its guest is to get, and what it is booted by. */
export const VmFileUse = z.enum(['CONTEXT', 'KERNEL', 'RAMDISK']) satisfies z.ZodType<ImageType>;
export type VmFileUse = z.infer<typeof VmFileUse>;

/** One as stored: which image was meant is decided when the VM is made, or its CONTEXT changed. `name`: as the image was called then, and as the guest finds it. */
export type VmFile = {
  use: VmFileUse;
  name: string;
  image: { id: number; datastore: number; ds_mad: StorageKind };
};

export const VmFileResource = z.object({
  use: VmFileUse.describe('CONTEXT: its guest finds it beside context.sh; KERNEL, RAMDISK: it is booted by it'),
  name: z.string().describe('As its image was called when it was chosen, and as the guest finds it'),
  image_id: ObjectId,
  datastore_id: ObjectId,
});
