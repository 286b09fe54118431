import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

function above(directory: string): string {
  if (existsSync(join(directory, 'package.json')) || dirname(directory) === directory) return directory;
  return above(dirname(directory));
}

/** The directory of package.json: the same from a source file and from its compiled twin. */
export const checkout = above(dirname(fileURLToPath(import.meta.url)));

/** Path of a compiled module, such as `built('worker/main.js')`. */
export const built = (path: string): string => join(checkout, 'dist', path);

/** The version of Arcus: that of the package. */
export const version = (): string =>
  z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'))).version;
