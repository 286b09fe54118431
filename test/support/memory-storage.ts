import { setTimeout as sleep } from 'node:timers/promises';
import type { StepPorts } from '../../activities/ports.js';
import type { ImageClaim, Inventory, KeptImage, Storage, StoredImage } from '../../adapters/storage/port.js';
import { Problem } from '../../domain/problems.js';
import { MemoryDisks } from './memory-disks.js';

const mebi = 2 ** 20;
const capacity = { total: 1_000 * mebi, used: 10 * mebi, free: 990 * mebi };
const keyOf = ({ id, datastore }: StoredImage): string => `${datastore.id}/${id}`;

/**
 * Datastores in memory, which count bytes and keep none. An image of an address is as large as its last part says: `http://source/5` comes to
 * 5 MB, one at a time, each of which takes `pieceMilliseconds`; a copy is one piece.
 */
export class MemoryStorage {
  /** What is kept, by datastore and image; what has arrived, in bytes; and the epochs under which that was done. */
  readonly kept = new Map<string, KeptImage>();
  readonly staged = new Map<string, number>();
  readonly #epochs = new Map<string, number>();
  /** Numbers of the snapshots in an image. */
  readonly snapshots = new Map<string, number[]>();
  pieceMilliseconds = 0;
  /** Datastores that do not answer. */
  readonly silent = new Set<number>();
  /** Bytes of what is called so in a marketplace; undefined: there is none. */
  published: (key: string) => number | undefined = () => undefined;
  /** Called before each call; may throw. */
  beforeEach: (call: string, image: StoredImage) => Promise<void> = async () => {};

  readonly disks = new MemoryDisks((image) => this.kept.get(keyOf(image)));

  /** Nothing of any image is there, kept or arriving. */
  get isEmpty(): boolean {
    return this.kept.size === 0 && this.staged.size === 0;
  }

  #fence(claim: ImageClaim): void {
    const key = keyOf(claim);
    if (claim.epoch < (this.#epochs.get(key) ?? 0))
      throw new Problem('taken', `Somebody with a later claim is at image ${claim.id}.`);
    this.#epochs.set(key, claim.epoch);
  }

  async #keep(claim: ImageClaim, image: KeptImage): Promise<KeptImage> {
    const there = this.kept.get(keyOf(claim));
    if (there) return there;
    this.#fence(claim);
    this.kept.set(keyOf(claim), image);
    this.staged.delete(keyOf(claim));
    return image;
  }

  readonly #versions = new Map<string, string | null>();

  /** Bytes of which nobody knows more than how many they are, a part at a time. */
  async *#zeros(bytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for (let done = 0; done < bytes; done += mebi) {
      await sleep(this.pieceMilliseconds, undefined, { signal });
      yield new Uint8Array(Math.min(mebi, bytes - done));
    }
  }

  readonly #storage: Omit<Storage, 'can'> = {
    ...this.disks.calls,
    capacity: async ({ id }) => {
      if (this.silent.has(id)) throw new Problem('backend_unavailable', 'no such directory');
      return capacity;
    },
    inventory: async ({ id: datastore }): Promise<Inventory> => {
      const its = (of: Iterable<[string, number]>) =>
        [...of].flatMap(([key, bytes]) => {
          const [at, image] = key.split('/').map(Number);
          return at === datastore && image !== undefined ? [{ image, bytes }] : [];
        });
      const kept = its([...this.kept].map(([key, { bytes }]): [string, number] => [key, bytes]));
      return {
        images: kept.map(({ image: id, bytes }) => ({ id, bytes })),
        staging: its(this.staged),
        disks: this.disks.in(datastore),
        contexts: this.disks.toldIn(datastore),
        strange: [],
      };
    },
    staged: async (image) => ({
      ...{ bytes: this.staged.get(keyOf(image)) ?? 0, total: null },
      version: this.#versions.get(keyOf(image)) ?? null,
    }),
    readStaged: (image, offset, signal) => this.#zeros((this.staged.get(keyOf(image)) ?? 0) - offset, signal),
    read: (image, offset, signal) => this.#zeros((this.kept.get(keyOf(image))?.bytes ?? 0) - offset, signal),
    append: async (claim, { offset, bytes, version, total }, onProgress) => {
      await this.beforeEach('append', claim);
      let done = offset;
      this.#fence(claim);
      this.staged.set(keyOf(claim), done);
      this.#versions.set(keyOf(claim), version);
      for await (const chunk of bytes) {
        this.#fence(claim);
        done += chunk.length;
        this.staged.set(keyOf(claim), done);
        onProgress({ phase: 'fetch', done, total });
      }
      return { bytes: done, version, total };
    },
    keep: async (claim) => {
      await this.beforeEach('keep', claim);
      const bytes = this.staged.get(keyOf(claim)) ?? 0;
      const published = { bytes, sha256: '0'.repeat(64), md5: null, packing: [] };
      return this.#keep(claim, { format: 'raw', virtualSize: bytes, bytes, published });
    },
    createEmpty: async (claim, { format, size }) => {
      await this.beforeEach('createEmpty', claim);
      return this.#keep(claim, { format, virtualSize: size, bytes: 196_624, published: null });
    },
    copy: async (claim, from, onProgress, signal) => {
      await this.beforeEach('copy', claim);
      await sleep(this.pieceMilliseconds, undefined, { signal });
      const source = this.kept.get(keyOf(from));
      if (!source) throw new Problem('not_found', `There is no image ${from.id} in datastore ${from.datastore.id}.`);
      onProgress({ phase: 'copy', done: source.bytes, total: source.bytes });
      return this.#keep(claim, { ...source, published: null });
    },
    saveDisk: async (claim, from, onProgress) => {
      await this.beforeEach('saveDisk', claim);
      const saved = await this.disks.saved(from);
      onProgress({ phase: 'copy', done: saved.bytes, total: saved.bytes });
      return this.#keep(claim, saved);
    },
    find: async (image) => this.kept.get(keyOf(image)),
    resize: async (claim, size) => {
      await this.beforeEach('resize', claim);
      this.#fence(claim);
      const there = this.kept.get(keyOf(claim));
      if (!there) throw new Problem('not_found', `There is no image ${claim.id} in datastore ${claim.datastore.id}.`);
      const larger = { ...there, virtualSize: Math.max(size, there.virtualSize), published: null };
      this.kept.set(keyOf(claim), larger);
      return larger;
    },
    snapshotImage: async (claim, change) => {
      await this.beforeEach('snapshotImage', claim);
      const its = this.snapshots.get(keyOf(claim)) ?? [];
      if (change === null) return its;
      this.#fence(claim);
      const { do: what, snapshot } = change;
      if (what === 'revert' && !its.includes(snapshot)) throw new Problem('not_found', 'there is no such snapshot');
      const others = its.filter((one) => one !== snapshot);
      const after = what === 'take' ? [...others, snapshot] : what === 'drop' ? others : its;
      this.snapshots.set(keyOf(claim), after);
      return after;
    },
    remove: async (claim) => {
      await this.beforeEach('remove', claim);
      this.#fence(claim);
      this.kept.delete(keyOf(claim));
      this.staged.delete(keyOf(claim));
    },
  };

  /** As ports of a worker. */
  readonly ports: Pick<StepPorts, 'storages' | 'bringIn'> = {
    storages: {
      // A call that no step makes is missing, and fails.
      of: () => Object.assign(Object.create(null), this.#storage),
    },
    bringIn: async (_storage, claim, { from, mostBytes }, onProgress, signal) => {
      await this.beforeEach('bringIn', claim);
      const there = this.kept.get(keyOf(claim));
      if (there) return there;
      const name = 'object' in from ? from.object.key : ('url' in from ? from.url : from.path).split('/').at(-1);
      const total = this.published(name ?? '') ?? Number(name) * mebi;
      for (let done = this.staged.get(keyOf(claim)) ?? 0; done < total; ) {
        await sleep(this.pieceMilliseconds, undefined, { signal });
        this.#fence(claim);
        done += mebi;
        if (done > mostBytes) throw new Problem('image_refused', `It has more than ${mostBytes / mebi} MB.`);
        this.staged.set(keyOf(claim), done);
        onProgress({ phase: 'fetch', done, total });
      }
      const published = { bytes: total, sha256: '0'.repeat(64), md5: null, packing: [] };
      return this.#keep(claim, { format: 'raw', virtualSize: total, bytes: total, published });
    },
  };
}
