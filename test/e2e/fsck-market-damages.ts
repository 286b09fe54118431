import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FindingCode } from '../../schemas/consistency/consistency.js';
import type { Damage, Done, Place } from './fsck-damages.js';

const nobody = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';
const damage = (code: FindingCode, bringAbout: Damage['bringAbout']): Damage => ({ code, bringAbout });

/** A marketplace of its own, and the directory that it is in. */
async function ownMarket({ cluster, datastores }: Place): Promise<{ market: number; directory: string }> {
  mkdirSync(join(datastores, 'markets'), { recursive: true });
  const directory = mkdtempSync(join(datastores, 'markets', 'of-'));
  const http = { base_url: 'http://127.0.0.1:9/apps', public_dir: directory };
  const market = await cluster.client.make('/marketplaces', { name: crypto.randomUUID(), market_mad: 'http', http });
  return { market, directory };
}

/** An app of its own, in a marketplace of its own. */
async function ownApp(place: Place): Promise<{ id: number; image: number; directory: string; key: string }> {
  const { cluster } = place;
  const { market, directory } = await ownMarket(place);
  const wish = { name: crypto.randomUUID(), type: 'DATABLOCK', source: { empty: { size_mb: 1 } } };
  const made = await cluster.client.accepted('POST', '/images', wish);
  await cluster.client.awaitOperation(made.id, 'succeeded');
  const image = made.resource.id;
  const app = { name: crypto.randomUUID(), market_id: market, image_id: image };
  const { id: op, resource } = await cluster.client.accepted('POST', '/marketplace-apps', app);
  await cluster.client.awaitOperation(op, 'succeeded');
  const key = (await cluster.store.apps.find(resource.id))?.parts[0]?.key ?? '';
  return { id: resource.id, image, directory, key };
}
async function onApp(place: Place, set: Record<string, unknown>): Promise<Done> {
  const { id } = await ownApp(place);
  await place.cluster.store.apps.model.updateOne({ _id: id }, { $set: set });
  return { resource: { type: 'app', id } };
}

/** A way to bring about each thing that a check can find of marketplaces and apps. */
export const marketDamages: readonly Damage[] = [
  damage('app_abandoned', (place) => onApp(place, { state: 'LOCKED' })),
  damage('app_operation_stale', (place) => onApp(place, { operation: nobody })),
  damage('app_wanted_stale', (place) => onApp(place, { wanted: nobody })),
  damage('app_export_stale', (place) => onApp(place, { exports: [nobody] })),
  damage('app_without_bytes', async (place) => {
    const { id, directory, key } = await ownApp(place);
    const [there, away] = [join(directory, key), join(directory, 'away')];
    renameSync(there, away);
    return { resource: { type: 'app', id }, mend: async () => renameSync(away, there) };
  }),
  damage('app_bytes_orphaned', async (place) => {
    const { market, directory } = await ownMarket(place);
    const file = join(directory, `marketapp-4711-${'0'.repeat(32)}`);
    writeFileSync(file, 'something');
    return { resource: { type: 'market', id: market }, mend: async () => rmSync(file) };
  }),
  damage('market_unreachable', async (place) => {
    const { market, directory } = await ownMarket(place);
    rmSync(directory, { recursive: true });
    return { resource: { type: 'market', id: market }, mend: async () => mkdirSync(directory) };
  }),
  damage('image_app_stale', async (place) => {
    const { id, image } = await ownApp(place);
    await place.cluster.store.images.model.updateOne({ _id: image }, { $set: { state: 'CLONE', apps: [id] } });
    return { resource: { type: 'image', id: image } };
  }),
];
