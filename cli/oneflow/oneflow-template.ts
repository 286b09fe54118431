import { runFlow } from './flow-program.js';

process.exitCode = await runFlow('oneflow-template', process.argv.slice(2), {
  environment: process.env,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  now: () => new Date(),
  ...(process.stdout.isTTY && { clear: () => void process.stdout.write('\u001B[H\u001B[2J') }),
});
