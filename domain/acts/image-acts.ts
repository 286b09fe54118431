import { takesAway } from '../../schemas/operations.js';
import type { ImageState } from '../../schemas/storage/image.js';
import { type ImageEvent, nextImageState } from '../storage/image-states.js';
import { listed } from '../words.js';
import type { FactsOf } from './facts.js';
import { type MayRetryOn, whereThere } from './retrying.js';
import { inTheWay, type Verdict, wrongState } from './verdict.js';

type Image = FactsOf<'image'>;

/** What can be done to an image that is there, each by the event that it is. */
export type ImageWish = 'make' | 'clone' | 'resize' | 'snapshot' | 'remove' | 'enable' | 'disable' | 'retype';

const eventOf = {
  ...{ make: 'make', clone: 'clone', resize: 'resize', snapshot: 'snapshot' },
  ...{ remove: 'remove', enable: 'enable', disable: 'disable' },
} as const satisfies Record<Exclude<ImageWish, 'retype'>, ImageEvent>;

/** What it is already that somebody wishes it to be. */
const already: Partial<Record<ImageWish, readonly ImageState[]>> = {
  disable: ['DISABLED'],
  enable: ['READY', 'USED', 'USED_PERS', 'CLONE'],
};

/** Type and persistence are those of what nobody uses, nor is about to. */
const retyped: readonly ImageState[] = ['READY', 'DISABLED', 'ERROR'];

/** What changes nothing of an image that is locked. */
const madeAllTheSame: readonly ImageWish[] = ['make', 'clone'];

/** Why nothing is done to an image that somebody has locked: the same words, whatever was to be done. Who has, and when, is shown with it. */
export const lockedText = ({ id, name }: Pick<Image, 'id' | 'name'>): string =>
  `Image ${id} (${name}) is locked. Unlock it first.`;

/** Whether this may be done to an image now; one table says it, that of its states. */
export function mayActOnImage(image: Image, wish: ImageWish): Verdict {
  const { id, name, state, work } = image;
  const it = `Image ${id} (${name})`;
  if (already[wish]?.includes(state)) return 'is so';
  if (image.locked && !madeAllTheSame.includes(wish)) return wrongState(lockedText(image));
  if (wish === 'remove') {
    if (work?.kind && takesAway(work.kind))
      return inTheWay(work, `Operation ${work.op} is removing image ${id} (${name}).`);
    if (image.clones.length > 0)
      return wrongState(`${it} is being cloned: ${imagesText(image.clones)} ${isAre(image.clones)} made of it.`);
    if (published(image)) return wrongState(`${it} is being published: ${publishedText(image)}.`);
    if (image.vms.length > 0)
      return wrongState(`${it} is in use: ${vmsText(image.vms)} ${image.vms.length === 1 ? 'uses' : 'use'} it.`);
    // What is at work on it gives way.
    return nextImageState(state, 'remove') ? 'may' : wrongState(`${it} is ${state}.`);
  }
  if (work)
    return inTheWay(work, `Operation ${work.op} is at work on image ${id} (${name}). Wait for it or cancel it.`);
  if (wish === 'retype' ? retyped.includes(state) : nextImageState(state, eventOf[wish])) return 'may';
  return wrongState(whyNot(it, image, wish));
}

function whyNot(it: string, image: Image, wish: ImageWish): string {
  const { state, vms, clones, reason } = image;
  const does = words[wish];
  if (vms.length > 0)
    return `${it} is ${state}: ${vmsText(vms)} ${vms.length === 1 ? 'uses' : 'use'} it. ${does} when none does.`;
  if (clones.length > 0)
    return `${it} is ${state}: ${imagesText(clones)} ${isAre(clones)} made of it. ${does} when that has ended.`;
  if (published(image)) return `${it} is ${state}: ${publishedText(image)}. ${does} when that has ended.`;
  if (state === 'ERROR')
    return `${it} is in ERROR${reason ? `: ${reason}` : ''}. Try again what has failed, or delete it.`;
  if (wish === 'make') return `${it} is ${state}: it was made already.`;
  return `${it} is ${state}. ${does} when it is READY.`;
}

const published = ({ apps = [] }: Image): boolean => apps.length > 0;
const publishedText = ({ apps = [] }: Image): string => `${named('app', 'apps', apps)} ${isAre(apps)} made of it`;

const words: Record<ImageWish, string> = {
  make: 'Make it again',
  clone: 'Clone it',
  resize: 'Resize it',
  snapshot: 'Change its snapshots',
  remove: 'Delete it',
  enable: 'Enable it',
  disable: 'Disable it',
  retype: 'Change its type or persistence',
};

/** Ids that a refusal names. */
const most = 10;
const named = (one: string, several: string, ids: readonly number[]): string => {
  const first = ids.slice(0, most).map(String);
  const rest = ids.length > most ? [`${ids.length - most} more`] : [];
  return `${ids.length === 1 ? one : several} ${listed([...first, ...rest])}`;
};
const vmsText = (ids: readonly number[]): string => named('VM', 'VMs', ids);
const imagesText = (ids: readonly number[]): string => named('image', 'images', ids);
const isAre = (ids: readonly number[]): string => (ids.length === 1 ? 'is' : 'are');

export const imageRetries: MayRetryOn<'image'> = {
  createImage: whereThere('image', (image) => mayActOnImage(image, 'make')),
  cloneImage: whereThere('image', (image) => mayActOnImage(image, 'make')),
  exportApp: whereThere('image', (image) => mayActOnImage(image, 'make')),
  resizeImage: whereThere('image', (image) => mayActOnImage(image, 'resize')),
  snapshotImage: whereThere('image', (image) => mayActOnImage(image, 'resize')),
  deleteImage: whereThere('image', (image) => mayActOnImage(image, 'remove')),
};
