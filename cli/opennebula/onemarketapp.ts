import { appVerbs } from './market-verbs.js';
import { runOne } from './one-program.js';

process.exitCode = await runOne(
  { name: 'onemarketapp', summary: 'Manages apps of marketplaces, as OpenNebula’s own command does.', verbs: appVerbs },
  process.argv.slice(2),
  {
    environment: process.env,
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    now: () => new Date(),
    clear: process.stdout.isTTY ? () => void process.stdout.write('\u001B[H\u001B[2J') : undefined,
    ask: null,
  },
);
