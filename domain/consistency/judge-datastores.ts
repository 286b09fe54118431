import type { DatastoreType } from '../../schemas/storage/datastore.js';
import type { ImageState } from '../../schemas/storage/image.js';
import type { ImageCopy } from '../../schemas/storage/image-copy.js';
import { type Flaw, flaw } from './evidence.js';
import { type AroundDisks, judgeContexts, judgeDisks, type LyingContexts, type LyingDisks } from './judge-disks.js';
import { isImageMoving, type SeenImage } from './judge-images.js';

/** What lies in a datastore; bytes are those on disk. */
export type Lying = {
  images: readonly { id: number; bytes: number }[];
  /** What has arrived of images, and what is left of those that were removed: an image may be there twice. */
  staging: readonly { image: number; bytes: number }[];
  disks: LyingDisks;
  contexts: LyingContexts;
  strange: readonly string[];
};

/** `heard`: what it said of itself, or why it does not answer. */
export type SeenDatastore = {
  _id: number;
  name: string;
  type: DatastoreType;
  heard: { lying: Lying } | { error: string };
};

/** A copy of an image in a datastore for VMs. */
export type SeenCopy = Pick<ImageCopy, 'image' | 'state' | 'epoch'>;

export type AroundDatastore = AroundDisks & {
  /** Those that are said to be in it, and those of which something lies there. */
  images: ReadonlyMap<number, SeenImage>;
  /** Of which of those that lie elsewhere it is said to have a copy. */
  copies: ReadonlyMap<number, SeenCopy>;
};

/** States in which the bytes of an image must be there. */
const kept: readonly ImageState[] = ['READY', 'USED', 'USED_PERS', 'CLONE', 'DISABLED'];

/** Names that one finding tells. */
const mostNames = 5;
/** What file systems make themselves, at the top of what is mounted. */
const ofFileSystems: readonly string[] = ['lost+found'];

/** What of what lies in a datastore no image explains, and which images it lacks. */
export function judgeDatastore({ _id: datastore, name, type, heard }: SeenDatastore, known: AroundDatastore): Flaw[] {
  if ('error' in heard) return [flaw('datastore_unreachable', { datastore, name, error: heard.error })];
  const { images, staging, disks, contexts } = heard.lying;
  const there = new Set(images.map(({ id }) => id));
  const lacking = [...known.images.values()].flatMap((image) => {
    const { _id: id, datastore_id, state, epoch } = image;
    if (datastore_id !== datastore || there.has(id) || !kept.includes(state)) return [];
    return isImageMoving(image, known.operations)
      ? []
      : [flaw('image_without_bytes', { datastore, image: id, state, epoch })];
  });
  const orphans = images.flatMap(({ id: image, bytes }): Flaw[] => {
    const is = known.copies.has(image) ? null : whyUnknown(known.images.get(image), datastore);
    if (is === null) return [];
    return is === 'elsewhere' && type === 'system'
      ? [flaw('copy_orphaned', { datastore, image, bytes })]
      : [flaw('image_bytes_orphaned', { datastore, image, bytes, is })];
  });
  const arrived = [...summed(staging)].flatMap(([image, bytes]): Flaw[] => {
    const found = known.images.get(image);
    // What is on its way, or is going, is somebody’s affair; what nobody goes on with goes by itself.
    if (known.copies.has(image)) return [];
    const is = whyUnknown(found, datastore);
    // What is kept under that id would go with it: that alone is told.
    if (is !== null) return there.has(image) ? [] : [flaw('staging_orphaned', { datastore, image, bytes, is })];
    // What is being made, or failed and can be gone on with, needs it.
    if (!found || !there.has(image) || !kept.includes(found.state) || isImageMoving(found, known.operations)) return [];
    return [flaw('staging_left', { datastore, image, bytes, state: found.state })];
  });
  const copied = [...known.copies.values()].flatMap(({ image, state, epoch }): Flaw[] => {
    if (!known.images.has(image)) return [flaw('copy_left', { datastore, image, epoch })];
    return state === 'READY' && !there.has(image) ? [flaw('copy_missing', { datastore, image, epoch })] : [];
  });
  const ofVms = [...judgeDisks(datastore, disks, known), ...judgeContexts(datastore, contexts, known)];
  return [...lacking, ...orphans, ...arrived, ...copied, ...ofVms, ...judgeNames(datastore, heard.lying)];
}

function whyUnknown(image: SeenImage | undefined, datastore: number): 'missing' | 'elsewhere' | null {
  if (!image) return 'missing';
  return image.datastore_id === datastore ? null : 'elsewhere';
}

function summed(staging: Lying['staging']): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { image, bytes } of staging) sums.set(image, (sums.get(image) ?? 0) + bytes);
  return sums;
}

function judgeNames(datastore: number, { strange }: Lying): Flaw[] {
  const names = strange.filter((name) => !ofFileSystems.includes(name)).sort();
  if (names.length === 0) return [];
  return [flaw('datastore_strange_names', { datastore, count: names.length, first: names.slice(0, mostNames) })];
}
