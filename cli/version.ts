import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { checkout } from '../runtime/checkout.js';

/** The version of this program: that of the package. */
export const version = (): string =>
  z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'))).version;
