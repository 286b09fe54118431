import type { ReadStream, WriteStream } from 'node:tty';
import { printableLines } from '../../schemas/common/printable.js';

/** A terminal as a whole, for what is drawn anew every few seconds. */
export type Screen = {
  rows: () => number;
  /** Takes the screen, beside what is on it. `key` is called with each key that is pressed, where there are keys. */
  open: (key?: (pressed: string) => void) => void;
  /** Draws a text from the first line, in place of what was there; what is too long or too wide is cut. */
  draw: (text: string) => void;
  /** Gives the screen back as it was. */
  close: () => void;
};

type Output = WriteStream | NodeJS.WriteStream;
type Input = ReadStream | NodeJS.ReadStream;

/** The other screen of the terminal, no cursor, no wrapping of lines: the terminal itself cuts what is too wide. */
const take = '\u001B[?1049h\u001B[?25l\u001B[?7l';
const giveBack = '\u001B[?7h\u001B[?25h\u001B[?1049l';

/** The screen behind two streams; null where there is none, or one that cannot be drawn over. */
export function screenOf(
  output: Output,
  input: Input,
  environment: Readonly<Record<string, string | undefined>>,
): Screen | null {
  if (output.isTTY !== true || environment.TERM === 'dumb') return null;
  const rows = (): number => output.rows || 24;
  let leave: (() => void) | null = null;
  return {
    rows,
    open: (key) => {
      output.write(take);
      const release = key && input.isTTY === true ? keysOf(input, key) : () => {};
      // Whatever ends the program must not leave people on the other screen, without a cursor.
      const restore = (): void => {
        process.off('exit', restore);
        release();
        output.write(giveBack);
      };
      process.once('exit', restore);
      leave = restore;
    },
    draw: (text) => {
      const lines = printableLines(text).split('\n');
      const shown =
        lines.length <= rows() ? lines : [...lines.slice(0, rows() - 1), `… ${lines.length - rows() + 1} more`];
      output.write(`\u001B[H${shown.map((line) => `${line}\u001B[K`).join('\r\n')}\u001B[J`);
    },
    close: () => {
      leave?.();
      leave = null;
    },
  };
}

/** Keys as they are pressed, without an echo. Returns what ends it. */
function keysOf(input: Input, key: (pressed: string) => void): () => void {
  const read = (chunk: Buffer | string): void => {
    for (const pressed of chunk.toString()) key(pressed);
  };
  input.setRawMode(true);
  input.on('data', read);
  input.resume();
  return () => {
    input.off('data', read);
    input.setRawMode(false);
    input.pause();
  };
}
