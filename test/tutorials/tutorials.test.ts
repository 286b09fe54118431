import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { z } from 'zod';
import { checkout } from '../../adapters/process/checkout.js';
import { homeAt } from '../../runtime/home/home.js';
import { endLeftovers, findLeftovers } from '../../runtime/processes/leftovers.js';
import { eventually } from '../support/processes.js';
import { ensurePrograms } from '../support/programs.js';
import { followPage } from './follow-page.js';
import { openShell, type Shell } from './shell.js';

// The tutorials as a newcomer follows them, on a machine of his own: a home directory with nothing in it, a checkout, two
// terminals. With ARCUS_WRITE_TUTORIALS=1 the pages are given what their commands show now, where they say otherwise.

const pages = [
  'first-service',
  'your-own-template',
  'when-something-fails',
  'sharing-with-a-group',
  'scales-by-itself',
  'an-image-a-network-a-vm',
];
const anew = process.env.ARCUS_WRITE_TUTORIALS === '1';
/** Some pages wait until hosts have told what their VMs use, which takes its time on any machine. */
const patience = 1_200_000;

let home: string;
let shell: Shell;
const others: Shell[] = [];

beforeAll(async () => {
  ensurePrograms('disks');
  home = realpathSync(mkdtempSync(join(tmpdir(), 'arcus-tutorial-')));
  shell = await openShell(checkout, { HOME: home });
});
afterAll(async () => {
  for (const other of others) other.interrupt();
  const arcus = homeAt(join(home, '.arcus'));
  await eventually(() => findLeftovers(arcus).length === 0, 30_000).catch(() => endLeftovers(arcus, () => {}));
  for (const open of [shell, ...others]) await open.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** The server's terminal: any port will do, and the programs come from the cache that the test run has filled. */
async function another(): Promise<Shell> {
  const cache = process.env.ARCUS_CACHE ?? join(homedir(), '.arcus', 'cache');
  const opened = await openShell(checkout, { HOME: home, ARCUS_PORT: '0', ARCUS_CACHE: cache });
  others.push(opened);
  return opened;
}

/** Directories and the port of this machine, as a newcomer has them. */
const inWords = (line: string): string =>
  line
    .replaceAll(checkout, '/home/you/arcus')
    .replaceAll(home, '/home/you')
    .replaceAll(`127.0.0.1:${apiPort()}`, '127.0.0.1:9869');

const Ports = z.object({ api: z.int() });

/** Of the Arcus that a page has started; nothing before. */
function apiPort(): number | null {
  const file = homeAt(join(home, '.arcus')).ports;
  return existsSync(file) ? Ports.parse(JSON.parse(readFileSync(file, 'utf8'))).api : null;
}

describe('the tutorials', () => {
  it.each(pages)(
    '%s: every command shows what the page says',
    async (name) => {
      const file = join(checkout, 'docs', 'tutorials', `${name}.md`);
      const page = readFileSync(file, 'utf8');
      const write = (written: string) => writeFileSync(file, written);
      const options = anew ? { anew: write } : {};
      await followPage(`docs/tutorials/${name}.md`, page, { shell, another, inWords }, options);
    },
    patience,
  );
});
