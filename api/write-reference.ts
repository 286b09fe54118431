import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiReference } from './native/reference/api-reference.js';
import { limitsReference } from './native/reference/limits-reference.js';
import { problemReference } from './native/reference/problem-reference.js';

/** Writes the reference of the API into the folder that is named; a test fails when the committed one is stale. */
const [folder = 'docs/reference'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries({
  'api.md': apiReference(),
  'problems.md': problemReference(),
  'limits.md': limitsReference(),
})) {
  writeFileSync(join(folder, name), text);
  console.log(`wrote ${join(folder, name)}`);
}
