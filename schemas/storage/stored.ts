import { z } from 'zod';

/** Name of a storage adapter (OpenNebula's DS_MAD). */
export const StorageKind = z.enum(['fs', 'simulated', 's3', 'ssh']);
export type StorageKind = z.infer<typeof StorageKind>;

/** What an image's bytes are, as they are kept. Others are refused: `qemu-img convert` makes one of these of them. */
export const ImageFormat = z.enum(['raw', 'qcow2']);
export type ImageFormat = z.infer<typeof ImageFormat>;

/** What the published bytes of an image may be packed in. */
export const Packing = z.enum(['gzip', 'bzip2', 'xz', 'zstd', 'tar', 'zip']);
export type Packing = z.infer<typeof Packing>;
