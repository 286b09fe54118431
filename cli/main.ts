import { printable } from '../schemas/common/printable.js';
import { personAt } from './identity/person.js';
import { exitCodeOf, runProgram } from './program.js';
import { screenOf } from './shell/screen.js';
import { terminalOf } from './shell/terminal.js';

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

// `arcus … | head` closes the pipe early: that is no error. What is lost otherwise is one, whatever has been done.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  err(`arcus: What there is to tell cannot be written to standard output: ${printable(error.message)}.`);
  process.exit(1);
});
// Where complaints cannot be told either, the exit code is all that is left.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? process.exitCode : process.exitCode || 1);
});

try {
  await runProgram(process.argv.slice(2), {
    environment: process.env,
    out,
    err,
    width,
    terminal,
    screen: screenOf(process.stdout, process.stdin, process.env),
    person: personAt(process.stdin, process.stderr),
    now: () => new Date(),
  });
} catch (error) {
  process.exitCode = exitCodeOf(error, err);
}
