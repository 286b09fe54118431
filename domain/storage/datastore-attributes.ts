import type { Datastore } from '../../schemas/storage/datastore.js';
import type { AttributeValue } from '../expressions/syntax.js';

/** A system datastore as placement sees it. `promised`: MB of disks that VMs have there, and of copies of images; `fresh`: those of them that its last look cannot have seen. */
export type DescribedDatastore = Pick<
  Datastore,
  '_id' | 'name' | 'ds_mad' | 'state' | 'error' | 'limit_mb' | 'cluster_ids' | 'capacity'
> & {
  promised: number;
  fresh: number;
  /** Datastores whose images disks here can stand on; absent: all of its kind. */
  beside?: readonly number[];
  /** Images of others that are here already, or on their way. */
  copies?: readonly number[];
};

/**
 * MB that disks of more VMs may come to there; null: nobody knows a bound. What is free is what the last look found, without what was promised since: disks
 * on images take what is written to them, and may come to more in all than there is. A limit bounds what is promised in all.
 */
export function roomIn({
  limit_mb,
  capacity,
  promised,
  fresh,
}: Pick<DescribedDatastore, 'limit_mb' | 'capacity' | 'promised' | 'fresh'>): number | null {
  const bounds = [limit_mb === null ? [] : [limit_mb - promised], capacity === null ? [] : [capacity.free - fresh]];
  const all = bounds.flat();
  return all.length === 0 ? null : Math.max(0, Math.min(...all));
}

/** MB that there may ever be of one VM, whatever else goes: what the file system has, or the limit; null: nobody knows a bound. */
export function mostIn({ limit_mb, capacity }: Pick<DescribedDatastore, 'limit_mb' | 'capacity'>): number | null {
  const bounds = [limit_mb, capacity?.total ?? null].filter((bound) => bound !== null);
  return bounds.length === 0 ? null : Math.min(...bounds);
}

const attributes: Readonly<Record<string, (datastore: DescribedDatastore) => AttributeValue | undefined>> = {
  ID: ({ _id }) => _id,
  DATASTORE_ID: ({ _id }) => _id,
  NAME: ({ name }) => name,
  STATE: ({ state }) => state,
  TYPE: () => 'SYSTEM_DS',
  DS_MAD: ({ ds_mad }) => ds_mad,
  TM_MAD: ({ ds_mad }) => ds_mad,
  CLUSTER_ID: ({ cluster_ids }) => cluster_ids,
  'CLUSTERS/ID': ({ cluster_ids }) => cluster_ids,
  FREE_MB: (datastore) => roomIn(datastore) ?? undefined,
  USED_MB: ({ capacity }) => capacity?.used,
  TOTAL_MB: ({ capacity }) => capacity?.total,
  LIMIT_MB: ({ limit_mb }) => limit_mb ?? undefined,
};

/** OpenNebula’s paths name where in its XML an attribute is; here there is one place. */
const canonical = (name: string): string => name.replace(/^\/?(DATASTORE\/)?(TEMPLATE\/)?/i, '').toUpperCase();

/** An attribute of a datastore, for requirements and ranks; undefined: it has none of that name. */
export function datastoreAttribute(datastore: DescribedDatastore, name: string): AttributeValue | undefined {
  const wanted = canonical(name);
  return Object.hasOwn(attributes, wanted) ? attributes[wanted]?.(datastore) : undefined;
}
