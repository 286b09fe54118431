import type { DatastoreResource } from '../../schemas/storage/datastore.js';
import type { ImageResource } from '../../schemas/storage/image.js';
import { fact, momentText, row, sizeText } from './columns.js';
import { permissionsOf } from './one-program.js';

// `oneimage` and `onedatastore` of OpenNebula 5.0.

/** Names of datastores, or how many images are in each, by their ids. */
type ById<T> = ReadonlyMap<number, T>;

const imageStates = {
  ...{ LOCKED: 'lock', READY: 'rdy', USED: 'used', USED_PERS: 'used', CLONE: 'clon', DISABLED: 'disa' },
  ...{ ERROR: 'err', DELETE: 'dele' },
} as const satisfies Record<ImageResource['state'], string>;

const imageTypes = {
  ...{ OS: 'OS', CDROM: 'CD', DATABLOCK: 'DB', KERNEL: 'KL', RAMDISK: 'RD', CONTEXT: 'CX' },
} as const satisfies Record<ImageResource['type'], string>;

const datastoreTypes = { image: 'img', system: 'sys', file: 'fil' } as const;
const datastoreStates = { READY: 'on', DISABLED: 'off' } as const;

const megabytes = (amount: number): string => sizeText(amount * 1_024).replace('.0', '');
const yesNo = (is: boolean): string => (is ? 'Yes' : 'No');

/** `oneimage list`. */
export const imageList = (images: readonly ImageResource[], names: ById<string>): string =>
  [
    row(
      ...([
        ['ID', -4],
        ['USER', 10],
        ['GROUP', 10],
        ['NAME', 15],
        ['DATASTORE', 10],
        ['SIZE', -7],
        ['TYPE', -4],
        ['PER', -3],
        ['STAT', 4],
        ['RVMS', -4],
      ] as const),
    ),
    ...images.map((image) =>
      row(
        [String(image.id), -4],
        [image.uname, 10],
        [image.gname, 10],
        [image.name, 15],
        [names.get(image.datastore_id) ?? String(image.datastore_id), 10],
        [megabytes(image.size_mb), -7],
        [imageTypes[image.type], -4],
        [yesNo(image.persistent), -3],
        [imageStates[image.state], 4],
        [String(image.vms.length), -4],
      ),
    ),
  ].join('\n');

/** `oneimage show`. */
export function imageText(image: ImageResource, names: ById<string>): string {
  const facts = (given: readonly (readonly [string, string | number | undefined])[]): string[] =>
    given.flatMap(([name, value]) => fact(name, value, 15));
  return [
    `IMAGE ${image.id} INFORMATION`,
    ...facts([
      ['ID', image.id],
      ['NAME', image.name],
      ['USER', image.uname],
      ['GROUP', image.gname],
      ['DATASTORE', names.get(image.datastore_id) ?? image.datastore_id],
      ['TYPE', image.type],
      ['REGISTER TIME', momentText(new Date(image.created_at))],
      ['PERSISTENT', yesNo(image.persistent)],
      ['PATH', image.source],
      ['SIZE', megabytes(image.size_mb)],
      ...(image.lock ? [['LOCK', `by user ${image.lock.uid}`] as const] : []),
      ['STATE', imageStates[image.state]],
      ['RUNNING_VMS', image.vms.length],
    ]),
    '',
    ...permissionsOf(image.permissions),
    '',
    'IMAGE TEMPLATE',
    ...(image.description === '' ? [] : [`DESCRIPTION="${image.description.replaceAll('"', '\\"')}"`]),
    ...Object.entries(image.attributes).map(([name, value]) => `${name}="${value.replaceAll('"', '\\"')}"`),
    ...(image.format === null ? [] : [`DRIVER="${image.format}"`]),
    ...(image.published === null ? [] : [`SHA256="${image.published.sha256}"`]),
    ...(image.reason === null ? [] : [`ERROR="${image.reason.replaceAll('"', '\\"')}"`]),
    '',
    ...(image.snapshots.length === 0 ? [] : ['IMAGE SNAPSHOTS', '   ID PARENT NAME']),
    ...image.snapshots.map(
      ({ snapshot_id: id, parent, name, current }) =>
        `${current ? '=>' : '  '} ${String(id).padStart(2)} ${String(parent ?? -1).padStart(6)} ${name}`,
    ),
    ...(image.snapshots.length === 0 ? [] : ['']),
    'VIRTUAL MACHINES',
    ...image.vms.map(String),
  ].join('\n');
}

/** `onedatastore list`. What moves disks to hosts has no word here yet. */
export const datastoreList = (datastores: readonly DatastoreResource[], images: ById<number>): string =>
  [
    row(
      ...([
        ['ID', -4],
        ['NAME', 19],
        ['SIZE', -10],
        ['AVAIL', -5],
        ['CLUSTERS', 12],
        ['IMAGES', -6],
        ['TYPE', 4],
        ['DS', 7],
        ['TM', 7],
        ['STAT', 4],
      ] as const),
    ),
    ...datastores.map(({ id, name, capacity, cluster_ids, type, ds_mad, state }) =>
      row(
        [String(id), -4],
        [name, 19],
        [capacity ? megabytes(capacity.total) : '-', -10],
        [capacity && capacity.total > 0 ? `${Math.trunc((100 * capacity.free) / capacity.total)}%` : '-', -5],
        [cluster_ids.join(','), 12],
        [String(images.get(id) ?? 0), -6],
        [datastoreTypes[type], 4],
        [ds_mad, 7],
        ['-', 7],
        [datastoreStates[state], 4],
      ),
    ),
  ].join('\n');

/** `onedatastore show`. `images`: the ids of those that are in it. */
export function datastoreText(datastore: DatastoreResource, images: readonly number[]): string {
  const facts = (given: readonly (readonly [string, string | number | undefined])[]): string[] =>
    given.flatMap(([name, value]) => fact(name, value, 15));
  const { capacity, limit_mb } = datastore;
  return [
    `DATASTORE ${datastore.id} INFORMATION`,
    ...facts([
      ['ID', datastore.id],
      ['NAME', datastore.name],
      ['USER', datastore.uname],
      ['GROUP', datastore.gname],
      ['CLUSTERS', datastore.cluster_ids.join(',')],
      ['TYPE', datastore.type.toUpperCase()],
      ['DS_MAD', datastore.ds_mad],
      ['STATE', datastore.state],
    ]),
    '',
    'DATASTORE CAPACITY',
    ...facts([
      ['TOTAL:', capacity ? megabytes(capacity.total) : '-'],
      ['FREE:', capacity ? megabytes(capacity.free) : '-'],
      ['USED:', capacity ? megabytes(capacity.used) : '-'],
      ['LIMIT:', limit_mb === null ? '-' : megabytes(limit_mb)],
    ]),
    '',
    ...permissionsOf(datastore.permissions),
    '',
    'IMAGES',
    ...images.map(String),
  ].join('\n');
}
