import { mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withOwnFile, withText } from '../../adapters/process/own-files.js';

// Started as a process, to be killed: has a file of secrets and says where, or, asked to `end`, has had one, and finds what one of its number has left.
const [, , way] = process.argv;
if (way === 'end') mkdirSync(join(tmpdir(), `arcus-libvirt-${process.pid}-left`));
await withText('secret', async (file) => {
  process.stdout.write(`${file} ${((await stat(file)).mode & 0o777).toString(8)}\n`);
  if (way !== 'end') await withOwnFile('other', () => new Promise((resolve) => setTimeout(resolve, 3_600_000)));
});
