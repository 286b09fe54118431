import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fsStorage } from '../../adapters/storage/fs/fs.js';
import type { DiskWish } from '../../adapters/storage/port.js';
import type { FindingCode } from '../../schemas/consistency/consistency.js';
import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { Damage, Done, Place } from './fsck-damages.js';

const nobody = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';
/** Ids that no image and no VM has. */
const unknown = { clone: 4_715, user: 4_716, image: 4_717, arriving: 4_718, vm: 4_719, told: 4_720, copied: 4_721 };
const system = { id: 0, ds_mad: 'fs' } as const;
const empty: DiskWish = { empty: { format: 'qcow2', size: 2 ** 20 }, content: 'none' };

const damage = (code: FindingCode, bringAbout: Damage['bringAbout']): Damage => ({ code, bringAbout });

/** An image of its own, in datastore 1. */
async function ownImage({ cluster }: Place): Promise<number> {
  const wish = { name: crypto.randomUUID(), type: 'DATABLOCK', source: { empty: { size_mb: 1 } } };
  const { id, resource } = await cluster.client.accepted('POST', '/images', wish);
  await cluster.client.awaitOperation(id, 'succeeded');
  return resource.id;
}
async function onImage(place: Place, set: Record<string, unknown>): Promise<Done> {
  const id = await ownImage(place);
  await place.cluster.store.images.model.updateOne({ _id: id }, { $set: set });
  return { resource: { type: 'image', id } };
}
const vmOf = async ({ cluster, service }: Place) => {
  const [vm] = await cluster.store.vms.ofService(service, ['front']);
  if (!vm) throw new Error(`service ${service} has no VM`);
  return vm;
};
const disk: Disk = {
  ...{ disk_id: 0, type: 'fs', size: 1, format: 'qcow2', target: 'vda' },
  ...{ snapshots: [], current: null, snapshot_ids: 0 },
};
const giveDisk = ({ cluster }: Place, vm: number, its: Disk) =>
  cluster.store.vms.model.updateOne(
    { _id: vm },
    { $set: { disks: [its], datastore: { ...system, mb: 1, at: new Date() } } },
  );
const lay = ({ datastores }: Place, vm: number, epoch: number, wish: DiskWish = empty) =>
  fsStorage(datastores).makeDisk({ vm, disk: 0, epoch, datastore: system }, wish, new AbortController().signal);

/** A directory with something in it, which goes when that is mended. */
function laid({ datastores }: Place, ...path: string[]): () => Promise<void> {
  const directory = join(datastores, ...path);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'disk'), 'something');
  return async () => rmSync(directory, { recursive: true });
}

/** What is written down of a copy, in datastore 0. */
const copyOf = ({ cluster }: Place, image: number) =>
  cluster.store.imageCopies.model.create({
    ...{ _id: `${image}/0`, image, datastore_id: 0, ds_mad: 'fs', state: 'READY', of: 1, epoch: 1, holder: null },
    ...{ beat_at: new Date(), clear: false, size_mb: 1, moved: { done: 1, total: 1, at: new Date() }, summed: null },
    ...{ used_at: new Date(), created_at: new Date() },
  });

async function ownDatastore({ cluster }: Place): Promise<number> {
  return cluster.client.make('/datastores', { name: crypto.randomUUID() });
}

/** A way to bring about each thing that a check can find of images, and of what lies in datastores. */
export const imageDamages: readonly Damage[] = [
  damage('image_abandoned', (place) => onImage(place, { state: 'LOCKED' })),
  damage('image_operation_stale', (place) => onImage(place, { operation: nobody })),
  damage('image_wanted_stale', (place) => onImage(place, { wanted: nobody })),
  damage('image_clone_stale', (place) => onImage(place, { state: 'CLONE', clones: [unknown.clone] })),
  damage('image_state_wrong', (place) => onImage(place, { state: 'USED' })),
  damage('image_use_stale', (place) => onImage(place, { state: 'USED', vms: [unknown.user] })),
  damage('image_use_missing', async (place) => {
    const [id, { _id: vm, epoch }] = [await ownImage(place), await vmOf(place)];
    const image = { id, name: 'its', datastore: 1, ds_mad: 'fs', way: 'clone', persistent: false } as const;
    await lay(place, vm, epoch, { from: { id, datastore: { id: 1, ds_mad: 'fs' } }, way: 'clone', size: null });
    await giveDisk(place, vm, { ...disk, image });
    return { resource: { type: 'vm', id: vm } };
  }),
  damage('image_without_bytes', async (place) => {
    const id = await ownImage(place);
    const [there, away] = [join(place.datastores, '1', 'images', `${id}`), join(place.datastores, `away.${id}`)];
    renameSync(there, away);
    return { resource: { type: 'image', id }, mend: async () => renameSync(away, there) };
  }),
  damage('image_bytes_orphaned', async (place) => ({
    resource: { type: 'image', id: unknown.image },
    mend: laid(place, '1', 'images', `${unknown.image}`),
  })),
  damage('staging_orphaned', async (place) => {
    laid(place, '1', 'staging', `${unknown.arriving}`);
    return { resource: { type: 'image', id: unknown.arriving } };
  }),
  damage('staging_left', async (place) => {
    const id = await ownImage(place);
    return { resource: { type: 'image', id }, mend: laid(place, '1', 'staging', `${id}`) };
  }),
  damage('copy_missing', async (place) => {
    const id = await ownImage(place);
    await copyOf(place, id);
    return { resource: { type: 'image', id } };
  }),
  damage('copy_orphaned', async (place) => {
    const id = await ownImage(place);
    laid(place, '0', 'images', `${id}`);
    return { resource: { type: 'image', id } };
  }),
  damage('copy_left', async (place) => {
    await copyOf(place, unknown.copied);
    laid(place, '0', 'images', `${unknown.copied}`);
    return { resource: { type: 'image', id: unknown.copied } };
  }),
  damage('disk_left', async (place) => {
    const { _id: id, epoch } = await vmOf(place);
    await lay(place, id, epoch);
    return { resource: { type: 'vm', id } };
  }),
  damage('disk_orphaned', async (place) => {
    await lay(place, unknown.vm, 1);
    const mend = async () => rmSync(join(place.datastores, '0', 'vms', `${unknown.vm}`), { recursive: true });
    return { resource: { type: 'vm', id: unknown.vm }, mend };
  }),
  damage('disk_missing', async (place) => {
    const { _id: id } = await vmOf(place);
    await giveDisk(place, id, disk);
    const mend = () => place.cluster.store.vms.model.updateOne({ _id: id }, { $set: { disks: [], datastore: null } });
    return { resource: { type: 'vm', id }, mend };
  }),
  damage('context_left', async (place) => {
    const { _id: id, epoch } = await vmOf(place);
    laid(place, '0', 'vms', `${id}`, `${epoch}`);
    return { resource: { type: 'vm', id } };
  }),
  damage('context_orphaned', async (place) => ({
    resource: { type: 'vm', id: unknown.told },
    mend: laid(place, '0', 'vms', `${unknown.told}`, '1'),
  })),
  damage('datastore_strange_names', async (place) => {
    const id = await ownDatastore(place);
    return { resource: { type: 'datastore', id }, mend: laid(place, `${id}`, 'notes') };
  }),
  damage('datastore_unreachable', async (place) => {
    const id = await ownDatastore(place);
    const root = join(place.datastores, `${id}`);
    rmSync(root, { recursive: true, force: true });
    writeFileSync(root, 'no directory');
    return { resource: { type: 'datastore', id }, mend: async () => rmSync(root) };
  }),
];
