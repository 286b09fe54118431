import { parseArgs } from 'node:util';
import { run } from './run.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    directory: { type: 'string', default: '.' },
    'log-level': { type: 'string', default: process.env.ARCUS_LOG_LEVEL ?? 'info' },
  },
});
await run({
  port: Number(values.port),
  directory: values.directory,
  logLevel: values['log-level'],
  boot: undefined,
});
