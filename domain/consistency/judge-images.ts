import type { Image, ImageState } from '../../schemas/storage/image.js';
import { type Flaw, flaw } from './evidence.js';
import { isOpen, type KnownOperations } from './hands.js';
import type { SeenApp } from './judge-markets.js';

export type SeenImage = Pick<
  Image,
  '_id' | 'datastore_id' | 'state' | 'epoch' | 'operation' | 'wanted' | 'clones' | 'apps' | 'vms' | 'persistent'
>;

export type AroundImages = {
  operations: KnownOperations;
  /** Those that the images in question say to be made of them. */
  clones: ReadonlyMap<number, SeenImage>;
  /** Those of them at which an open operation is at work, named there or not: a deletion takes an image over before what made it has ended. */
  clonesAtWork: ReadonlySet<number>;
  /** Apps that they say to be published of them. */
  apps: ReadonlyMap<number, Pick<SeenApp, 'state' | 'operation'>>;
};

/** Every operation that these images name: what is to be known of them. */
export const namedByImages = (images: readonly Pick<SeenImage, 'operation' | 'wanted'>[]): string[] => [
  ...new Set(images.flatMap(({ operation, wanted }) => [operation, wanted]).flatMap((op) => op ?? [])),
];

/** Whether an operation has its hands on an image: nothing of it is judged. */
export const isImageMoving = (image: SeenImage, operations: KnownOperations): boolean =>
  namedByImages([image]).some((op) => isOpen(op, operations));

/** What of these images no operation explains. */
export const judgeImages = (images: readonly SeenImage[], known: AroundImages): Flaw[] =>
  images.flatMap((image) => (isImageMoving(image, known.operations) ? [] : judgeImage(image, known)));

function judgeImage(image: SeenImage, known: AroundImages): Flaw[] {
  const { _id: id, state, epoch, operation, wanted } = image;
  const atClones = judgeClones(image, known);
  if (state === 'LOCKED' || state === 'DELETE')
    return [flaw('image_abandoned', { image: id, state, epoch, operation, wanted }), ...atClones];
  return [
    ...(operation === null ? [] : [flaw('image_operation_stale', { image: id, op: operation })]),
    ...(wanted === null ? [] : [flaw('image_wanted_stale', { image: id, op: wanted })]),
    ...atClones,
  ];
}

function judgeClones(image: SeenImage, known: AroundImages): Flaw[] {
  const { _id: id, state, epoch, clones, apps = [], vms } = image;
  const stale = clones.filter((clone) => !known.clonesAtWork.has(clone));
  const living = clones.length - stale.length;
  const unpublished = apps.filter((app) => !isPublished(known.apps.get(app), known.operations));
  const becomes = stateByUse(image, living);
  return [
    ...stale.map((clone) => flaw('image_clone_stale', { image: id, clone, is: triedAs(known.clones.get(clone)) })),
    ...unpublished.map((app) => {
      const { operation = null, state: is = null } = known.apps.get(app) ?? {};
      return flaw('image_app_stale', { image: id, app, operation, is });
    }),
    ...(becomes === state
      ? []
      : [
          flaw('image_state_wrong', {
            image: id,
            state,
            becomes,
            epoch,
            clones: living,
            apps: apps.length,
            vms: vms.length,
          }),
        ]),
  ];
}

const isPublished = (app: Pick<SeenApp, 'operation'> | undefined, operations: KnownOperations): boolean =>
  typeof app?.operation === 'string' && isOpen(app.operation, operations);

const byUse: readonly ImageState[] = ['READY', 'CLONE', 'USED', 'USED_PERS'];

/** What it should be by who uses it. With the last name that is taken off, the state goes: until then it is none of its own to be told. */
function stateByUse({ state, persistent, vms, clones, apps = [] }: SeenImage, living: number): ImageState {
  if (!byUse.includes(state)) return state;
  if (vms.length > 0) return persistent ? 'USED_PERS' : 'USED';
  if (living + apps.length > 0) return 'CLONE';
  return clones.length === 0 ? 'READY' : state;
}

const triedAs = (image: SeenImage | undefined) => (image ? { state: image.state, epoch: image.epoch } : null);
