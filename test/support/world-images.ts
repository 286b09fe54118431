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
