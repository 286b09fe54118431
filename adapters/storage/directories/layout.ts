import { join } from 'node:path';
import type { StoredImage } from '../port.js';

/** Where everything of a datastore lies: `<base>/<id>/…`. Directories are the owner's alone, and so are files. */
export const modes = { directory: 0o700, file: 0o600 } as const;

export const datastoreRoot = (base: string, id: number): string => join(base, String(id));

/** Names in a datastore's directory. `gone`: what is being removed, out of the way first, in one go. */
export const shelves = { images: 'images', staging: 'staging', gone: 'gone' } as const;

/** Of one image. `kept` appears whole, by being renamed, and goes whole. */
export function layoutOf(base: string, image: StoredImage): { kept: string; staging: string; gone: string } {
  const root = datastoreRoot(base, image.datastore.id);
  return {
    kept: join(root, shelves.images, String(image.id)),
    staging: join(root, shelves.staging, String(image.id)),
    gone: join(root, shelves.gone),
  };
}

/** In the directory of a kept image: its bytes, and what `KeptRecord` says of them. */
export const keptNames = { disk: 'disk', record: 'kept.json' } as const;

/** In the directory of a simulated datastore: what it is told to be like. */
export const simulationFile = 'simulation.json';
