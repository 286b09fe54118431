import { expect } from 'vitest';
import { CreateImage } from '../../schemas/storage/image.js';
import type { World } from './world.js';

/** An empty image of 16 MB that is READY; returns its id. */
export async function newImage(world: World, name: string, over: object = {}): Promise<number> {
  const wish = CreateImage.parse({ name, source: { empty: { size_mb: 16 } }, ...over });
  const { id: op, resource } = await world.operations.images.create(world.caller, wish, { requestId: 'test' });
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  return Number(resource.id);
}

/** A datastore for images that lies elsewhere than that of VMs; returns its id. Nobody is there to be asked: the storage of a world is in memory. */
export async function datastoreElsewhere({ store }: World): Promise<number> {
  const id = await store.counters.one('datastore');
  const found = await store.datastores.model.findById(1).lean().exec();
  await store.datastores.model.create({ ...found, _id: id, name: `elsewhere ${id}`, ds_mad: 's3' });
  return id;
}
