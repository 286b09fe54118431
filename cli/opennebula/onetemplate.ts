import { runOne } from './one-program.js';
import { templateVerbs } from './template-verbs.js';

process.exitCode = await runOne(
  { name: 'onetemplate', summary: 'Manages VM templates, as OpenNebula’s own command does.', verbs: templateVerbs },
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
