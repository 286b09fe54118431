import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { version } from '../adapters/process/checkout.js';
import { openApiDocument } from './native/openapi.js';

/** Writes the OpenAPI document to the file that is named; a test fails when the committed one is stale. */
const [path = 'docs/api/openapi.json'] = process.argv.slice(2);
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, `${JSON.stringify(openApiDocument(version()), null, 2)}\n`);
console.log(`wrote ${path}`);
