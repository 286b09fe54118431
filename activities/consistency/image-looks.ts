import type { Inventory } from '../../adapters/storage/port.js';
import type { Flaw } from '../../domain/consistency/evidence.js';
import type { SeenVm } from '../../domain/consistency/hands.js';
import { judgeDatastore, type Lying, type SeenCopy } from '../../domain/consistency/judge-datastores.js';
import { judgeUsers } from '../../domain/consistency/judge-disks.js';
import { judgeImages, namedByImages, type SeenImage } from '../../domain/consistency/judge-images.js';
import { namedByApps, type SeenApp } from '../../domain/consistency/judge-markets.js';
import { portionsOf } from '../../domain/portions.js';
import { problemOf } from '../../domain/problems.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { Datastore } from '../../schemas/storage/datastore.js';
import type { Store } from '../../store/store.js';
import { type Look, type LookPorts, type Looks, surroundings } from './consistency-looks.js';

/** Documents of a page or a read by id, and datastores that are asked side by side. */
const size = { images: 500, datastores: 8, vms: 500 };
/** How long a datastore may take to say what lies in it, in milliseconds: it looks at every file. */
const patience = 60_000;

type Asked = Pick<Datastore, '_id' | 'name' | 'ds_mad' | 'type'>;

/** How images are looked at, by their documents, and datastores, by what lies in them. */
export const imageLooks = (ports: LookPorts): Record<'images' | 'datastores', Looks> => {
  const { images } = ports.store.consistency;
  return {
    images: {
      page: async (after) => {
        const found = await images.page({ after: numbered(after), limit: size.images });
        const next = found.length < size.images ? null : (found.at(-1)?._id ?? null);
        return { flaws: await judgedImages(ports, found), compared: { images: found.length }, next };
      },
      again: async (ids) => judgedImages(ports, await images.byIds(ids.filter(isNumber))),
    },
    datastores: {
      page: async (after) => {
        const found = await images.datastores({ after: numbered(after), limit: size.datastores });
        const next = found.length < size.datastores ? null : (found.at(-1)?._id ?? null);
        return { ...(await lookAtDatastores(ports, found)), next };
      },
      again: async (ids) => {
        const flaws: Flaw[] = [];
        for (const some of portionsOf(ids.filter(isNumber), size.datastores))
          flaws.push(...(await lookAtDatastores(ports, await ports.store.datastores.byIds(some))).flaws);
        return flaws;
      },
    },
  };
};

const isNumber = (id: number | string): id is number => typeof id === 'number';
const numbered = (after: number | string | null): number | null => (typeof after === 'number' ? after : null);

/** Operations are read after the documents that name them: what has ended in between is another thing at the next look. */
async function judgedImages({ store }: LookPorts, found: readonly SeenImage[]): Promise<Flaw[]> {
  const { images, reads } = store.consistency;
  const ids = [...new Set(found.flatMap(({ clones }) => clones))];
  const clones: SeenImage[] = [];
  const clonesAtWork = new Set<number>();
  for (const some of portionsOf(ids, size.images)) {
    clones.push(...(await images.byIds(some)));
    for (const id of await images.atWorkOn(some)) clonesAtWork.add(id);
  }
  const apps = await appsById(store, [...new Set(found.flatMap((image) => image.apps ?? []))]);
  const vms = await vmsById(store, [...new Set(found.flatMap((image) => image.vms))]);
  const users = { ...(await surroundings(store, [...vms.values()])), vms };
  return [
    ...judgeImages(found, {
      operations: await reads.statesOf([...namedByImages(found), ...namedByApps(apps)]),
      clones: new Map(clones.map((clone) => [clone._id, clone])),
      clonesAtWork,
      apps: new Map(apps.map((app) => [app._id, app])),
    }),
    ...judgeUsers(found, users),
  ];
}

async function lookAtDatastores(ports: LookPorts, found: readonly Asked[]): Promise<Omit<Look, 'next'>> {
  const looks = await Promise.all(found.map((datastore) => lookAt(ports, datastore)));
  return {
    flaws: looks.flatMap(({ flaws }) => flaws),
    compared: { datastores: looks.filter(({ answered }) => answered).length },
  };
}

/** The datastore is asked first: an image is written down before the first byte of it is there. */
async function lookAt(
  ports: LookPorts,
  { _id, name, ds_mad, type }: Asked,
): Promise<{ flaws: Flaw[]; answered: boolean }> {
  const heard = await ask(ports, { _id, name, ds_mad, type });
  const copies = 'lying' in heard ? await ports.store.imageCopies.inDatastores([_id]) : [];
  const images = 'lying' in heard ? await imagesAround(ports, _id, heard.lying, copies) : [];
  const vms = 'lying' in heard ? await vmsAround(ports, _id, heard.lying) : new Map<number, SeenVm>();
  const around = await surroundings(ports.store, [...vms.values()]);
  const named = await ports.store.consistency.reads.statesOf(namedByImages(images));
  const known = {
    ...{ ...around, vms, images: new Map(images.map((image) => [image._id, image])) },
    copies: new Map(copies.map((copy) => [copy.image, copy])),
    operations: new Map([...around.operations, ...named]),
  };
  return { flaws: judgeDatastore({ _id, name, type, heard }, known), answered: 'lying' in heard };
}

/** Those that are said to be in a datastore, or to have a copy there, and those of which something lies there. */
async function imagesAround(
  { store }: LookPorts,
  datastore: number,
  lying: Lying,
  copies: readonly SeenCopy[],
): Promise<SeenImage[]> {
  const { images } = store.consistency;
  const found = new Map<number, SeenImage>();
  for (let after: number | null = null, more = true; more; ) {
    const page: SeenImage[] = await images.inDatastore(datastore, { after, limit: size.images });
    for (const image of page) found.set(image._id, image);
    after = page.at(-1)?._id ?? null;
    more = page.length === size.images;
  }
  const ids = [...lying.images.map(({ id }) => id), ...[...lying.staging, ...copies].map(({ image }) => image)];
  const others = [...new Set(ids)].filter((id) => !found.has(id));
  for (const some of portionsOf(others, size.images))
    for (const image of await images.byIds(some)) found.set(image._id, image);
  return [...found.values()];
}

/** Those that are said to have their disks in a datastore, and those of which something lies there. */
async function vmsAround({ store }: LookPorts, datastore: number, lying: Lying): Promise<Map<number, SeenVm>> {
  const found = new Map<number, SeenVm>();
  for (let after: number | null = null, more = true; more; ) {
    const page: SeenVm[] = await store.consistency.reads.vmsIn(datastore, { after, limit: size.vms });
    for (const vm of page) found.set(vm._id, vm);
    after = page.at(-1)?._id ?? null;
    more = page.length === size.vms;
  }
  const others = [...new Set([...lying.disks, ...lying.contexts].map(({ vm }) => vm))].filter((id) => !found.has(id));
  for (const [id, vm] of await vmsById(store, others)) found.set(id, vm);
  return found;
}

async function appsById({ consistency: { markets } }: Store, ids: readonly number[]): Promise<SeenApp[]> {
  const found: SeenApp[] = [];
  for (const some of portionsOf(ids, size.images)) found.push(...(await markets.byIds(some)));
  return found;
}

async function vmsById({ consistency: { reads } }: Store, ids: readonly number[]): Promise<Map<number, SeenVm>> {
  const found = new Map<number, SeenVm>();
  for (const some of portionsOf(ids, size.vms)) for (const vm of await reads.vms({ ids: some })) found.set(vm._id, vm);
  return found;
}

async function ask(
  { storages, signal }: LookPorts,
  { _id: id, ds_mad }: Asked,
): Promise<{ lying: Inventory } | { error: string }> {
  const bounded = abortedAfter(signal, patience);
  try {
    const asked = storages.of({ ds_mad }).inventory({ id, ds_mad }, bounded);
    return { lying: await orAborted(asked, bounded) };
  } catch (error) {
    signal.throwIfAborted();
    return { error: problemOf(error)?.message ?? `it took longer than ${patience / 1_000} s to say what is in it` };
  }
}

/** A call to a file system that hangs hears no signal. */
function orAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('It was stopped.'));
    signal.addEventListener('abort', stop, { once: true });
    call.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
