import { createProgram, exitCodeOf } from './program.js';
import { terminalOf } from './terminal.js';

const terminal = terminalOf(process.stderr, process.env);
const width = (): number | null => (process.stdout.isTTY === true ? process.stdout.columns || 80 : null);
const out = (text: string): void => {
  terminal?.clear();
  if (text !== '') process.stdout.write(`${text}\n`);
};
const err = (text: string): void => {
  terminal?.clear();
  if (text !== '') process.stderr.write(`${text}\n`);
};

// `arcus … | head` closes the pipe early: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  await createProgram({ environment: process.env, out, err, width, terminal, now: () => new Date() }).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error, err);
}
