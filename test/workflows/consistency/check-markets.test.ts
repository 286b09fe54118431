import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import type { ConsistencyCheckResource } from '../../../schemas/consistency/consistency.js';
import type { App } from '../../../schemas/market/app.js';
import { attemptCheck, checkWorld, codesOf } from '../../support/checks.js';
import { newWorld, type World } from '../../support/world.js';
import { newImage } from '../../support/world-images.js';
import { development } from '../../support/world-server.js';
import { type Around, holding, twice } from '../../support/world-steps.js';

let world: World;
let market: number;
let image: number;
beforeAll(async () => {
  world = await newWorld({ server: development, hosts: 0 });
  const http = { base_url: 'http://market.test/apps', public_dir: '/srv/market' };
  const wish = { name: 'corporate', description: '', market_mad: 'http' as const, http };
  market = (await world.operations.marketplaces.create(world.caller, wish)).id;
  image = await newImage(world, 'system', { source: { url: 'http://source.test/3' } });
});
afterAll(() => world.stop());
afterEach(() => {
  world.steps.watch();
  world.market.beforeEach = async () => {};
});

const nobody = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';
const admission = { requestId: 'test' };
const check = (repair: boolean, around?: Around) => checkWorld(world, repair, around);
const told = ({ findings }: ConsistencyCheckResource): string[] =>
  findings.map(({ code, resource, outcome }) => `${code} ${resource.type} ${resource.id} ${outcome}`).sort();

let serial = 0;
const asked = async () => {
  const wish = {
    name: `app-${++serial}`,
    market_id: market,
    image_id: image,
    description: '',
    version: '1.0',
    tags: [],
  };
  const { id: op, resource } = await world.operations.apps.publish(world.caller, wish, admission);
  return { op, id: resource.id };
};
async function published(): Promise<number> {
  const { op, id } = await asked();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  return id;
}
const remove = async (id: number) => {
  const { id: op } = await world.operations.apps.remove(world.caller, id, admission);
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
};
const found = (id: number) => world.store.apps.find(id);
const set = (id: number, change: Partial<App>) => world.store.apps.model.updateOne({ _id: id }, { $set: change });
const keyOf = async (id: number): Promise<string> => (await found(id))?.parts[0]?.key ?? '';
const orphan = `marketapp-4711-${'0'.repeat(32)}`;

/** One thing wrong of each kind; returns what a check that repairs tells of it. */
async function damage(): Promise<{ repaired: string[]; left: string[]; undo: () => Promise<void> }> {
  const named = await published();
  const wanted = await published();
  const abandoned = await published();
  const exported = await published();
  const lacking = await published();
  await set(named, { operation: nobody });
  await set(wanted, { wanted: nobody });
  await set(abandoned, { state: 'LOCKED' });
  await set(exported, { exports: [nobody] });
  world.market.kept.delete(await keyOf(lacking));
  world.market.begun.set(orphan, 5);
  await world.store.images.model.updateOne({ _id: image }, { $set: { state: 'CLONE', apps: [named] } });
  return {
    repaired: [
      `app_abandoned app ${abandoned}`,
      `app_export_stale app ${exported}`,
      `app_operation_stale app ${named}`,
      `app_wanted_stale app ${wanted}`,
      `image_app_stale image ${image}`,
    ],
    left: [`app_bytes_orphaned market ${market}`, `app_without_bytes app ${lacking}`],
    undo: async () => {
      expect(await found(abandoned)).toMatchObject({ state: 'ERROR', operation: null });
      expect(await world.store.images.find(image)).toMatchObject({ state: 'READY', apps: [] });
      expect(world.market.begun.get(orphan)).toBe(5);
      world.market.begun.delete(orphan);
      for (const id of [named, wanted, abandoned, exported, lacking]) await remove(id);
    },
  };
}
const all = (some: readonly string[], outcome: string) => some.map((text) => `${text} ${outcome}`);

describe('a check of marketplaces', () => {
  it('has nothing to say where all is in order, and says what it has compared', async () => {
    const id = await published();
    const { report, steps } = await attemptCheck(world, true);
    expect(report).toMatchObject({ found: 0, compared: { markets: 1 } });
    expect(steps).not.toContain('lookAgainAtMarkets');
    await remove(id);
  });

  it('tells of all that does not fit, and repairs what can be without risk: bytes are never removed', async () => {
    const { repaired, left, undo } = await damage();
    expect(told(await check(false))).toEqual(all([...repaired, ...left], 'found').sort());
    expect(told(await check(true))).toEqual([...all(repaired, 'repaired'), ...all(left, 'found')].sort());
    expect(told(await check(true))).toEqual(all(left, 'found').sort());
    await undo();
    expect(await check(false)).toMatchObject({ found: 0 });
  });

  it('comes to the same when each step is done twice', async () => {
    const { repaired, left, undo } = await damage();
    expect(told(await check(true, twice))).toEqual([...all(repaired, 'repaired'), ...all(left, 'found')].sort());
    await undo();
  });

  it('tells of a marketplace that does not answer, and accuses none of its apps', async () => {
    const id = await published();
    world.market.beforeEach = async (call) => {
      if (call === 'inventory') throw new Problem('backend_unavailable', 'it does not answer');
    };
    const report = await check(true);
    expect(told(report)).toEqual([`market_unreachable market ${market} found`]);
    expect(report.compared).toMatchObject({ markets: 0 });
    world.market.beforeEach = async () => {};
    await remove(id);
  });
});

describe('what goes on meanwhile', () => {
  it('is not accused: an app that is being published, with the image that it is made of', async () => {
    const { around, reached, release } = holding('publishBytes');
    world.steps.watch(around);
    const { id, op } = await asked();
    await reached;
    world.market.begun.set(await keyOf(id), 1);
    expect(codesOf(await check(true))).toEqual([]);
    release();
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    await remove(id);
  });

  it('is not accused: an app that is removed, or published, while a marketplace is looked at', async () => {
    const leaving = await published();
    let coming = -1;
    let first = true;
    world.market.beforeEach = async (call) => {
      if (call !== 'inventory' || !first) return;
      first = false;
      coming = await published();
    };
    const during: Around = async (step, run) => {
      const result = await run();
      if (step.name === 'lookAtMarkets') await remove(leaving);
      return result;
    };
    expect(await check(true, during)).toMatchObject({ found: 0 });
    expect(await found(coming)).toMatchObject({ state: 'READY' });
    await remove(coming);
  });

  it('wins: an image that is being published once more keeps its name', async () => {
    const id = await published();
    await set(id, { state: 'ERROR', operation: nobody });
    await world.store.images.model.updateOne({ _id: image }, { $set: { state: 'CLONE', apps: [id] } });
    const other = await published();
    const op = (await world.store.operations.lastOf({ type: 'app', id: other }))?._id ?? '';
    const taken: Around = async (step, run) => {
      if (step.name === 'repairFindings') await set(id, { operation: op });
      return run();
    };
    expect(told(await check(true, taken))).toEqual(
      [`app_operation_stale app ${id} gone`, `image_app_stale image ${image} gone`].sort(),
    );
    expect(await world.store.images.find(image)).toMatchObject({ state: 'CLONE', apps: [id] });
    expect(codesOf(await check(true))).toEqual(['app_operation_stale', 'image_app_stale']);
    for (const one of [id, other]) await remove(one);
    expect(await check(false)).toMatchObject({ found: 0 });
  });
});
