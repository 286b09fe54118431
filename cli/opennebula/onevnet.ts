import { networkVerbs } from './network-verbs.js';
import { runOne } from './one-program.js';

process.exitCode = await runOne(
  { name: 'onevnet', summary: 'Manages virtual networks, as OpenNebula’s own command does.', verbs: networkVerbs },
  process.argv.slice(2),
  {
    environment: process.env,
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    now: () => new Date(),
    ask: null,
  },
);
