import { networkTemplateVerbs } from './network-template-verbs.js';
import { runOne } from './one-program.js';

process.exitCode = await runOne(
  {
    name: 'onevntemplate',
    summary: 'Manages templates of virtual networks, as OpenNebula’s own command does.',
    verbs: networkTemplateVerbs,
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
