import type { FindingResource } from '../../schemas/consistency/consistency.js';
import { type Kinds, ofVm } from './flaw-kinds.js';

const image = (seen: { image: number }): FindingResource => ({ type: 'image', id: seen.image });
const datastore = (seen: { datastore: number }): FindingResource => ({ type: 'datastore', id: seen.datastore });
const ofImage = { section: 'images', of: (seen: { image: number }) => seen.image, resource: image } as const;
const inDatastore = { section: 'datastores', of: (seen: { datastore: number }) => seen.datastore } as const;
const ofBytes = { ...inDatastore, resource: image, part: (seen: { datastore: number }) => seen.datastore } as const;
const ofDatastore = { ...inDatastore, resource: datastore } as const;

const ofDisk = {
  ...inDatastore,
  resource: (seen: { vm: number }): FindingResource => ({ type: 'vm', id: seen.vm }),
  part: (seen: { datastore: number; disk: number }) => `${seen.datastore}/${seen.disk}`,
} as const;

const ofContext = {
  ...inDatastore,
  resource: (seen: { vm: number }): FindingResource => ({ type: 'vm', id: seen.vm }),
  part: (seen: { datastore: number; epoch: number }) => `${seen.datastore}/${seen.epoch}`,
} as const;

const users = { missing: 'does not exist', DONE: 'is DONE', without: 'does not use it' } as const;
const owners = { DONE: 'is DONE', elsewhere: 'has its disks in another one', without: 'has no such disk' } as const;
const tellers = { DONE: 'is DONE', elsewhere: 'has its disks in another one', without: 'has nothing in any' } as const;
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
    what: 'An image is in another state than goes with who uses it: USED or USED_PERS, CLONE while others are made of it, else READY',
    detail: ({ state, clones, apps, vms }) =>
      `It is ${state}; ${vms === 0 ? 'no VM uses it' : vms === 1 ? 'one VM uses it' : `${vms} VMs use it`}, and ${clones === 0 ? 'no image is' : clones === 1 ? 'one image is' : `${clones} images are`} being made of it${apps === 0 ? '' : `, ${apps === 1 ? 'one app is' : `${apps} apps are`} being published`}.`,
    repair: 'gives it the state that it should have',
    advice: null,
  },
  image_use_stale: {
    ...ofImage,
    part: ({ vm }) => vm,
    what: 'An image is kept for a VM that is DONE, does not exist, or does not use it',
    detail: ({ vm, is }) => `It is kept for VM ${vm}, which ${users[is]}.`,
    repair: 'takes the name off; with the last one the image becomes READY, or CLONE while others are made of it',
    advice: null,
  },
  image_use_missing: {
    ...ofVm,
    part: ({ image: id }) => id,
    what: 'A VM has a disk of an image, or is booted by one, that does not say so: it could be removed, or given to somebody else',
    detail: ({ image: id }) =>
      `It has a disk of image ${id}, or is booted by it, which is not there or does not say so.`,
    repair: 'names the VM there, if the image is there and may be used by one more',
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
  copy_missing: {
    ...ofBytes,
    what: 'A datastore for VMs is said to have a copy of an image that lies elsewhere, and has nothing of it',
    detail: ({ datastore: id }) => `Datastore ${id} is said to have a copy of it, and has none.`,
    repair:
      'forgets the copy: the next VM that needs it has it brought anew, and disks that stand on it are whole again then',
    advice: null,
  },
  copy_orphaned: {
    ...ofBytes,
    what: 'A datastore for VMs has a copy of an image that lies elsewhere, of which nobody knows: as after MongoDB was put back from a backup',
    detail: ({ datastore: id, bytes }) => `Datastore ${id} has a copy of it, of ${bytes} bytes, of which nobody knows.`,
    repair: 'removes the copy, after one more look, where no VM that uses the image has its disks in the datastore',
    advice: null,
  },
  copy_left: {
    ...ofBytes,
    what: 'A datastore for VMs is said to have a copy of an image that does not exist',
    detail: ({ datastore: id }) => `Datastore ${id} is said to have a copy of it, and there is no such image.`,
    repair: 'removes the copy, where no VM of the datastore has a disk of the image',
    advice: null,
  },
  disk_left: {
    ...ofDisk,
    what: 'A datastore has a disk of a VM that is DONE, has its disks in another datastore, or has no such disk',
    detail: ({ datastore: id, disk, bytes, is }) =>
      `Datastore ${id} has disk ${disk} of it, with ${bytes} bytes, and it ${owners[is]}.`,
    repair: 'removes the disk, after one more look, unless somebody with a later claim has been at the disks of the VM',
    advice: null,
  },
  disk_orphaned: {
    ...ofDisk,
    what: 'A datastore has a disk of a VM that does not exist: as after MongoDB was put back from a backup',
    detail: ({ datastore: id, disk, bytes }) =>
      `Datastore ${id} has disk ${disk} of it, with ${bytes} bytes, and there is no such VM.`,
    repair: null,
    advice:
      'See what it is, in the directory vms/<vm> of the datastore. Then make an image of it (qemu-img convert; arcus image create <name> --path …), or remove it there',
  },
  disk_missing: {
    ...ofDisk,
    what: 'A VM has a disk of which its datastore has nothing',
    detail: ({ datastore: id, disk }) => `It has disk ${disk}, of which datastore ${id} has nothing.`,
    repair: null,
    advice:
      'If many lack theirs, see that the datastore is mounted. Put the disk back from a backup, or make the VM anew: arcus vm recover <vm> --recreate',
  },
  context_left: {
    ...ofContext,
    what: 'A datastore has what the guest of a VM was told that is DONE, or has nothing in this datastore',
    detail: ({ datastore: id, epoch, is }) =>
      `Datastore ${id} has what its guest was told under epoch ${epoch}, and it ${tellers[is]}.`,
    repair: 'removes that, after one more look, unless somebody with a later claim has been there',
    advice: null,
  },
  context_orphaned: {
    ...ofContext,
    what: 'A datastore has what the guest of a VM was told that does not exist: as after MongoDB was put back from a backup',
    detail: ({ datastore: id, epoch }) =>
      `Datastore ${id} has what its guest was told under epoch ${epoch}, and there is no such VM.`,
    repair: null,
    advice:
      'Passwords may be in it. See what it is, and remove it there: the directory vms/<vm>/<epoch> of the datastore',
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
