import { personAt } from '../identity/person.js';
import { runOne } from './one-program.js';
import { vmVerbs } from './vm-verbs.js';

process.exitCode = await runOne(
  { name: 'onevm', summary: 'Manages virtual machines, as OpenNebula’s own command does.', verbs: vmVerbs },
  process.argv.slice(2),
  {
    environment: process.env,
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    now: () => new Date(),
    clear: process.stdout.isTTY ? () => void process.stdout.write('\u001B[H\u001B[2J') : undefined,
    ask: personAt(process.stdin, process.stderr)?.ask ?? null,
  },
);
