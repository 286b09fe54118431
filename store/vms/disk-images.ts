import { type Finding, Problem } from '../../domain/problems.js';
import { mayUseImage, whyNotUsed } from '../../domain/storage/image-use.js';
import {
  disksOf,
  diskWishes,
  type ImageDiskWish,
  type ImageName,
  imageText,
  imageWishes,
} from '../../domain/vms/disk-wishes.js';
import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { Image } from '../../schemas/storage/image.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Directory } from '../identity/directory.js';
import type { ImageStore } from '../storage/images.js';

export type Maker = Parameters<typeof mayUseImage>[0];
export type ImagesFinding = { images: Pick<ImageStore, 'find' | 'named'>; users: Pick<Directory['users'], 'byName'> };

/** `owner`: of the VMs; `maker`: who has them made; `pointer`: where the one wish stands that a request is about. */
export type ImageAsker = { owner: number; maker: () => Promise<Maker | null>; pointer?: string };

/**
 * The images that disks of a VM are to be made of, by disk. Throws `invalid_request` with each that is not there, `not_authorized` for those that `maker` may not
 * USE, and what says why one cannot be used now, and by whom it is.
 */
export async function imagesWished(
  { images, users }: ImagesFinding,
  wishes: readonly ImageDiskWish[],
  { owner, maker, pointer }: ImageAsker,
): Promise<ReadonlyMap<number, Image>> {
  if (wishes.length === 0) return new Map();
  const found = await Promise.all(
    wishes.map(async (wish) => ({ wish, image: await imageNamed({ images, users }, wish.of.image, owner) })),
  );
  const at = (disk_id: number, detail: string): Finding =>
    pointer === undefined ? { pointer: '', detail: `DISK/${disk_id}: ${detail}` } : { pointer, detail };
  const missing = found.flatMap(({ wish, image }) =>
    image ? [] : [at(wish.disk_id, `there is no ${imageText(wish.of.image)}${whoseImage(wish.of.image)}`)],
  );
  if (missing.length > 0) throw unfit(missing);
  const who = await maker();
  const persistent = new Set<number>();
  for (const { wish, image } of found) {
    if (!image) continue;
    if (!who || !mayUseImage(who, image))
      throw new Problem('not_authorized', `You need the USE right on image ${image._id}.`);
    const refusal = whyNotUsed(image);
    if (refusal) throw new Problem(refusal.code, refusal.why);
    const { _id: id, name } = image;
    if (image.persistent && persistent.has(id))
      throw unfit([at(wish.disk_id, `image ${id} (${name}) is persistent, and is one disk at a time`)]);
    if (image.persistent) persistent.add(id);
  }
  return new Map(found.flatMap(({ wish, image }) => (image ? [[wish.disk_id, image] as const] : [])));
}

/** The image that is meant, by its id, or by its name among those of whoever is named, or else of `owner`; null: there is none. */
export async function imageNamed(
  { images, users }: ImagesFinding,
  wish: ImageName,
  owner: number,
): Promise<Image | null> {
  if ('id' in wish) return images.find(wish.id);
  const { owner: named } = wish;
  const uid = named === null ? owner : typeof named === 'number' ? named : (await users.byName(named))?._id;
  return uid === undefined ? null : images.named(wish.name, uid);
}

/**
 * The disks of a template, those of images among them; null: it names no image, and they are what it says. Throws as `imagesWished`, and `invalid_request` for
 * what these images do not let a disk be.
 */
export async function disksFor(
  where: ImagesFinding,
  { DISK }: Vm['template'],
  asker: ImageAsker,
): Promise<Disk[] | null> {
  const { wishes } = diskWishes(DISK);
  const ofImages = imageWishes(wishes);
  if (ofImages.length === 0) return null;
  const { disks, findings } = disksOf(wishes, await imagesWished(where, ofImages, asker));
  if (findings.length > 0) throw unfit(findings.map((detail) => ({ pointer: '', detail })));
  return disks;
}

const unfit = (findings: readonly Finding[]): Problem =>
  new Problem('invalid_request', `The disks cannot be made: ${findings.map(({ detail }) => detail).join('; ')}.`, {
    findings,
  });

/** Whoever has none of this name, may mean another one’s. */
export const whoseImage = (wish: ImageName): string => {
  if ('id' in wish) return '';
  if (wish.owner === null) return ' of its owner (IMAGE_UNAME names another)';
  return typeof wish.owner === 'number' ? ` of user ${wish.owner}` : ` of ${wish.owner}`;
};
