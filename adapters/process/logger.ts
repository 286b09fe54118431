import { type Logger, pino } from 'pino';
import { printableJson } from '../../schemas/common/printable.js';
import { withoutPasswords } from '../../schemas/common/without-passwords.js';

/**
 * JSON lines on standard output; credentials never reach it, for only method, address and status of a request are logged.
 * A line that cannot be written (the disk is full) waits in memory, up to a megabyte, and ends no process.
 */
export function createLogger(level: string, process: string): Logger {
  const output = pino.destination({ dest: 1, maxLength: 2 ** 20 });
  output.on('error', () => {});
  // Errors of drivers repeat the address that they were given; people read logs on terminals.
  return pino({ level, base: { process } }, { write: (line) => output.write(printableJson(withoutPasswords(line))) });
}
