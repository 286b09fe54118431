import type { Image, ImageState } from '../../schemas/storage/image.js';
import type { Vm } from '../../schemas/vms/vm.js';

/** An image whose names and state are judged: a try of anything on it raises the epoch. */
type ImageSeen = { image: number } & Pick<Image, 'state' | 'epoch' | 'operation' | 'wanted'>;
/** What of an image lies in a datastore, on disk; more or fewer bytes a moment later: somebody is at work on it. */
type BytesSeen = { datastore: number; image: number; bytes: number };
/** What a datastore for VMs is said to have of an image that lies elsewhere. */
type CopySeen = { datastore: number; image: number; epoch: number };
/** A disk of a VM, in a datastore for VMs. */
type DiskSeen = { datastore: number; vm: number; disk: number };
/** What a guest is told, in a datastore for VMs. */
type ContextSeen = { datastore: number; vm: number; epoch: number };
type VmSeen = { vm: number } & Pick<Vm, 'state' | 'lcm_state' | 'epoch' | 'hold'>;
/** Why nobody knows of it: there is no such image, or it is one of another datastore. */
type Unknown = { is: 'missing' | 'elsewhere' };

/** What was seen of flaws of images and datastores. */
export type ImageEvidence = {
  image_abandoned: ImageSeen;
  image_operation_stale: { image: number; op: string };
  image_wanted_stale: { image: number; op: string };
  /** `is`: the image that is named; null: it is not there. */
  image_clone_stale: { image: number; clone: number; is: Pick<Image, 'state' | 'epoch'> | null };
  /** `clones`: so many are being made of it. */
  image_state_wrong: {
    image: number;
    state: ImageState;
    becomes: ImageState;
    epoch: number;
    clones: number;
    /** So many apps are being published of it. */
    apps: number;
    /** So many VMs use it, as it says. */
    vms: number;
  };
  image_use_stale: { image: number; vm: number; is: 'missing' | 'DONE' | 'without' };
  image_use_missing: VmSeen & { image: number };
  /** `is`: why it is none of its VM's. */
  disk_left: DiskSeen & { bytes: number; is: 'DONE' | 'elsewhere' | 'without' };
  disk_orphaned: DiskSeen & { bytes: number };
  disk_missing: DiskSeen & VmSeen;
  /** `epoch`: under which the VM was started with it. */
  context_left: ContextSeen & { is: 'DONE' | 'elsewhere' | 'without' };
  context_orphaned: ContextSeen;
  image_without_bytes: { datastore: number; image: number; state: ImageState; epoch: number };
  image_bytes_orphaned: BytesSeen & Unknown;
  staging_orphaned: BytesSeen & Unknown;
  staging_left: BytesSeen & { state: ImageState };
  copy_missing: CopySeen;
  copy_orphaned: BytesSeen;
  copy_left: CopySeen;
  datastore_strange_names: { datastore: number; count: number; first: string[] };
  datastore_unreachable: { datastore: number; name: string; error: string };
};
