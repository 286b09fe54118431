import { runOne } from './one-program.js';
import { imageVerbs } from './storage-verbs.js';

process.exitCode = await runOne(
  { name: 'oneimage', summary: 'Manages images, as OpenNebula’s own command does.', verbs: imageVerbs },
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
