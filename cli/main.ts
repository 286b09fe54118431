import { personAt } from './person.js';
import { exitCodeOf, runProgram } from './program.js';
import { screenOf } from './screen.js';
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
