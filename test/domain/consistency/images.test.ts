import { describe, expect, it } from 'vitest';
import { type Flaw, isSame } from '../../../domain/consistency/evidence.js';
import { keyOf, told } from '../../../domain/consistency/flaws.js';
import { judgeQuotas } from '../../../domain/consistency/judge-quotas.js';
import { vmStateNames } from '../../../domain/vms/vm-states.js';
import {
  allStates,
  copy,
  diskOf,
  endedOperations,
  image,
  keptStates,
  lyingDisks,
  ofDatastore,
  ofImage,
  ofUsers,
  ofVms,
  openOperations,
  staged,
  stored,
  vm,
} from './image-cases.js';

const codes = (found: Flaw[]): string[] => found.map(({ code }) => code);
const withoutWork = keptStates.filter((state) => state !== 'CLONE');

describe('an image that fits', () => {
  it.each([...keptStates, 'ERROR' as const])('is %s, with nobody at work on it', (state) => {
    expect(ofImage(image(state))).toEqual([]);
  });

  it.each(['USED', 'CLONE'] as const)('is %s while others are made of it', (state) => {
    expect(ofImage(image(state, { clones: [6, 7] }), { made: [6, 7] })).toEqual([]);
  });

  it.each(allStates)('is %s, whatever else is said of it, with an operation on it that has not ended', (state) => {
    for (const open of openOperations)
      for (const other of [null, ...endedOperations])
        for (const named of [
          { operation: open, wanted: other },
          { operation: other, wanted: open },
        ]) {
          const seen = image(state, { ...named, clones: state === 'CLONE' ? [] : [6], vms: [] });
          expect(ofImage(seen, { made: [] })).toEqual([]);
          expect(ofDatastore({}, [seen])).toEqual([]);
          expect(ofDatastore({ ...stored(5), ...staged(5) }, [seen])).toEqual([]);
        }
  });
});

describe('what lies in a datastore and fits', () => {
  it.each(withoutWork)('is the bytes of an image that is %s', (state) => {
    expect(ofDatastore(stored(5), [image(state)])).toEqual([]);
  });

  it('is what has arrived of an image that failed and can be gone on with, or was to be removed and can be again', () => {
    for (const lying of [staged(5), stored(5), { ...stored(5), ...staged(5) }, {}])
      expect(ofDatastore(lying, [image('ERROR')])).toEqual([]);
  });

  it('is what has arrived of one at which nobody is at work any more: the image itself is told', () => {
    for (const state of ['LOCKED', 'DELETE'] as const) expect(ofDatastore(staged(5), [image(state)])).toEqual([]);
  });

  it('is what has arrived of an image that lacks its bytes: it may be all that there is of it', () => {
    expect(codes(ofDatastore(staged(5), [image('READY')]))).toEqual(['image_without_bytes']);
  });

  it('is a copy of an image that lies elsewhere, there, on its way, or going', () => {
    const images = [image('USED', { datastore_id: 100 })];
    expect(ofDatastore(stored(5), images, [], [copy()])).toEqual([]);
    for (const state of ['COMING', 'GOING'] as const)
      for (const lying of [staged(5), stored(5), {}])
        expect(ofDatastore(lying, images, [], [copy({ state })])).toEqual([]);
  });

  it('is what a file system has there of itself', () => {
    expect(ofDatastore({ strange: ['lost+found'] })).toEqual([]);
  });
});

describe('the disks of a VM fit', () => {
  it.each(vmStateNames.filter((state) => state !== 'DONE'))(
    'that is %s, when its datastore and its images have them',
    (state) => {
      expect(ofDatastore(lyingDisks(7, 0, 1), [], [vm(state)])).toEqual([]);
      expect(ofUsers(image('USED'), [vm(state)])).toEqual([]);
      expect(ofVms([vm(state)], [image('USED')])).toEqual([]);
    },
  );

  it('that is to be made, or was not, without them', () => {
    for (const state of ['PENDING', 'HOLD', 'ACTIVE/BOOT', 'ACTIVE/BOOT_FAILURE', 'ACTIVE/EPILOG'] as const)
      expect(ofDatastore({}, [], [vm(state)])).toEqual([]);
  });

  it('that a host has kept from before there were datastores for them', () => {
    expect(ofDatastore({}, [], [vm('ACTIVE/RUNNING', { datastore: null })])).toEqual([]);
  });

  it('whatever lies there and is said, while an operation is at work on it', () => {
    for (const op of ['accepted', 'running'])
      for (const hands of [{ operation: op }, { wanted: op }, { hold: { op, epoch: 4, attempt: 1 } }])
        for (const one of [vm('DONE', hands), vm('POWEROFF', { ...hands, disks: [] }), vm('ACTIVE/RUNNING', hands)]) {
          expect(ofDatastore(lyingDisks(7, 0, 5), [], [one])).toEqual([]);
          expect(ofUsers(image('USED'), [one])).toEqual([]);
          expect(ofVms([one], [])).toEqual([]);
        }
  });

  it('with one that is being attached, or of which it is not settled whether it is', () => {
    const device_change = {
      ...({ op: 'lost', from: 'running', epoch: 4, open: true } as const),
      change: { action: 'disk-attach', disk: diskOf(2, { image: { ...ofImageSix } }) },
    } as const;
    const attaching = vm('ACTIVE/RUNNING', { device_change });
    expect(ofDatastore(lyingDisks(7, 0, 1, 2), [], [attaching])).toEqual([]);
    expect(ofDatastore(lyingDisks(7, 0, 1), [], [attaching])).toEqual([]);
    expect(ofUsers(image('USED', { _id: 6 }), [attaching])).toEqual([]);
    expect(codes(ofVms([attaching], [image('USED')]))).toEqual(['image_use_missing']);
  });
});

const ofImageSix = { id: 6, name: 'six', datastore: 2, ds_mad: 'fs', way: 'clone', persistent: false } as const;

describe('what is found of images', () => {
  it('is told of one that lacks its bytes only by the datastore that it is in', () => {
    expect(ofDatastore({}, [image('READY', { datastore_id: 100 })])).toEqual([]);
  });

  it('has a name of its own, and is another thing when somebody has written to it meanwhile', () => {
    const found = ofDatastore({ ...stored(8, 9), staging: [10, 11].map((id) => ({ image: id, bytes: 1 })) });
    expect(new Set(found.map(keyOf)).size).toBe(4);
    const [before, after] = [1, 2].map((bytes) => ofDatastore({ staging: [{ image: 10, bytes }] })[0]);
    if (!before || !after) throw new Error('nothing was found');
    expect(keyOf(before)).toBe(keyOf(after));
    expect(isSame(before, after)).toBe(false);
  });

  it('counts what has arrived and what is left of one image together', () => {
    expect(ofDatastore({ staging: [1, 2].map((bytes) => ({ image: 5, bytes })) })).toMatchObject([
      { seen: { image: 5, bytes: 3 } },
    ]);
  });

  it('names a few of many strange names, as they can be printed', () => {
    const [found] = ofDatastore({ strange: Array.from({ length: 9 }, (_, at) => `odd\n${at}`) });
    if (!found) throw new Error('nothing was found');
    expect(told(found).detail).toBe(
      'It has 9 names that are none of ours: "odd\\n0", "odd\\n1", "odd\\n2", "odd\\n3", "odd\\n4", and others.',
    );
  });

  it('takes no clone for made that only is there: its name keeps the other from being removed', () => {
    const found = ofImage(image('READY', { clones: [6, 7] }), { made: [7], clones: [image('READY', { _id: 6 })] });
    expect(codes(found)).toEqual(['image_clone_stale', 'image_state_wrong']);
    expect(found).toMatchObject([
      { seen: { clone: 6, is: { state: 'READY' } } },
      { seen: { becomes: 'CLONE', clones: 1, vms: 0 } },
    ]);
  });
});

it('what a user is said to use of images is compared with what these are charged, and told', () => {
  const charged = { services: 0, vms: 0, cpu: 0, memory: 0, images: 1, storage: 40 };
  const holder = { type: 'user', id: 2 } as const;
  expect(judgeQuotas([{ holder, used: charged, sum: { ...charged } }])).toEqual([]);
  const [found] = judgeQuotas([{ holder, used: { ...charged, images: 2, storage: 50 }, sum: charged }]);
  if (!found) throw new Error('nothing was found');
  expect(told(found).detail).toMatch(/said to use .* 2 images of 50 MB; what it has is charged .* 1 image of 40 MB\.$/);
});
