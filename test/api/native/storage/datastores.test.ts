import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type Method, type World } from '../../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
});
afterAll(() => world.stop());

const ask = (method: Method, path: string, body?: object) => world.ask('oneadmin', method, path, body);

describe('datastores', () => {
  it('are three in a new home, for everybody to use, and are always there', async () => {
    const { body } = await world.ask('oneadmin', 'get', '/datastores?fields=id,name,type,state');
    expect(body.items).toEqual([
      { id: 0, name: 'system', type: 'system', state: 'READY' },
      { id: 1, name: 'default', type: 'image', state: 'READY' },
      { id: 2, name: 'files', type: 'file', state: 'READY' },
    ]);
    await world.store.datastores.ensureDefaults();
    expect(await world.store.datastores.model.countDocuments()).toBe(3);
    for (const id of [0, 1, 2])
      expect((await ask('delete', `/datastores/${id}`)).body).toMatchObject({ type: '/problems/wrong_state' });
  });

  it('keep what was changed of those that are always there when the next process starts', async () => {
    await ask('patch', '/datastores/1', { name: 'main', limit_mb: 5 });
    await world.store.datastores.ensureDefaults();
    const source = { empty: { size_mb: 3 } };
    await ask('post', '/images', { name: 'three', source });
    expect((await ask('get', '/datastores/1')).body).toMatchObject({ name: 'main', limit_mb: 5, reserved_mb: 3 });
    await ask('patch', '/datastores/1', { name: 'default', limit_mb: null });
  });

  it('are made, disabled, enabled and removed; type and adapter stay', async () => {
    const made = await ask('post', '/datastores', { name: 'fast', type: 'file', ds_mad: 'simulated' });
    expect(made.status).toBe(201);
    const { id } = made.body;
    expect(id).toBeGreaterThanOrEqual(100);
    expect(made.body).toMatchObject({ type: 'file', ds_mad: 'simulated', cluster_ids: [0], capacity: null });
    expect((await ask('patch', `/datastores/${id}`, { type: 'image' })).status).toBe(400);
    expect((await ask('patch', `/datastores/${id}`, { state: 'disabled' })).body.state).toBe('DISABLED');
    expect((await ask('patch', `/datastores/${id}`, { state: 'enabled' })).body.state).toBe('READY');
    expect((await ask('post', '/datastores', { name: 'fast' })).body).toMatchObject({ type: '/problems/name_taken' });
    expect((await ask('delete', `/datastores/${id}`)).status).toBe(204);
    expect((await ask('get', `/datastores/${id}`)).status).toBe(404);
  });

  it('are in clusters that are there, each once, which stay as long as they are', async () => {
    const { body: cluster } = await ask('post', '/clusters', { name: 'edge' });
    const { body: made } = await ask('post', '/datastores', { name: 'near', cluster_ids: [cluster.id, 0, cluster.id] });
    expect(made.cluster_ids).toEqual([0, cluster.id]);
    expect((await ask('patch', `/datastores/${made.id}`, { cluster_ids: [77] })).body).toMatchObject({
      errors: [{ pointer: '/cluster_ids', detail: 'there is no cluster 77' }],
    });
    const refused = await ask('delete', `/clusters/${cluster.id}`);
    expect(refused.body).toMatchObject({ type: '/problems/in_use', detail: expect.stringContaining('1 datastore') });
    expect((await ask('patch', `/datastores/${made.id}`, { cluster_ids: null })).body.cluster_ids).toEqual([0]);
    expect((await ask('delete', `/clusters/${cluster.id}`)).status).toBe(204);
    expect((await ask('delete', `/datastores/${made.id}`)).status).toBe(204);
  });

  it('say what a look has found, and keep it when a later one is not answered', async () => {
    const capacity = { total: 100, used: 40, free: 60 };
    await world.store.datastores.looked(
      [
        { id: 0, capacity },
        { id: 1, error: 'no such directory' },
      ],
      new Date(),
    );
    expect((await ask('get', '/datastores/0')).body).toMatchObject({ capacity, error: null });
    expect((await ask('get', '/datastores/1')).body).toMatchObject({ capacity: null, error: 'no such directory' });
    await world.store.datastores.looked([{ id: 0, error: 'gone' }], new Date());
    expect((await ask('get', '/datastores/0')).body).toMatchObject({ capacity, error: 'gone' });
    expect(await world.store.datastores.toMonitor(1)).toEqual([2]);
  });
});
