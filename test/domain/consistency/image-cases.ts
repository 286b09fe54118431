import type { Flaw } from '../../../domain/consistency/evidence.js';
import { judgeDatastore, type Lying } from '../../../domain/consistency/judge-datastores.js';
import { judgeImages, type SeenImage } from '../../../domain/consistency/judge-images.js';
import type { FindingCode } from '../../../schemas/consistency/consistency.js';
import { OperationState } from '../../../schemas/operations/operation.js';
import { ImageState } from '../../../schemas/storage/image.js';

const operations = new Map(OperationState.options.map((state) => [state, { state }] as const));
/** States of operations that have not ended, by which operations are called here; `lost` is none. */
export const openOperations = ['accepted', 'running', 'waiting', 'waiting_for_you'] as const;
export const endedOperations = ['succeeded', 'failed', 'cancelled', 'lost'] as const;
/** States in which the bytes of an image are there. */
export const keptStates = ['READY', 'USED', 'USED_PERS', 'CLONE', 'DISABLED'] as const satisfies ImageState[];
export const allStates = ImageState.options;

/** Image 5 in datastore 1. One in state CLONE has a clone. */
export const image = (state: ImageState, over: Partial<SeenImage> = {}): SeenImage => ({
  ...{ _id: 5, datastore_id: 1, state, epoch: 3, operation: null, wanted: null },
  ...{ clones: state === 'CLONE' ? [6] : [], ...over },
});

/** `made`: of what it says to be made of it, what an operation is at work on. */
export const ofImage = (seen: SeenImage, { made = [6], clones = [] as SeenImage[] } = {}): Flaw[] =>
  judgeImages([seen], {
    ...{ operations, clonesAtWork: new Set(made) },
    clones: new Map(clones.map((clone) => [clone._id, clone])),
  });

const bytes = 4_096;
export const staged = (...ids: number[]): Partial<Lying> => ({ staging: ids.map((id) => ({ image: id, bytes })) });
export const stored = (...ids: number[]): Partial<Lying> => ({ images: ids.map((id) => ({ id, bytes })) });

/** Datastore 1, of which what is said lies there. */
export const ofDatastore = (lying: Partial<Lying> | { error: string }, images: SeenImage[] = []): Flaw[] =>
  judgeDatastore(
    {
      ...{ _id: 1, name: 'default' },
      heard: 'error' in lying ? lying : { lying: { images: [], staging: [], strange: [], ...lying } },
    },
    { operations, images: new Map(images.map((one) => [one._id, one])) },
  );

/** Each flaw of images and datastores, seen by itself. */
export const imageCases: [FindingCode, () => Flaw[]][] = [
  ...(['LOCKED', 'DELETE'] as const).flatMap((state): [FindingCode, () => Flaw[]][] => [
    ['image_abandoned', () => ofImage(image(state))],
    ['image_abandoned', () => ofImage(image(state, { operation: 'failed', wanted: 'lost' }))],
  ]),
  ...endedOperations.flatMap((op): [FindingCode, () => Flaw[]][] => [
    ['image_operation_stale', () => ofImage(image('READY', { operation: op }))],
    ['image_wanted_stale', () => ofImage(image('ERROR', { wanted: op }))],
  ]),
  ['image_clone_stale', () => ofImage(image('CLONE'), { made: [] })],
  [
    'image_clone_stale',
    () => ofImage(image('USED', { clones: [6] }), { made: [], clones: [image('READY', { _id: 6 })] }),
  ],
  ['image_state_wrong', () => ofImage(image('CLONE', { clones: [] }))],
  ['image_state_wrong', () => ofImage(image('READY', { clones: [6] }))],
  ...keptStates.map((state): [FindingCode, () => Flaw[]] => [
    'image_without_bytes',
    () => ofDatastore(stored(), [image(state)]),
  ]),
  ['image_bytes_orphaned', () => ofDatastore(stored(5))],
  ['image_bytes_orphaned', () => ofDatastore(stored(5), [image('READY', { datastore_id: 100 })])],
  // What is kept under that id would go with what has arrived: that is only told.
  ['image_bytes_orphaned', () => ofDatastore({ ...stored(5), ...staged(5) })],
  ['staging_orphaned', () => ofDatastore(staged(5))],
  ['staging_orphaned', () => ofDatastore(staged(5, 5))],
  ['staging_orphaned', () => ofDatastore(staged(5), [image('LOCKED', { datastore_id: 100 })])],
  ['staging_left', () => ofDatastore({ ...stored(5), ...staged(5) }, [image('READY')])],
  ['datastore_strange_names', () => ofDatastore({ strange: ['notes.txt', 'images/five', '../x\n'] })],
  ['datastore_unreachable', () => ofDatastore({ error: 'no such directory' }, [image('READY')])],
];
