import type { Flaw } from '../../../domain/consistency/evidence.js';
import type { SeenVm } from '../../../domain/consistency/hands.js';
import { judgeDatastore, type Lying, type SeenCopy } from '../../../domain/consistency/judge-datastores.js';
import { judgeImagesOfVms, judgeUsers } from '../../../domain/consistency/judge-disks.js';
import { judgeImages, type SeenImage } from '../../../domain/consistency/judge-images.js';
import type { SeenApp } from '../../../domain/consistency/judge-markets.js';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import { storedVmState, type VmStateName } from '../../../domain/vms/vm-states.js';
import type { FindingCode } from '../../../schemas/consistency/consistency.js';
import { OperationState } from '../../../schemas/operations/operation.js';
import type { Disk } from '../../../schemas/operations/vm-devices.js';
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
  ...{ clones: state === 'CLONE' ? [6] : [], persistent: state === 'USED_PERS' },
  ...{ vms: state === 'USED' || state === 'USED_PERS' ? [7] : [], ...over },
});

/** `made`: of what it says to be made of it, what an operation is at work on. */
export const ofImage = (
  seen: SeenImage,
  { made = [6], clones = [] as SeenImage[], apps = [] as SeenApp[] } = {},
): Flaw[] =>
  judgeImages([seen], {
    ...{ operations, clonesAtWork: new Set(made) },
    clones: new Map(clones.map((clone) => [clone._id, clone])),
    apps: new Map(apps.map((app) => [app._id, app])),
  });

const bytes = 4_096;
const elsewhere = { id: 100, ds_mad: 'fs', mb: 10, at: new Date(0) } as const;
export const staged = (...ids: number[]): Partial<Lying> => ({ staging: ids.map((id) => ({ image: id, bytes })) });
export const stored = (...ids: number[]): Partial<Lying> => ({ images: ids.map((id) => ({ id, bytes })) });

/** VM 7 with disk 0 on image 5 and a volatile disk 1, in datastore 1. */
export const vm = (name: VmStateName, over: Partial<SeenVm> = {}): SeenVm => ({
  ...{ _id: 7, uid: 2, gid: 1, permissions: permissionsOf('640'), ...storedVmState(name), epoch: 4 },
  ...{ hold: null, operation: null, wanted: null, service: null, history: [], capacity: { cpu: 50, memory: 256 } },
  datastore: name === 'DONE' ? null : { id: 1, ds_mad: 'fs', mb: 10, at: new Date(0) },
  disks: [diskOf(0, { image: ofImage5 }), diskOf(1)],
  ...over,
});
const ofImage5 = { id: 5, name: 'five', datastore: 2, ds_mad: 'fs', way: 'clone', persistent: false } as const;
export const diskOf = (disk_id: number, over: Partial<Disk> = {}): Disk => ({
  ...{ disk_id, type: 'fs', size: 10, format: 'qcow2', target: `vd${disk_id}` },
  ...{ snapshots: [], current: null, snapshot_ids: 0, ...over },
});
const around = (vms: readonly SeenVm[]) => ({
  ...{ operations, services: new Map(), vms: new Map(vms.map((one) => [one._id, one])) },
});
export const lyingDisks = (vmId: number, ...ids: number[]): Partial<Lying> => ({
  disks: ids.map((disk) => ({ vm: vmId, disk, bytes })),
});
const lyingContext = { vm: 7, epoch: 3, bytes };
/** VMs that an image names, and what of them is not so. */
export const ofUsers = (seen: SeenImage, vms: SeenVm[]): Flaw[] => judgeUsers([seen], around(vms));
/** Images of VMs, and what of them is not so. */
export const ofVms = (vms: SeenVm[], images: SeenImage[]): Flaw[] =>
  judgeImagesOfVms(vms, { ...around(vms), images: new Map(images.map((one) => [one._id, one])) });

/** Datastore 1, of which what is said lies there. */
export const ofDatastore = (
  lying: Partial<Lying> | { error: string },
  images: SeenImage[] = [],
  vms: SeenVm[] = [],
  copies: SeenCopy[] = [],
): Flaw[] =>
  judgeDatastore(
    {
      ...{ _id: 1, name: 'default', type: copies.length > 0 ? 'system' : 'image' },
      heard:
        'error' in lying
          ? lying
          : { lying: { images: [], staging: [], disks: [], contexts: [], strange: [], ...lying } },
    },
    {
      ...{ ...around(vms), images: new Map(images.map((one) => [one._id, one])) },
      copies: new Map(copies.map((one) => [one.image, one])),
    },
  );
/** Of image 5, which lies elsewhere. */
export const copy = (over: Partial<SeenCopy> = {}): SeenCopy => ({ image: 5, state: 'READY', epoch: 2, ...over });

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
  ['image_state_wrong', () => ofImage(image('USED', { vms: [] }))],
  ['image_state_wrong', () => ofImage(image('USED_PERS', { vms: [] }))],
  ['image_state_wrong', () => ofImage(image('READY', { vms: [7] }))],
  ['image_state_wrong', () => ofImage(image('USED', { persistent: true }))],
  ['image_use_stale', () => ofUsers(image('USED'), [])],
  ['image_use_stale', () => ofUsers(image('USED'), [vm('DONE')])],
  ['image_use_stale', () => ofUsers(image('USED'), [vm('POWEROFF', { disks: [diskOf(0)] })])],
  ['image_use_missing', () => ofVms([vm('ACTIVE/RUNNING')], [image('READY')])],
  ['image_use_missing', () => ofVms([vm('PENDING')], [])],
  ['disk_left', () => ofDatastore(lyingDisks(7, 0), [], [vm('DONE')])],
  ['disk_left', () => ofDatastore(lyingDisks(7, 0, 1, 2), [], [vm('POWEROFF')])],
  ['disk_left', () => ofDatastore(lyingDisks(7, 0), [], [vm('ACTIVE/RUNNING', { datastore: elsewhere })])],
  ['disk_orphaned', () => ofDatastore(lyingDisks(7, 0))],
  ...(['ACTIVE/RUNNING', 'ACTIVE/UNKNOWN', 'POWEROFF', 'SUSPENDED', 'STOPPED', 'UNDEPLOYED'] as const).map(
    (state): [FindingCode, () => Flaw[]] => ['disk_missing', () => ofDatastore(lyingDisks(7, 1), [], [vm(state)])],
  ),
  ['context_left', () => ofDatastore({ contexts: [lyingContext] }, [], [vm('DONE')])],
  ['context_left', () => ofDatastore({ contexts: [lyingContext] }, [], [vm('PENDING', { datastore: null })])],
  ['context_left', () => ofDatastore({ contexts: [lyingContext] }, [], [vm('PENDING', { datastore: elsewhere })])],
  ['context_orphaned', () => ofDatastore({ contexts: [lyingContext] })],
  ['image_bytes_orphaned', () => ofDatastore(stored(5))],
  ['image_bytes_orphaned', () => ofDatastore(stored(5), [image('READY', { datastore_id: 100 })])],
  // What is kept under that id would go with what has arrived: that is only told.
  ['image_bytes_orphaned', () => ofDatastore({ ...stored(5), ...staged(5) })],
  ['staging_orphaned', () => ofDatastore(staged(5))],
  ['staging_orphaned', () => ofDatastore(staged(5, 5))],
  ['staging_orphaned', () => ofDatastore(staged(5), [image('LOCKED', { datastore_id: 100 })])],
  ['staging_left', () => ofDatastore({ ...stored(5), ...staged(5) }, [image('READY')])],
  ['copy_missing', () => ofDatastore(stored(), [image('USED', { datastore_id: 100 })], [], [copy()])],
  [
    'copy_orphaned',
    () =>
      ofDatastore(
        stored(5, 6),
        [5, 6].map((_id) => image('READY', { _id, datastore_id: 100 })),
        [],
        [copy()],
      ),
  ],
  ['copy_left', () => ofDatastore(stored(5), [], [], [copy()])],
  ['copy_left', () => ofDatastore(staged(5), [], [], [copy({ state: 'GOING' })])],
  ['datastore_strange_names', () => ofDatastore({ strange: ['notes.txt', 'images/five', '../x\n'] })],
  ['datastore_unreachable', () => ofDatastore({ error: 'no such directory' }, [image('READY')])],
];
