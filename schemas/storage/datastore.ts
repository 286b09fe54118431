import { z } from 'zod';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';
import type { Sealed } from '../common/sealed.js';
import { Ssh, SshEdit, SshShown, type StoredSsh, UpdateSsh } from './datastore-ssh.js';
import { AccessKey, Bucket, Endpoint, Prefix, Region, S3Way, SecretKey } from './s3-way.js';
import { StorageKind } from './stored.js';

/** What a datastore is for (OpenNebula's IMAGE_DS, SYSTEM_DS, FILE_DS): images, disks of VMs that run, or kernels and the like. */
export const DatastoreType = z.enum(['image', 'system', 'file']);
export type DatastoreType = z.infer<typeof DatastoreType>;

/** READY: takes what is new. DISABLED: keeps what it has, and takes nothing new. */
export const DatastoreState = z.enum(['READY', 'DISABLED']);
export type DatastoreState = z.infer<typeof DatastoreState>;

const DatastoreWish = z.enum(['enabled', 'disabled']);

/** Those that are always there, as OpenNebula numbers them. */
export const defaultDatastores = [
  { _id: 0, name: 'system', type: 'system' },
  { _id: 1, name: 'default', type: 'image' },
  { _id: 2, name: 'files', type: 'file' },
] as const satisfies readonly { _id: number; name: string; type: DatastoreType }[];
export const isDefaultDatastore = (id: number): boolean => defaultDatastores.some(({ _id }) => _id === id);

const ClusterIds = z
  .array(ObjectId)
  .min(1, 'must name a cluster')
  .max(limits.datastoreClusters.most, atMost('datastoreClusters'))
  .transform((ids) => [...new Set(ids)].sort((one, other) => one - other));

const LimitMb = z.int().min(1).max(limits.datastoreSize.most, atMost('datastoreSize'));

/** Where an `s3` datastore is, and who it is there. */
const S3 = z.strictObject({
  bucket: Bucket,
  prefix: Prefix.default('').describe('What names of objects begin with; it stays so'),
  ...S3Way,
  secret_key: SecretKey.describe('Kept sealed, and never shown'),
});
/** What of it can be changed, whole; without a secret key that of before stays. */
const S3Edit = z.strictObject({ ...S3Way, secret_key: SecretKey.optional() });
const UpdateS3 = z.strictObject({
  region: Region.optional(),
  endpoint: Endpoint.nullable().optional(),
  force_path_style: z.boolean().optional(),
  access_key: AccessKey.optional(),
  secret_key: SecretKey.optional().describe('Another one; it is kept sealed, and never shown'),
});
const S3Shown = z.object({
  bucket: z.string(),
  prefix: z.string(),
  region: z.string(),
  endpoint: z.string().nullable(),
  force_path_style: z.boolean(),
  access_key: z.string(),
});

export type { StoredSsh } from './datastore-ssh.js';

/** The same as stored. */
export type StoredS3 = Omit<z.output<typeof S3>, 'secret_key'> & { secret_key: Sealed };

export const CreateDatastore = z.strictObject({
  name: ObjectName,
  type: DatastoreType.default('image').describe('What it is for; it stays so'),
  ds_mad: StorageKind.default('fs').describe('Which storage adapter drives it; it stays so'),
  limit_mb: LimitMb.nullable().optional().describe('MB that it takes at most; null: as much as there is room for'),
  cluster_ids: ClusterIds.optional().describe('Clusters whose hosts reach it; default: 0'),
  s3: S3.optional().describe('Of ds_mad s3: where it is, and who Arcus is there'),
  ssh: Ssh.optional().describe('Of ds_mad ssh: on which machine it is, and who Arcus is there'),
});
export type CreateDatastore = z.infer<typeof CreateDatastore>;

/** What people can change of a datastore, whole. */
export const DatastoreEdit = z.strictObject({
  name: ObjectName,
  state: DatastoreWish,
  limit_mb: LimitMb.nullable().default(null),
  cluster_ids: ClusterIds.default([0]),
  s3: S3Edit.optional(),
  ssh: SshEdit.optional(),
});
export type DatastoreEdit = z.output<typeof DatastoreEdit>;

/** A merge patch of that. */
export const UpdateDatastore = z.strictObject({
  name: ObjectName.optional(),
  state: DatastoreWish.optional().describe('A disabled one keeps what it has and takes nothing new'),
  limit_mb: LimitMb.nullable().optional().describe('MB that it takes at most; null: as much as there is room for'),
  cluster_ids: ClusterIds.nullable().optional().describe('Clusters whose hosts reach it; null: 0'),
  s3: UpdateS3.optional().describe('Of ds_mad s3; bucket and prefix stay'),
  ssh: UpdateSsh.optional().describe('Of ds_mad ssh; the directory stays'),
});
export type UpdateDatastore = z.infer<typeof UpdateDatastore>;

/** MB of what lies behind it, as a look found it. */
const Capacity = z.object({ total: z.int(), used: z.int(), free: z.int() });
export type DatastoreCapacity = z.infer<typeof Capacity>;

/** A datastore as stored. What is in it, the images say. */
export type Datastore = Ownership & {
  _id: number;
  name: string;
  type: DatastoreType;
  ds_mad: StorageKind;
  state: DatastoreState;
  limit_mb: number | null;
  cluster_ids: number[];
  /** Of ds_mad `s3` alone. */
  s3?: StoredS3;
  /** Of ds_mad `ssh` alone. */
  ssh?: StoredSsh;
  /** As the last look that was answered found it; null: none was. */
  capacity: DatastoreCapacity | null;
  /** Why the last look was not answered, in the words of what is behind it; null: it was, or there was none. */
  error: string | null;
  monitored_at: Date | null;
  created_at: Date;
};

/** What lists of datastores can be filtered and sorted by. */
export const datastoreFields = {
  ...namedFields,
  type: { kind: DatastoreType.options, path: 'type' },
  ds_mad: { kind: StorageKind.options, path: 'ds_mad' },
  state: { kind: DatastoreState.options, path: 'state' },
} as const satisfies ListFields;

export const DatastoreResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  type: DatastoreType,
  ds_mad: StorageKind,
  state: DatastoreState,
  limit_mb: z.int().nullable().describe('MB that it takes at most; null: as much as there is room for'),
  reserved_mb: z
    .int()
    .describe('MB that count towards that: what its images are charged, or what disks of VMs may come to in it'),
  cluster_ids: z.array(ObjectId).describe('Clusters whose hosts reach it'),
  s3: S3Shown.nullable().describe('Of ds_mad s3: where it is; null: it is another'),
  ssh: SshShown.nullable().describe('Of ds_mad ssh: on which machine it is; null: it is another'),
  capacity: Capacity.nullable().describe('MB of what lies behind it; null: nobody has looked yet'),
  error: z.string().nullable().describe('Why the last look at it was not answered'),
  monitored_at: Timestamp.nullable(),
  created_at: Timestamp,
}).meta({ id: 'Datastore' });
export type DatastoreResource = z.infer<typeof DatastoreResource>;
