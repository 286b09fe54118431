import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CatalogueApp } from '../../../domain/market/appliances.js';
import { Problem, problemOf } from '../../../domain/problems.js';
import { unconditional } from '../../../requests/precondition.js';
import type { App } from '../../../schemas/market/app.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development, hosts: 0 });
});
afterAll(() => world.stop());
afterEach(() => {
  world.market.beforeEach = async () => {};
});

const appliance = (upstream: string, over: Partial<CatalogueApp> = {}): CatalogueApp => ({
  ...{ upstream, name: 'ttylinux', description: '', version: '1.0', publisher: 'OpenNebula.org', tags: [] },
  ...{ format: 'qcow2', bytes: 3, md5: null, url: `http://source.test/${upstream}/3`, created_at: null },
  ...{ attributes: {}, vm_template: { CPU: '0.1', MEMORY: '64' } },
  ...over,
});
const apps = (market: number): Promise<App[]> =>
  world.store.apps.model.find({ market_id: market }).sort({ _id: 1 }).lean<App[]>().exec();
const enable = (id: number, state: 'enabled' | 'disabled') =>
  world.operations.marketplaces.update(world.caller, id, {
    revise: (present) => ({ wish: { ...present, state }, named: new Set(['state']) }),
    precondition: unconditional,
  });
const refused = (act: Promise<unknown>) =>
  act.then(
    () => null,
    (error: unknown) => problemOf(error)?.code ?? String(error),
  );

describe('OpenNebula Public', () => {
  it('is there in a new home, and nothing is asked of it before it is enabled', async () => {
    let asked = 0;
    world.market.beforeEach = async () => {
      asked += 1;
    };
    await world.tick('monitorMarketplaces');
    expect(asked).toBe(0);
    expect(await world.store.marketplaces.find(0)).toMatchObject({
      ...{ name: 'OpenNebula Public', market_mad: 'one', state: 'DISABLED', monitored_at: null },
    });
    await enable(0, 'enabled');
    await world.tick('monitorMarketplaces');
    expect(asked).toBeGreaterThan(0);
  });

  it('has the apps of its catalogue, by their ids there: two of one name are two, and are everybody’s to use', async () => {
    world.market.catalogue = [appliance('a'), appliance('b')];
    await world.tick('monitorMarketplaces');
    const found = await apps(0);
    expect(found).toMatchObject(
      ['a', 'b'].map((upstream) => ({
        ...{ upstream, name: 'ttylinux', state: 'READY', origin_id: -1, uid: 0, type: 'IMAGE' },
        permissions: { other: { use: true, manage: false } },
      })),
    );
    await world.tick('monitorMarketplaces');
    expect((await apps(0)).map(({ _id }) => _id)).toEqual(found.map(({ _id }) => _id));
  });

  it('follows what is changed, keeps what people have disabled, and forgets what is gone', async () => {
    const [first] = await apps(0);
    const id = first?._id ?? -1;
    await world.operations.apps.update(world.caller, id, {
      revise: (present) => ({ wish: { ...present, state: 'disabled' }, named: new Set(['state']) }),
      precondition: unconditional,
    });
    world.market.catalogue = [appliance('a', { version: '2.0', name: 'ttylinux 2' })];
    await world.tick('monitorMarketplaces');
    expect(await apps(0)).toMatchObject([{ _id: id, version: '2.0', name: 'ttylinux 2', state: 'DISABLED' }]);
    world.market.catalogue = [];
    await world.tick('monitorMarketplaces');
    expect(await apps(0)).toEqual([]);
  });

  it('keeps what it has when it does not answer, and says so quietly', async () => {
    world.market.catalogue = [appliance('c')];
    await world.tick('monitorMarketplaces');
    world.market.beforeEach = async (call) => {
      if (call === 'catalogue') throw new Problem('backend_unavailable', 'The server does not answer.');
    };
    await world.tick('monitorMarketplaces');
    expect(await world.store.marketplaces.find(0)).toMatchObject({ error: 'The server does not answer.' });
    expect(await apps(0)).toHaveLength(1);
  });

  it('gives its apps, of which images are made with their VM templates; nothing else is done to them', async () => {
    const [app] = await apps(0);
    const id = app?._id ?? -1;
    const admission = { requestId: 'test' };
    const accepted = await world.operations.apps.export(world.caller, id, { name: 'tty' }, admission);
    expect(await world.ended(accepted.id)).toMatchObject({ state: 'succeeded' });
    expect(await world.store.images.find(accepted.resource.id)).toMatchObject({ state: 'READY', origin: { app: id } });
    expect(await world.store.vmTemplates.find(accepted.vm_template_id ?? -1)).toMatchObject({
      template: { CPU: 0.1, MEMORY: 64, DISK: [{ IMAGE_ID: accepted.resource.id }] },
    });
    expect(await refused(world.operations.apps.remove(world.caller, id, admission))).toBe('wrong_state');
  });
});

describe('marketplaces', () => {
  it('are asked how much room they have, each for itself, and keep what they said', async () => {
    const http = { base_url: 'http://market.test', public_dir: '/srv/market' };
    const wish = { description: '', market_mad: 'http' as const, http };
    const { id } = await world.operations.marketplaces.create(world.caller, { ...wish, name: 'one' });
    await world.tick('monitorMarketplaces');
    expect(await world.store.marketplaces.find(id)).toMatchObject({
      capacity: { total: 1_000, free: 990 },
      error: null,
    });
    world.market.beforeEach = async (call) => {
      if (call === 'capacity') throw new Problem('backend_unavailable', 'it is gone');
    };
    await world.tick('monitorMarketplaces');
    expect(await world.store.marketplaces.find(id)).toMatchObject({ capacity: { total: 1_000 }, error: 'it is gone' });
    await world.operations.marketplaces.remove(world.caller, id, unconditional);
  });

  it('of a catalogue go with its apps, but for the one that is always there', async () => {
    const wish = { name: 'partner', description: '', market_mad: 'one' as const };
    const { id } = await world.operations.marketplaces.create(world.caller, wish);
    world.market.catalogue = [appliance('x'), appliance('y')];
    await world.tick('monitorMarketplaces');
    expect(await apps(id)).toHaveLength(2);
    await world.operations.marketplaces.remove(world.caller, id, unconditional);
    expect(await apps(id)).toEqual([]);
    expect(await refused(world.operations.marketplaces.remove(world.caller, 0, unconditional))).toBe('wrong_state');
  });

  it('say where they are as one of their kind, and nothing else', async () => {
    const http = { base_url: 'http://market.test', public_dir: '/srv/market' };
    const base = { name: 'wrong', description: '' };
    for (const wish of [
      { ...base, market_mad: 's3' as const },
      { ...base, market_mad: 'http' as const, http, one: { endpoint: null } },
      { ...base, market_mad: 'http' as const, http: { ...http, public_dir: '/srv/../etc' } },
    ])
      expect(await refused(world.operations.marketplaces.create(world.caller, wish))).toBe('invalid_request');
  });
});
