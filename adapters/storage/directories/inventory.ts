import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatastoreTarget, Inventory } from '../port.js';
import { allocatedAt } from './kept.js';
import { datastoreRoot, shelves, simulationFile } from './layout.js';
import { namesIn } from './pieces.js';

/** Everything below a datastore's directory. What is no name of ours is told of, and never touched. */
export async function inventoryOf(base: string, { id }: DatastoreTarget): Promise<Inventory> {
  const root = datastoreRoot(base, id);
  const known: readonly string[] = Object.values(shelves);
  const strange = (await namesIn(root)).filter((name) => !known.includes(name) && name !== simulationFile);
  const on = async (shelf: string, idOf: (name: string) => string): Promise<{ id: number; bytes: number }[]> => {
    const found = [];
    for (const name of await namesIn(join(root, shelf))) {
      const text = idOf(name);
      if (/^\d{1,15}$/.test(text)) found.push({ id: Number(text), bytes: await below(join(root, shelf, name)) });
      else strange.push(`${shelf}/${name}`);
    }
    return found.sort((one, other) => one.id - other.id);
  };
  const images = await on(shelves.images, (name) => name);
  const arriving = await on(shelves.staging, (name) => name);
  const leaving = await on(shelves.gone, (name) => name.split('.')[0] ?? name);
  const staging = [...arriving, ...leaving].map(({ id: image, bytes }) => ({ image, bytes }));
  return { images, staging, disks: [], strange: strange.sort() };
}

async function below(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) => allocatedAt(join(entry.parentPath, entry.name)));
  return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
}
