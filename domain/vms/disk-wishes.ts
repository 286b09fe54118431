import { limits } from '../../schemas/common/limits.js';
import { DevicePrefix, type Disk, type DiskOptions, NewDisk } from '../../schemas/operations/vm-devices.js';
import type { Image } from '../../schemas/storage/image.js';
import type { VmFile } from '../../schemas/vms/vm-files.js';
import type { WishedImage } from '../placement/placement-datastores.js';
import { megabytesOf } from '../storage/image-states.js';
import { type Attributes, listOf, textOf } from './template-values.js';

/** Which image a disk is to be made of: by its id, or by its name among those of a user; `owner` null: of the VM’s owner. */
export type ImageName = { id: number } | { name: string; owner: string | number | null };

/** What a disk is to be. */
export type DiskWish = {
  disk_id: number;
  target?: string;
  prefix?: string;
  options?: DiskOptions;
  of:
    | { type: 'fs' | 'swap'; size: number; format: 'raw' | 'qcow2' }
    | { image: ImageName; size?: number; readonly: boolean };
};

/** What of an image a disk of it is decided by. */
export type DiskSource = Pick<
  Image,
  | '_id'
  | 'name'
  | 'type'
  | 'persistent'
  | 'datastore_id'
  | 'ds_mad'
  | 'format'
  | 'virtual_size'
  | 'attributes'
  | 'snapshots'
> &
  Partial<Pick<Image, 'bytes'>>;

/** The wish of one that is to be attached. */
export function wishOfDisk(disk_id: number, disk: NewDisk, owner?: number): DiskWish | null {
  const { image, image_uname, readonly = false, type, size, format = 'raw', target, dev_prefix, ...rest } = disk;
  const { driver, cache, io, discard } = rest;
  const options: DiskOptions = {
    ...(driver && { driver }),
    ...(cache && { cache }),
    ...(io && { io }),
    ...(discard && { discard }),
  };
  const where = {
    disk_id,
    ...(target !== undefined && { target }),
    ...(dev_prefix !== undefined && { prefix: dev_prefix }),
    ...(Object.keys(options).length > 0 && { options }),
  };
  if (image !== undefined) {
    const named: ImageName =
      typeof image === 'number' ? { id: image } : { name: image, owner: image_uname ?? owner ?? null };
    return { ...where, of: { image: named, readonly, ...(size !== undefined && { size }) } };
  }
  // Both are there: the schema asks for them.
  if (type === undefined || size === undefined) return null;
  // One to swap to has nothing that a snapshot would be for.
  return { ...where, of: { type, size, format: type === 'swap' ? 'raw' : format } };
}

const lower = (value: unknown): string | undefined => textOf(value)?.toLowerCase();
const numberOf = (value: unknown): unknown => (typeof value === 'string' ? Number(value) : value);
const isId = (text: string): boolean => /^\d{1,9}$/.test(text);

/**
 * What the disks of a VM template are to be: IMAGE_ID, or IMAGE with IMAGE_UNAME or IMAGE_UID; or TYPE and SIZE of a volatile one. As in OpenNebula
 * the id goes before the name. Ids of disks are their places among all. `findings`: what is wrong with them, as `DISK/0/SIZE …`.
 */
export function diskWishes(DISK: unknown): { wishes: DiskWish[]; findings: string[] } {
  const all = listOf(DISK);
  // They are not looked at more closely: that takes longer the more there are.
  if (all.length > limits.disks.most) return { wishes: [], findings: [`DISK has more than ${limits.disks.most}`] };
  const findings: string[] = [];
  const wishes = all.flatMap((given, at) => wishIn(given, at, findings) ?? []);
  const targets = wishes.flatMap(({ target }) => target ?? []);
  const twice = targets.find((target, at) => targets.indexOf(target) < at);
  if (twice !== undefined) findings.push(`DISK has the target ${twice} twice`);
  return { wishes, findings };
}

function wishIn(given: Attributes, at: number, findings: string[]): DiskWish | null {
  const [id, name, readonly] = [textOf(given.IMAGE_ID), textOf(given.IMAGE), lower(given.READONLY)];
  const isOfImage = id !== undefined || name !== undefined;
  const wrong = (attribute: string, what: string): null => {
    findings.push(`DISK/${at}/${attribute} ${what}`);
    return null;
  };
  if (id !== undefined && !isId(id)) return wrong('IMAGE_ID', 'must be an id');
  if (readonly !== undefined && readonly !== 'yes' && readonly !== 'no') return wrong('READONLY', 'must be YES or NO');
  const uid = textOf(given.IMAGE_UID);
  if (uid !== undefined && !isId(uid)) return wrong('IMAGE_UID', 'must be an id');
  if (!isOfImage && textOf(given.TYPE) === undefined)
    return wrong('TYPE', 'is required of a disk that names no IMAGE: fs or swap');
  const read = NewDisk.safeParse({
    ...(isOfImage
      ? { image: id === undefined ? name : Number(id), image_uname: textOf(given.IMAGE_UNAME) }
      : { type: lower(given.TYPE), format: lower(given.FORMAT) === 'qcow2' ? 'qcow2' : 'raw' }),
    ...(isOfImage && readonly !== undefined && { readonly: readonly === 'yes' }),
    ...{ size: numberOf(given.SIZE), target: textOf(given.TARGET), dev_prefix: lower(given.DEV_PREFIX) },
    ...{ driver: lower(given.DRIVER), cache: lower(given.CACHE), io: lower(given.IO), discard: lower(given.DISCARD) },
  });
  if (!read.success) {
    for (const { path, message } of read.error.issues)
      findings.push(`DISK/${at}/${path.join('/').toUpperCase()} ${message}`);
    return null;
  }
  return wishOfDisk(at, read.data, uid === undefined ? undefined : Number(uid));
}

export type ImageDiskWish = DiskWish & { of: Extract<DiskWish['of'], { image: unknown }> };
const isOfImage = (wish: DiskWish): wish is ImageDiskWish => 'image' in wish.of;
/** Those of images. */
export const imageWishes = (wishes: readonly DiskWish[]): ImageDiskWish[] => wishes.filter(isOfImage);

/** In sentences. */
export const imageText = (wish: ImageName): string =>
  'id' in wish ? `image ${wish.id}` : `image ${JSON.stringify(wish.name)}`;

const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');

/** The first device that is free, from vda on; undefined: there is none. */
export const freeTarget = (taken: readonly string[], prefix = 'vd'): string | undefined =>
  letters.map((letter) => `${prefix}${letter}`).find((target) => !taken.includes(target));

/** As its image says (DEV_PREFIX, of guide and template reference), else as is usual for it. */
function usual(image: Pick<DiskSource, 'type' | 'attributes'> | undefined): string {
  const said = DevicePrefix.safeParse(image?.attributes?.DEV_PREFIX?.toLowerCase());
  return said.success ? said.data : image?.type === 'CDROM' ? 'hd' : 'vd';
}

/** Who is given a device first, as OpenNebula has it: systems, so that the first of them is what the VM boots; CD-ROMs; the rest. */
const turnOf = (image: Pick<DiskSource, 'type'> | undefined): number =>
  image?.type === 'OS' ? 0 : image?.type === 'CDROM' ? 1 : 2;

/**
 * The disks of wishes, with the images that were found for them. `taken`: devices that the VM has already. `findings`: why they cannot be made so, as
 * `DISK/0/SIZE …`.
 */
export function disksOf(
  wishes: readonly DiskWish[],
  images: ReadonlyMap<number, DiskSource>,
  had: readonly string[] = [],
): { disks: Disk[]; findings: string[] } {
  const findings: string[] = [];
  const taken = [...had, ...wishes.flatMap(({ target }) => target ?? [])];
  const inTurn = wishes.toSorted((one, other) => turnOf(images.get(one.disk_id)) - turnOf(images.get(other.disk_id)));
  const disks = inTurn.flatMap((wish): Disk[] => {
    const { disk_id, prefix } = wish;
    const image = images.get(disk_id);
    if (isOfImage(wish) && image === undefined) return [];
    const target = wish.target ?? freeTarget(taken, prefix ?? usual(image));
    if (target === undefined) {
      const bus = prefix ?? usual(image);
      findings.push(`DISK/${disk_id}/TARGET is needed: no device is free from ${bus}a to ${bus}z`);
      return [];
    }
    if (wish.target === undefined) taken.push(target);
    const made = image && isOfImage(wish) ? ofImage(wish, image, findings) : 'type' in wish.of ? wish.of : null;
    if (made === null) return [];
    const nothing = { snapshots: [], current: null, snapshot_ids: 0 };
    // Those of an image are of the disk that is that image.
    const isItself = 'image' in made && made.image?.way === 'use';
    const kept = (isItself ? image?.snapshots : undefined) ?? nothing;
    return [{ disk_id, ...made, target, ...(wish.options && { options: wish.options }), ...kept }];
  });
  return { disks: disks.toSorted((one, other) => one.disk_id - other.disk_id), findings };
}

type Made = Pick<Disk, 'type' | 'size' | 'format' | 'image' | 'readonly'>;

function ofImage({ disk_id, of }: ImageDiskWish, image: DiskSource, findings: string[]): Made | null {
  const { _id: id, name, type, persistent, datastore_id: datastore, ds_mad, format, virtual_size, bytes } = image;
  const readonly = of.readonly || type === 'CDROM';
  const way = persistent || readonly ? 'use' : 'clone';
  const own = megabytesOf(virtual_size ?? 0);
  const { size = own } = of;
  const it = `image ${id} (${name})`;
  const wrong = (what: string): null => {
    findings.push(`DISK/${disk_id}/SIZE ${what}`);
    return null;
  };
  if (size < own) return wrong(`must be at least ${own}, as large as ${it}`);
  if (size > own && way === 'use')
    return wrong(`is for disks of their own: ${it} is ${persistent ? 'persistent' : 'only read'}, and used as it is`);
  return {
    ...{ type: type === 'CDROM' ? 'cdrom' : 'file', size },
    // What is written to a clone lies beside its image.
    format: way === 'clone' ? 'qcow2' : (format ?? 'raw'),
    image: { id, name, datastore, ds_mad, way, persistent, ...(bytes != null && { mb: megabytesOf(bytes) }) },
    ...(readonly && { readonly }),
  };
}

/** MB that a disk may come to in its system datastore: an image that is used as it is takes none there. */
const megabytesIn = ({ size, image }: Pick<Disk, 'size' | 'image'>): number => (image?.way === 'use' ? 0 : size);

/**
 * What the disks of a VM, and what its guest is told, ask of a datastore: room, and to be where their images are, or can be brought to. `files`: those that the guest gets; null: it
 * is told nothing. They are copied from wherever they are, but for a kind that keeps no bytes.
 */
export function storageWish(
  disks: readonly Disk[],
  files: readonly VmFile[] | null = null,
): { mb: number; kinds: string[]; images: WishedImage[] } | null {
  if (disks.length === 0 && files === null) return null;
  const told = (files ?? []).filter(({ image }) => image.ds_mad === 'simulated');
  const images = new Map(
    disks.flatMap(({ image, size }) => (image ? [[image.id, { ...image, mb: image.mb ?? size }] as const] : [])),
  );
  return {
    mb: disks.reduce((sum, disk) => sum + megabytesIn(disk), 0),
    kinds: [...new Set([...disks, ...told].flatMap(({ image }) => image?.ds_mad ?? []))].sort(),
    images: [...images.values()],
  };
}

/** Images that the disks of a VM are made of, each once. */
export const imagesOf = (disks: readonly Disk[] = []): number[] => [
  ...new Set(disks.flatMap(({ image }) => image?.id ?? [])),
];
