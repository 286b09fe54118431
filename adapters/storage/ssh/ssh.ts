import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { named } from '../directories/layout.js';
import { guarded } from '../directories/on-directories.js';
import { thrown } from '../disk-fault.js';
import { fsStorage } from '../fs/fs.js';
import { bringFiles } from '../machine/bring-files.js';
import { mount } from '../machine/files.js';
import type { Machine } from '../machine/machine.js';
import type { DatastoreTarget, Storage } from '../port.js';
import type { SshConnections } from './connection.js';
import { sshMachine } from './ssh-machine.js';

/** Milliseconds that a call has to tidy up behind it when it is aborted: one that waits for a machine which does not answer is not waited for. */
const grace = 3_000;

type Placed = { datastore: DatastoreTarget };
type Reached = { said: string; machine: Machine; directory: string };

/**
 * The same as `fs`, in a directory of another machine: files are asked for by SFTP, and programs run there. `home`: that of this process, in which its key may
 * be.
 */
export function sshStorage(home: string, connections: SshConnections): Storage {
  const reached = new Map<number, Reached>();
  const machines = new Map<string, Machine>();

  /** As it is written now. What is at work goes on with what it has begun with. */
  async function reach(id: number): Promise<Reached> {
    const { directory, ...connection } = await connections(Number(named(id)));
    const said = JSON.stringify(connection);
    const machine = machines.get(said) ?? sshMachine({ ...connection, directory }, home);
    machines.set(said, machine);
    const now = { said, machine, directory };
    reached.set(id, now);
    return now;
  }
  const base = mount(async (way) => {
    const id = Number(/^\d+/.exec(way)?.[0]);
    const { machine, directory } = reached.get(id) ?? (await reach(id));
    return { machine, path: join(directory, way) };
  });
  const storage = fsStorage(base);

  async function inTime<T>(signal: AbortSignal, datastores: DatastoreTarget[], call: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const calling = Promise.all(datastores.map(({ id }) => reach(id))).then(call);
    let stop: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      stop = () => void wait(grace, undefined, { ref: false }).then(() => reject(thrown(signal.reason)));
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([calling, aborted]);
    } finally {
      if (stop) signal.removeEventListener('abort', stop);
    }
  }
  const onImage = <T>({ datastore }: Placed, signal: AbortSignal, call: () => Promise<T>): Promise<T> =>
    inTime(signal, [datastore], call);
  const onDisk = onImage;
  /** As hosts find it that have the directory mounted where it is there; null: nobody here has asked that datastore yet. */
  const pathThere = ({ datastore }: Placed, path: string): string | null => {
    const directory = reached.get(datastore.id)?.directory;
    return directory === undefined ? null : join(directory, relative(base, path));
  };
  async function* bytesOf({ datastore }: Placed, call: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    await reach(datastore.id);
    yield* call();
  }

  return {
    can: storage.can,
    capacity: (datastore, signal) => inTime(signal, [datastore], () => storage.capacity(datastore, signal)),
    inventory: (datastore, signal) => inTime(signal, [datastore], () => storage.inventory(datastore, signal)),
    staged: (image, signal) => onImage(image, signal, () => storage.staged(image, signal)),
    append: (claim, arrival, onProgress, signal) =>
      onImage(claim, signal, () => storage.append(claim, arrival, onProgress, signal)),
    readStaged: (image, offset, signal) => bytesOf(image, () => storage.readStaged(image, offset, signal)),
    keep: (claim, wish, onProgress, signal) =>
      onImage(claim, signal, () => storage.keep(claim, wish, onProgress, signal)),
    createEmpty: (claim, empty, signal) => onImage(claim, signal, () => storage.createEmpty(claim, empty, signal)),
    copy: (claim, from, onProgress, signal) =>
      inTime(signal, [claim.datastore, from.datastore], () => storage.copy(claim, from, onProgress, signal)),
    find: (image, signal) => onImage(image, signal, () => storage.find(image, signal)),
    read: (image, offset, signal) => bytesOf(image, () => storage.read(image, offset, signal)),
    resize: (claim, size, signal) => onImage(claim, signal, () => storage.resize(claim, size, signal)),
    remove: (claim, signal) => onImage(claim, signal, () => storage.remove(claim, signal)),
    makeDisk: (claim, wish, signal) => {
      const its = 'from' in wish ? [claim.datastore, wish.from.datastore] : [claim.datastore];
      return inTime(signal, its, () => storage.makeDisk(claim, wish, signal));
    },
    findDisk: (disk, signal) => onDisk(disk, signal, () => storage.findDisk(disk, signal)),
    growDisk: (claim, size, signal) => onDisk(claim, signal, () => storage.growDisk(claim, size, signal)),
    removeDisk: (claim, signal) => onDisk(claim, signal, () => storage.removeDisk(claim, signal)),
    removeDisks: (claim, signal) => onDisk(claim, signal, () => storage.removeDisks(claim, signal)),
    async keepContext(claim, files, signal) {
      const { path, boot } = await onDisk(claim, signal, () => storage.keepContext(claim, files, signal));
      const bootThere = boot === undefined ? null : pathThere(claim, boot);
      const booted = bootThere === null ? {} : { boot: bootThere };
      if (path === null) return { path: null, ...booted };
      const bring = (into: string, within: AbortSignal) =>
        onDisk(claim, within, () =>
          guarded(`What VM ${claim.vm} is told`, within, () => bringFiles(path, into, within)),
        );
      return { path: pathThere(claim, path), bring, ...booted };
    },
    async takeMemory(claim, signal) {
      const kept = await onDisk(claim, signal, () => storage.takeMemory(claim, signal));
      const path = kept && pathThere(claim, kept.path);
      return kept && path !== null ? { ...kept, path } : null;
    },
    dropMemory: (claim, signal) => onDisk(claim, signal, () => storage.dropMemory(claim, signal)),
    restoreDisk: (claim, from, onProgress, signal) =>
      inTime(signal, [claim.datastore, from.datastore], () => storage.restoreDisk(claim, from, onProgress, signal)),
    snapshotDisk: (claim, change, signal) => onDisk(claim, signal, () => storage.snapshotDisk(claim, change, signal)),
    snapshotImage: (claim, change, signal) =>
      onImage(claim, signal, () => storage.snapshotImage(claim, change, signal)),
    pathOf(disk) {
      const path = storage.pathOf(disk);
      return path === null ? null : pathThere(disk, path);
    },
    saveDisk: (claim, from, onProgress, signal) =>
      inTime(signal, [claim.datastore, from.datastore], () => storage.saveDisk(claim, from, onProgress, signal)),
  };
}
