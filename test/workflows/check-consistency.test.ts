import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConsistencyCheckResource } from '../../schemas/consistency.js';
import { newWorld, pair, type World } from '../support/world.js';
import { development } from '../support/world-server.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());

async function check(repair: boolean): Promise<ConsistencyCheckResource> {
  const { id } = await world.operations.consistency.start(world.caller, { repair }, { requestId: 'test' });
  expect(await world.ended(id)).toMatchObject({ state: 'succeeded', error: null });
  return world.operations.consistency.show(world.caller, id);
}

describe('a check', () => {
  it('has nothing to say of a cloud that is in order', async () => {
    await world.running(pair);
    expect(await check(false)).toMatchObject({ found: 0, left: 0, compared: { services: 1, vms: 4, hosts: 2, domains: 4, runs: 1 } });
  });

  it('finds a reservation for nobody, and gives it back when it is told to', async () => {
    const hosts = await world.store.hosts.model.find().lean().exec();
    await world.store.hosts.reserve([{ host: hosts[0]?._id ?? -1, vm: 4711, capacity: { cpu: 100, memory: 128 } }]);
    expect(await check(false)).toMatchObject({ found: 1, left: 1, findings: [{ code: 'reservation_orphaned', outcome: 'found' }] });
    expect(await check(true)).toMatchObject({ found: 1, left: 0, findings: [{ outcome: 'repaired' }] });
    expect(await check(false)).toMatchObject({ found: 0 });
    await world.accounted();
  });
});
