import { z } from 'zod';
import type { Store } from '../../store/store.js';
import { made } from './made-kinds.js';

const Made = z.object({ id: z.int() });
const Accepted = z.object({ resource: z.object({ id: z.int() }) });
type Make = (path: string, body: object) => Promise<unknown>;

/** An app that is READY, of an image and a marketplace of its own, made by whoever `make` asks as: nobody works at it. */
export async function publishedApp(make: Make, store: Store, name: string): Promise<number> {
  const market_id = Made.parse(await make('/marketplaces', made.market.body(`${name} market`, 0))).id;
  const image = Accepted.parse(await make('/images', { name: `${name} image`, source: { empty: { size_mb: 1 } } }));
  const image_id = image.resource.id;
  await store.images.model.updateOne({ _id: image_id }, { $set: { state: 'READY', operation: null } });
  const { id } = Accepted.parse(await make('/marketplace-apps', { name, market_id, image_id })).resource;
  await store.images.model.updateOne({ _id: image_id }, { $set: { state: 'READY', apps: [] } });
  await store.apps.model.updateOne({ _id: id }, { $set: { state: 'READY', 'parts.0.bytes': 3, operation: null } });
  return id;
}
