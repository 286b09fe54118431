import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Manifest = z.object({ name: z.literal('arcus'), version: z.string() });

/** The version in the package's manifest, which lies above this file, built or not. */
export function readVersion(): string {
  for (const place of ['../../package.json', '../../../package.json']) {
    try {
      return Manifest.parse(JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'))).version;
    } catch {
      // Not here: the build lies one level deeper than the sources.
    }
  }
  throw new Error('the manifest package.json of Arcus is missing');
}
