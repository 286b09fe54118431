import { pino } from 'pino';
import { printableJson, printableLines } from '../schemas/common/printable.js';
import type { Span } from '../schemas/hosts/simulator.js';
import { givenToken } from './given-token.js';
import { serve } from './serve.js';

export type RunOptions = {
  port: number;
  listen: string;
  directory: string;
  logLevel: string;
  /** Boot time from now on; absent: as before. */
  boot: Span | undefined;
};

/** Serves until SIGTERM or SIGINT, then drains; a second signal ends it at once. What prevents the start is one sentence and exit code 1. */
export async function run({ port, listen, directory, logLevel, boot }: RunOptions): Promise<void> {
  const output = pino.destination(1);
  const log = pino({ name: 'arcus-sim', level: logLevel }, { write: (line) => output.write(printableJson(line)) });
  try {
    const server = await serve({ port, listen, directory, token: givenToken(process.env), boot, log });
    let stopping = false;
    const stop = (): void => {
      if (stopping) process.exit(1);
      stopping = true;
      server.stop().then(
        () => process.exit(0),
        (err: unknown) => {
          log.error({ err }, 'the simulator did not stop in order');
          process.exit(1);
        },
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  } catch (error) {
    process.stderr.write(`arcus-sim: ${printableLines(sentenceOf(error, port, directory))}\n`);
    process.exitCode = 1;
  }
}

function sentenceOf(error: unknown, port: number, directory: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `Port ${port} is in use: choose another with --port, or 0 for a free one.`;
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return `${directory} cannot be written.`;
  if (code === 'ENOENT') return `${directory} cannot be made: its file system takes no directories.`;
  if (code === 'ENOTDIR' || code === 'EEXIST') return `${directory} is not a directory.`;
  return error instanceof Error ? error.message : String(error);
}
