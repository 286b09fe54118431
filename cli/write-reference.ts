import { writeFileSync } from 'node:fs';
import { reference } from './shell/reference.js';

/** Writes the reference of the command line to the file that is named; a test fails when the committed one is stale. */
const [path = 'docs/cli.md'] = process.argv.slice(2);
writeFileSync(path, reference());
console.log(`wrote ${path}`);
