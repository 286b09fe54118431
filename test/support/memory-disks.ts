import type {
  DiskClaim,
  DisksClaim,
  DiskWish,
  Inventory,
  KeptDisk,
  KeptImage,
  Storage,
  StoredDisk,
  StoredImage,
} from '../../adapters/storage/port.js';
import { Problem } from '../../domain/problems.js';

/** `restored`: the image that it was made like since. */
type Disk = KeptDisk & { of: StoredDisk; wish: DiskWish; restored?: number; snapshots?: Set<number> };

const keyOf = ({ vm, disk, datastore }: StoredDisk): string => `${datastore.id}/${vm}/${disk}`;
const keyOfVm = ({ vm, datastore }: Omit<StoredDisk, 'disk'>): string => `${datastore.id}/${vm}`;

/** Disks of VMs in memory: what they are made of, and how large they are. */
export class MemoryDisks {
  /** Those that there are, by datastore, VM and disk. */
  readonly kept = new Map<string, Disk>();
  /** The latest epoch that has been at the disks of a VM. */
  /** What guests were told, by datastore and VM: under which epoch, and the names of files with what is in them. */
  readonly told = new Map<
    string,
    { of: Omit<StoredDisk, 'disk'>; epoch: number; files: Map<string, string | number> }
  >();
  readonly #epochs = new Map<string, number>();
  readonly #imageOf: (image: StoredImage) => KeptImage | undefined;
  /** Called before each call; may throw. */
  beforeEach: (call: string, disk: Omit<StoredDisk, 'disk'> & { disk?: number }) => Promise<void> = async () => {};

  constructor(imageOf: (image: StoredImage) => KeptImage | undefined) {
    this.#imageOf = imageOf;
  }

  /** What lies in a datastore. */
  in(datastore: number): Inventory['disks'] {
    return [...this.kept.values()]
      .filter(({ of }) => of.datastore.id === datastore)
      .map(({ of: { vm, disk } }) => ({ vm, disk, bytes: 196_624 }));
  }

  /** What guests were told, of a datastore. */
  toldIn(datastore: number): Inventory['contexts'] {
    return [...this.told.values()]
      .filter(({ of }) => of.datastore.id === datastore)
      .map(({ of: { vm }, epoch }) => ({ vm, epoch, bytes: 4_096 }));
  }

  #fence(claim: DisksClaim): void {
    const key = keyOfVm(claim);
    if (claim.epoch < (this.#epochs.get(key) ?? 0))
      throw new Problem('taken', `Somebody with a later claim works on the disks of VM ${claim.vm}.`);
    this.#epochs.set(key, claim.epoch);
  }

  #need(at: StoredDisk): Disk {
    const disk = this.kept.get(keyOf(at));
    if (!disk) throw new Problem('not_found', `Disk ${at.disk} of VM ${at.vm} is not in datastore ${at.datastore.id}.`);
    return disk;
  }

  #imageIn(from: StoredImage): KeptImage {
    const image = this.#imageOf(from);
    if (!image) throw new Problem('not_found', `Image ${from.id} is not in datastore ${from.datastore.id}.`);
    return image;
  }

  #made(claim: DiskClaim, wish: DiskWish): Disk {
    const of: StoredDisk = { vm: claim.vm, disk: claim.disk, datastore: claim.datastore };
    if ('empty' in wish) return { of, wish, format: wish.empty.format, virtualSize: wish.empty.size };
    const { format, virtualSize } = this.#imageIn(wish.from);
    const size = wish.size ?? virtualSize;
    if (size < virtualSize) throw new Problem('image_refused', `Image ${wish.from.id} is larger than ${size} bytes.`);
    return { of, wish, format: wish.way === 'clone' ? 'qcow2' : format, virtualSize: size };
  }

  async #remove(claim: DisksClaim, which: (disk: Disk) => boolean): Promise<void> {
    this.#fence(claim);
    for (const [key, disk] of this.kept) if (keyOfVm(disk.of) === keyOfVm(claim) && which(disk)) this.kept.delete(key);
  }

  readonly calls: Pick<
    Storage,
    | 'makeDisk'
    | 'findDisk'
    | 'growDisk'
    | 'removeDisk'
    | 'removeDisks'
    | 'keepContext'
    | 'restoreDisk'
    | 'snapshotDisk'
    | 'takeMemory'
    | 'dropMemory'
    | 'pathOf'
  > = {
    makeDisk: async (claim, wish) => {
      await this.beforeEach('makeDisk', claim);
      this.#fence(claim);
      const disk = this.kept.get(keyOf(claim)) ?? this.#made(claim, wish);
      const size = 'empty' in wish ? wish.empty.size : (wish.size ?? 0);
      disk.virtualSize = Math.max(disk.virtualSize, size);
      this.kept.set(keyOf(claim), disk);
      return seen(disk);
    },
    findDisk: async (at) => {
      const disk = this.kept.get(keyOf(at));
      return disk && seen(disk);
    },
    growDisk: async (claim, size) => {
      await this.beforeEach('growDisk', claim);
      this.#fence(claim);
      const disk = this.#need(claim);
      if (size < disk.virtualSize)
        throw new Problem('image_refused', `Disk ${claim.disk} of VM ${claim.vm} is larger than ${size} bytes.`);
      disk.virtualSize = size;
      return seen(disk);
    },
    removeDisk: async (claim) => {
      await this.beforeEach('removeDisk', claim);
      await this.#remove(claim, ({ of }) => of.disk === claim.disk);
    },
    removeDisks: async (claim) => {
      await this.beforeEach('removeDisks', claim);
      await this.#remove(claim, () => true);
      this.told.delete(keyOfVm(claim));
    },
    keepContext: async (claim, files) => {
      await this.beforeEach('keepContext', claim);
      this.#fence(claim);
      const key = keyOfVm(claim);
      const { vm, datastore, epoch } = claim;
      if (files.length === 0) this.told.delete(key);
      else if (this.told.get(key)?.epoch !== epoch) {
        const told = files.map((file) => [file.name, 'text' in file ? file.text : file.size] as const);
        this.told.set(key, { of: { vm, datastore }, epoch, files: new Map(told) });
      }
      return { path: null };
    },
    takeMemory: async () => null,
    dropMemory: async () => {},
    restoreDisk: async (claim, from, onProgress) => {
      await this.beforeEach('restoreDisk', claim);
      this.#fence(claim);
      const disk = this.#need(claim);
      const { virtualSize } = this.#imageIn(from);
      if (virtualSize > disk.virtualSize)
        throw new Problem('image_refused', `Image ${from.id} is larger than the disk.`);
      onProgress({ phase: 'copy', done: virtualSize, total: virtualSize });
      disk.restored = from.id;
      return seen(disk);
    },
    snapshotDisk: async (claim, { do: what, snapshot }) => {
      await this.beforeEach('snapshotDisk', claim);
      this.#fence(claim);
      const disk = this.#need(claim);
      disk.snapshots ??= new Set();
      if (what === 'revert' && !disk.snapshots.has(snapshot))
        throw new Problem('not_found', 'there is no such snapshot');
      if (what === 'take') disk.snapshots.add(snapshot);
      if (what === 'drop') disk.snapshots.delete(snapshot);
    },
    pathOf: () => null,
  };

  /** What a disk is now, as bytes of an image of its own. */
  async saved(from: StoredDisk & { snapshot?: number }): Promise<KeptImage> {
    const { format, virtualSize, snapshots } = this.#need(from);
    if (from.snapshot !== undefined && !snapshots?.has(from.snapshot))
      throw new Problem('not_found', 'there is no such snapshot');
    return { format, virtualSize, bytes: virtualSize, published: null };
  }
}

const seen = ({ format, virtualSize }: Disk): KeptDisk => ({ format, virtualSize });
