import { endProcess, readChildren } from './children.js';

// Started with a pipe as standard input, by the process whose children it guards. The pipe closes when that process ends,
// even by SIGKILL; whatever is written down then is left over, and is ended in the reverse of the order it was started. The owner is checked: the next one may be writing the file already.
const [, , file, owner] = process.argv;
if (file === undefined || owner === undefined)
  throw new Error('the guardian needs the file of children and their owner');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.stdin.on('error', () => {});
for await (const _ of process.stdin);
for (const child of readChildren(file, owner).reverse()) await endProcess(child, 8_000);
process.exit(0);
