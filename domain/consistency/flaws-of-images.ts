import type { FindingResource } from '../../schemas/consistency/consistency.js';
import type { Kinds } from './flaw-kinds.js';

const image = (seen: { image: number }): FindingResource => ({ type: 'image', id: seen.image });
const datastore = (seen: { datastore: number }): FindingResource => ({ type: 'datastore', id: seen.datastore });
const ofImage = { section: 'images', of: (seen: { image: number }) => seen.image, resource: image } as const;
const inDatastore = { section: 'datastores', of: (seen: { datastore: number }) => seen.datastore } as const;
const ofBytes = { ...inDatastore, resource: image, part: (seen: { datastore: number }) => seen.datastore } as const;
const ofDatastore = { ...inDatastore, resource: datastore } as const;

const unknown = { missing: 'there is no such image', elsewhere: 'the image is one of another datastore' } as const;

/** What may be wrong with images, by their documents, and with what lies in datastores. */
export const imageFlaws = {
  image_abandoned: {
    ...ofImage,
    what: 'An image is being made or removed, and no operation is at work on it',
    detail: ({ state }) => `It is ${state}, and no operation is at work on it.`,
    repair: 'calls it ERROR, from where it is removed, or what failed of it is tried again',
    advice: null,
  },
  image_operation_stale: {
    ...ofImage,
    what: 'An image names an operation as at work on it that has ended or does not exist',
    detail: ({ op }) => `It names operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  image_wanted_stale: {
    ...ofImage,
    what: 'An image is kept for a deletion that has ended or does not exist',
    detail: ({ op }) => `It is kept for operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  image_clone_stale: {
    ...ofImage,
    part: ({ clone }) => clone,
    what: 'An image is kept for another that is not being made of it any more',
    detail: ({ clone, is }) =>
      `It is kept for image ${clone}, which ${is === null ? 'does not exist' : `is ${is.state}, and no operation makes it`}.`,
    repair: 'takes the name off; with the last one an image that is in state CLONE becomes READY',
    advice: null,
  },
  image_state_wrong: {
    ...ofImage,
    what: 'An image is in state CLONE and none is made of it, or is READY while some are',
    detail: ({ state, clones }) =>
      `It is ${state}, and ${clones === 0 ? 'none is' : `${clones} are`} being made of it.`,
    repair: 'gives it the state that it should have',
    advice: null,
  },
  image_without_bytes: {
    ...ofBytes,
    what: 'An image is there for use, and its datastore has nothing of it',
    detail: ({ state, datastore: id }) => `It is ${state}, and datastore ${id} has nothing of it.`,
    repair: null,
    advice:
      'If many lack theirs, see that the datastore is mounted. Put the bytes back from a backup, or remove the image: arcus image delete <image>',
  },
  image_bytes_orphaned: {
    ...ofBytes,
    what: 'A datastore has the bytes of an image of which nobody knows: as after MongoDB was put back from a backup',
    detail: ({ datastore: id, bytes, is }) => `Datastore ${id} has ${bytes} bytes under its id, and ${unknown[is]}.`,
    repair: null,
    advice:
      'See what it is, in the directory images/<image> of the datastore. Then make an image of it (arcus image create <name> --path …), or remove it there',
  },
  staging_orphaned: {
    ...ofBytes,
    what: 'A datastore has what has arrived, or is left, of an image of which nobody knows',
    detail: ({ datastore: id, bytes, is }) =>
      `Datastore ${id} has ${bytes} bytes that have arrived or are left of it, and ${unknown[is]}.`,
    repair: 'removes that, after one more look, where the datastore has no image under that id',
    advice: null,
  },
  staging_left: {
    ...ofBytes,
    what: 'A datastore has what has arrived of an image that is there',
    detail: ({ datastore: id, bytes, state }) =>
      `It is ${state}, and datastore ${id} has ${bytes} bytes beside it that have arrived or are left of it.`,
    repair: null,
    advice: 'It only takes room, and goes with the image: arcus image delete <image>',
  },
  datastore_strange_names: {
    ...ofDatastore,
    what: 'A datastore has files or directories that are none of ours',
    detail: ({ count, first }) =>
      `It has ${count === 1 ? 'a name that is' : `${count} names that are`} none of ours: ${first.map((name) => JSON.stringify(name)).join(', ')}${count > first.length ? ', and others' : ''}.`,
    repair: null,
    advice: 'They are never touched: take them out of the directory of datastore <datastore> yourself',
  },
  datastore_unreachable: {
    ...ofDatastore,
    what: 'A datastore does not answer; what it has of its images is not judged',
    detail: ({ name, error }) => `${name} does not answer: ${error}`,
    repair: null,
    advice: 'Mend it and check again: arcus datastore show <datastore>',
  },
} as const satisfies Kinds;
