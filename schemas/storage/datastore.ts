import { z } from 'zod';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';
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

export const CreateDatastore = z.strictObject({
  name: ObjectName,
  type: DatastoreType.default('image').describe('What it is for; it stays so'),
  ds_mad: StorageKind.default('fs').describe('Which storage adapter drives it; it stays so'),
  limit_mb: LimitMb.nullable().optional().describe('MB that it takes at most; null: as much as there is room for'),
  cluster_ids: ClusterIds.optional().describe('Clusters whose hosts reach it; default: 0'),
});
export type CreateDatastore = z.infer<typeof CreateDatastore>;

/** What people can change of a datastore, whole. */
export const DatastoreEdit = z.strictObject({
  name: ObjectName,
  state: DatastoreWish,
  limit_mb: LimitMb.nullable().default(null),
  cluster_ids: ClusterIds.default([0]),
});
export type DatastoreEdit = z.output<typeof DatastoreEdit>;

/** A merge patch of that. */
export const UpdateDatastore = z.strictObject({
  name: ObjectName.optional(),
  state: DatastoreWish.optional().describe('A disabled one keeps what it has and takes nothing new'),
  limit_mb: LimitMb.nullable().optional().describe('MB that it takes at most; null: as much as there is room for'),
  cluster_ids: ClusterIds.nullable().optional().describe('Clusters whose hosts reach it; null: 0'),
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
  cluster_ids: z.array(ObjectId).describe('Clusters whose hosts reach it'),
  capacity: Capacity.nullable().describe('MB of what lies behind it; null: nobody has looked yet'),
  error: z.string().nullable().describe('Why the last look at it was not answered'),
  monitored_at: Timestamp.nullable(),
  created_at: Timestamp,
}).meta({ id: 'Datastore' });
export type DatastoreResource = z.infer<typeof DatastoreResource>;
