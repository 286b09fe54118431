import { afterAll, beforeAll, expect, it } from 'vitest';
import { newWorld, type World } from '../../support/world.js';
import { newImage } from '../../support/world-images.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());

const done = { state: 'succeeded', error: null };

it('of one image two hundred VMs of a role and fifty others are made at once, and leave nothing', async () => {
  const system = await newImage(world, 'system');
  world.inTemplates = { DISK: [{ IMAGE_ID: system }] };
  const [service, ...alone] = await Promise.all([
    world.deploy([{ name: 'web', cardinality: 200, max_vms: 200 }]),
    ...Array.from({ length: 50 }, () => world.createVm()),
  ]);
  for (const { op } of [service, ...alone]) expect(await world.ended(op)).toMatchObject(done);
  const image = await world.store.images.find(system);
  expect(image).toMatchObject({ state: 'USED' });
  expect(new Set(image?.vms).size).toBe(250);
  expect(image?.vms).toHaveLength(250);
  expect(world.storage.disks.in(0)).toHaveLength(250);
  await world.accounted();
  const ends = await Promise.all([world.undeploy(service.id), ...alone.map(({ id }) => world.terminate(id))]);
  for (const { op } of ends) expect(await world.ended(op)).toMatchObject(done);
  expect(await world.store.images.find(system)).toMatchObject({ state: 'READY', vms: [] });
  expect(world.storage.disks.in(0)).toEqual([]);
  await world.accounted();
});
