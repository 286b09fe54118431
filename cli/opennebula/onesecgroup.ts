import { runOne } from './one-program.js';
import { securityGroupVerbs } from './security-group-verbs.js';

process.exitCode = await runOne(
  {
    name: 'onesecgroup',
    summary: 'Manages security groups, as OpenNebula’s own command does.',
    verbs: securityGroupVerbs,
  },
  process.argv.slice(2),
  {
    environment: process.env,
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    now: () => new Date(),
    ask: null,
  },
);
