import { createProgram, exitCodeOf } from './program.js';

const out = (text: string): void => {
  if (text !== '') process.stdout.write(`${text}\n`);
};
const err = (text: string): void => {
  if (text !== '') process.stderr.write(`${text}\n`);
};

// `arcus … | head` closes the pipe early: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  await createProgram({ environment: process.env, out, err, now: () => new Date() }).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error, err);
}
