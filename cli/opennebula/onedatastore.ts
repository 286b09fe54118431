import { runOne } from './one-program.js';
import { datastoreVerbs } from './storage-verbs.js';

process.exitCode = await runOne(
  { name: 'onedatastore', summary: 'Manages datastores, as OpenNebula’s own command does.', verbs: datastoreVerbs },
  process.argv.slice(2),
  {
    environment: process.env,
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    now: () => new Date(),
    ask: null,
  },
);
