import { join } from 'node:path';
import { Children } from '../../runtime/processes/children.js';

// Started as a process: owns two children that heed SIGTERM and one that does not, prints their pids, and waits to be killed.
const [, , directory = ''] = process.argv;
const children = new Children(join(directory, 'children.json'));
const log = join(directory, 'log');
const pids = ['sleep 600', 'sleep 600 & wait', "trap '' TERM; while :; do sleep 1; done"].map(
  (script, index) => children.start({ name: `child ${index}`, command: 'sh', args: ['-c', script], log }).pid,
);
process.stdout.write(`${JSON.stringify(pids)}\n`);
setInterval(() => {}, 1_000);
