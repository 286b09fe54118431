import { endProcess, readChildren } from './children.js';

// Started with a pipe as standard input, by the process whose children it guards. The pipe closes when that process ends,
// even by SIGKILL; whatever is written down then is left over, and is ended in the reverse of the order it was started.
const file = process.argv[2];
if (file === undefined) throw new Error('the guardian needs the file of children');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.stdin.on('error', () => {});
for await (const _ of process.stdin);
for (const child of readChildren(file).reverse()) await endProcess(child, 8_000);
process.exit(0);
