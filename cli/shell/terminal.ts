import type { WriteStream } from 'node:tty';
import { printableLines } from '../../schemas/common/printable.js';
import { clipped } from './output.js';

/** One line at the foot of a terminal that is drawn over again; what is printed for good goes above it. */
export type Terminal = {
  /** Columns of it, read anew: people change the size of their windows. */
  width: () => number;
  /** Draws the line, in place of the one before. */
  draw: (text: string) => void;
  /** Takes the line away, before something is printed for good. */
  clear: () => void;
};

const wipe = '\r\u001B[2K';

/** The terminal behind a stream; null where there is none, or one that cannot go back in a line. */
export function terminalOf(
  stream: WriteStream | NodeJS.WriteStream,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal | null {
  if (stream.isTTY !== true || environment.TERM === 'dumb') return null;
  const width = (): number => stream.columns || 80;
  let drawn: string | null = null;
  return {
    width,
    draw: (text) => {
      // A line that was wrapped could not be drawn over.
      const line = clipped(printableLines(text), width() - 1);
      if (line === drawn) return;
      stream.write(`${wipe}${line}`);
      drawn = line;
    },
    clear: () => {
      if (drawn !== null) stream.write(wipe);
      drawn = null;
    },
  };
}
