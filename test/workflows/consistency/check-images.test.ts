import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fsStorage } from '../../../adapters/storage/fs/fs.js';
import type { Storage } from '../../../adapters/storage/port.js';
import type { ConsistencyCheckResource } from '../../../schemas/consistency/consistency.js';
import type { Image } from '../../../schemas/storage/image.js';
import { attemptCheck, checkWorld, codesOf } from '../../support/checks.js';
import { ensurePrograms } from '../../support/programs.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { type Around, holding, twice } from '../../support/world-steps.js';

let world: World;
let base: string;
let storage: Storage<'fs'>;
/** Called after a datastore has said what lies in it, and before that is judged. */
let afterInventory: () => Promise<void> = async () => {};
beforeAll(async () => {
  ensurePrograms('disks');
  base = await mkdtemp(join(tmpdir(), 'arcus-check-images-'));
  storage = fsStorage(base);
  const listening: Storage = {
    ...storage,
    inventory: async (datastore, signal) => {
      const lying = await storage.inventory({ ...datastore, ds_mad: 'fs' }, signal);
      if (datastore.id === 1) await afterInventory();
      return lying;
    },
  };
  world = await newWorld({ server: development, hosts: 0 });
  world.storage.ports.storages.of = () => listening;
});
afterAll(async () => {
  await world.stop();
  await rm(base, { recursive: true, force: true });
});

const nobody = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';
const signal = new AbortController().signal;
const admission = { requestId: 'test' };
const check = (repair: boolean, around?: Around) => checkWorld(world, repair, around);
const told = ({ findings }: ConsistencyCheckResource): string[] =>
  findings.map(({ code, resource, outcome }) => `${code} ${resource.type} ${resource.id} ${outcome}`).sort();

let serial = 0;
const asked = async () => {
  const source = { empty: { size_mb: 1, format: 'raw' as const } };
  const wish = { name: `image-${++serial}`, description: '', type: 'DATABLOCK', persistent: false, source } as const;
  const { id: op, resource } = await world.operations.images.create(world.caller, wish, admission);
  return { op, id: resource.id };
};
async function ready(): Promise<number> {
  const { op, id } = await asked();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  return id;
}
const remove = async (id: number) => {
  const { id: op } = await world.operations.images.remove(world.caller, id, admission);
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
};
const found = (id: number) => world.store.images.find(id);
const set = (id: number, change: Partial<Image>) => world.store.images.model.updateOne({ _id: id }, { $set: change });
const stored = (id: number) => ({ id, datastore: { id: 1, ds_mad: 'fs' as const } });
const stage = (id: number) =>
  storage.append(
    { ...stored(id), epoch: 1 },
    { offset: 0, bytes: pieces(), version: null, most: 100, total: null },
    () => {},
    signal,
  );
async function* pieces() {
  yield Buffer.from('what has arrived');
}
const shelf = async (name: string) => (await readdir(join(base, '1', name)).catch((): string[] => [])).sort();
/** What nobody has written down: an image under this id, with all that it has. */
const orphan = (id: number) => storage.createEmpty({ ...stored(id), epoch: 1 }, { format: 'raw', size: 4_096 }, signal);

/** One thing wrong of each kind; returns what a check that repairs tells of it. */
async function damage(): Promise<{ repaired: string[]; left: string[]; undo: () => Promise<void> }> {
  const named = await ready();
  const abandoned = await ready();
  const cloned = await ready();
  const wrong = await ready();
  const lacking = await ready();
  const [lost, gone, both] = [7_001, 7_002, 7_003].map((id) => id + 10 * ++serial);
  await set(named, { operation: nobody, wanted: nobody });
  await set(abandoned, { state: 'LOCKED' });
  await set(cloned, { state: 'CLONE', clones: [named] });
  await set(wrong, { state: 'CLONE' });
  await rename(join(base, '1', 'images', String(lacking)), join(base, `aside-${lacking}`));
  await orphan(lost ?? -1);
  await stage(gone ?? -1);
  // What has arrived first: who begins to make an image that is kept already finds it so.
  await stage(both ?? -1);
  await rename(join(base, '1', 'staging', String(both)), join(base, `aside-${both}`));
  await orphan(both ?? -1);
  await rename(join(base, `aside-${both}`), join(base, '1', 'staging', String(both)));
  await writeFile(join(base, '1', 'notes.txt'), 'mine');
  await world.store.quotas.models.user.updateOne({ _id: world.caller.id }, { $inc: { 'used.storage': 5 } });
  return {
    repaired: [
      `image_abandoned image ${abandoned}`,
      `image_clone_stale image ${cloned}`,
      `image_operation_stale image ${named}`,
      `image_state_wrong image ${wrong}`,
      `image_wanted_stale image ${named}`,
      `quota_drift quota user/${world.caller.id}`,
      `staging_orphaned image ${gone}`,
    ],
    left: [
      'datastore_strange_names datastore 1',
      `image_bytes_orphaned image ${both}`,
      `image_bytes_orphaned image ${lost}`,
      `image_without_bytes image ${lacking}`,
    ],
    undo: async () => {
      expect(await shelf('staging')).toEqual([String(both)]);
      expect(await shelf('images')).toEqual(expect.arrayContaining([String(both), String(lost)]));
      for (const id of [named, cloned, wrong]) expect(await found(id)).toMatchObject(isFree);
      expect(await found(abandoned)).toMatchObject({ state: 'ERROR', operation: null });
      await rename(join(base, `aside-${lacking}`), join(base, '1', 'images', String(lacking)));
      for (const id of [lost, both]) await storage.remove({ ...stored(id ?? -1), epoch: 9 }, signal);
      await rm(join(base, '1', 'notes.txt'));
      for (const id of [named, cloned, wrong, abandoned, lacking]) await remove(id);
    },
  };
}
const isFree = { state: 'READY', operation: null, wanted: null, clones: [] };
const all = (some: readonly string[], outcome: string) => some.map((text) => `${text} ${outcome}`);

describe('a check of images and datastores', () => {
  it('has nothing to say where all is in order, and says what it has compared', async () => {
    const id = await ready();
    const clone = await world.operations.images.clone(world.caller, id, { name: 'clone' }, admission);
    await world.ended(clone.id);
    const { report, steps } = await attemptCheck(world, true);
    expect(report).toMatchObject({ found: 0, compared: { images: 2, datastores: 3 } });
    expect(steps).not.toContain('lookAgainAtDatastores');
    await remove(clone.resource.id);
    await remove(id);
  });

  it('tells of all that does not fit, and repairs what can be without risk: the bytes of an image are never removed', async () => {
    const { repaired, left, undo } = await damage();
    expect(told(await check(false))).toEqual(all([...repaired, ...left], 'found').sort());
    const before = await shelf('images');
    expect(told(await check(true))).toEqual([...all(repaired, 'repaired'), ...all(left, 'found')].sort());
    expect(await shelf('images')).toEqual(before);
    expect(told(await check(true))).toEqual(all(left, 'found').sort());
    await undo();
    expect(await check(false)).toMatchObject({ found: 0 });
    await world.accounted();
  });

  it('comes to the same when each step is done twice', async () => {
    const { repaired, left, undo } = await damage();
    expect(told(await check(true, twice))).toEqual([...all(repaired, 'repaired'), ...all(left, 'found')].sort());
    await undo();
    await world.accounted();
  });

  it('tells of a datastore that does not answer, and accuses none of its images', async () => {
    const id = await ready();
    const [at, aside] = [join(base, '1'), join(base, 'aside')];
    await rename(at, aside);
    await writeFile(at, 'not a directory');
    const report = await check(true);
    expect(told(report)).toEqual(['datastore_unreachable datastore 1 found']);
    expect(report.compared).toMatchObject({ images: 1, datastores: 2 });
    await rm(at);
    await rename(aside, at);
    expect(await check(false)).toMatchObject({ found: 0 });
    await remove(id);
  });
});

describe('what goes on meanwhile', () => {
  it('is not accused: an image that is being made, with what has arrived of it, and one that failed and can be gone on with', async () => {
    const failed = await ready();
    await set(failed, { state: 'ERROR', reason: 'it failed' });
    await storage.remove({ ...stored(failed), epoch: 9 }, signal);
    await stage(failed);
    const { around, reached, release } = holding('fillImage');
    world.steps.watch(around);
    const { id, op } = await asked();
    await reached;
    await stage(id);
    expect(codesOf(await check(true))).toEqual([]);
    release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect(await shelf('staging')).toEqual(expect.arrayContaining([String(failed)]));
    await remove(failed);
    await remove(id);
    await world.accounted();
  });

  it('is not accused: an image that is removed, or made, while a datastore is looked at', async () => {
    const leaving = await ready();
    let coming = -1;
    afterInventory = async () => {
      afterInventory = async () => {};
      await remove(leaving);
      coming = await ready();
    };
    const { report, steps } = await attemptCheck(world, true);
    expect(report).toMatchObject({ state: 'succeeded', found: 0 });
    expect(steps).toContain('lookAgainAtDatastores');
    expect(await found(coming)).toMatchObject({ state: 'READY' });
    await remove(coming);
  });

  it('wins: what is being made again stays named, and what has an image again stays', async () => {
    const [of, clone] = [await ready(), await ready()];
    await set(of, { state: 'CLONE', clones: [clone] });
    const staged = 7_900;
    await stage(staged);
    const said = (state: 'running' | 'succeeded') =>
      world.store.operations.model.updateOne({ 'resource.type': 'image', 'resource.id': clone }, { $set: { state } });
    const taken: Around = async (step, run) => {
      if (step.name === 'repairFindings') await said('running');
      if (step.name === 'repairDatastores') {
        const image = await found(of);
        if (image) await world.store.images.model.create([{ ...image, _id: staged, name: 'again', state: 'ERROR' }]);
      }
      return run();
    };
    expect(told(await check(true, taken))).toEqual([
      `image_clone_stale image ${of} gone`,
      `staging_orphaned image ${staged} gone`,
    ]);
    await said('succeeded');
    expect(await found(of)).toMatchObject({ state: 'CLONE', clones: [clone] });
    expect(await shelf('staging')).toContain(String(staged));
  });
});
