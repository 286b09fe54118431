import type { ReadStream } from 'node:tty';
import { printableLines } from '../../schemas/common/printable.js';
import { Interrupted } from '../shell/complaint.js';

/** Somebody at a terminal, who can be asked. */
export type Person = {
  /** The line that is typed. */
  ask: (question: string) => Promise<string>;
  /** The same, without showing it. */
  askSecretly: (question: string) => Promise<string>;
};

/** Whoever sits at these streams; null where nobody does. What is asked goes to standard error: it is no data. */
export function personAt(input: ReadStream | NodeJS.ReadStream, output: NodeJS.WriteStream): Person | null {
  if (input.isTTY !== true || output.isTTY !== true) return null;
  const ask = (question: string, secretly: boolean): Promise<string> =>
    typedLine(input, question, (text) => output.write(text), secretly);
  return { ask: (question) => ask(question, false), askSecretly: (question) => ask(question, true) };
}

const [interrupt, endOfText, backspace, eraseLine, erase] = ['\u0003', '\u0004', '\b', '\u0015', '\u007F'];

/**
 * Reads a line in raw mode: the terminal's own line editing would echo it. The question comes after that: whoever answers
 * it at once, or pastes, would else see a secret on the screen.
 */
function typedLine(
  input: ReadStream | NodeJS.ReadStream,
  question: string,
  show: (text: string) => void,
  secretly: boolean,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let line: string[] = [];
    const end = (then: () => void): void => {
      input.off('data', read);
      input.setRawMode(false);
      input.pause();
      show('\n');
      then();
    };
    const echo = (text: string): void => {
      if (!secretly) show(text);
    };
    const read = (chunk: Buffer | string): void => {
      for (const key of chunk.toString()) press(key);
    };
    const press = (key: string): void => {
      if (key === '\r' || key === '\n') end(() => resolve(line.join('')));
      else if (key === interrupt || (key === endOfText && line.length === 0)) end(() => reject(new Interrupted()));
      else if (key === eraseLine) {
        echo('\b \b'.repeat(line.length));
        line = [];
      } else if (key === erase || key === backspace) {
        if (line.pop() !== undefined) echo('\b \b');
      } else if (key >= ' ') {
        line.push(key);
        echo(key);
      }
    };
    input.setRawMode(true);
    input.on('data', read);
    input.resume();
    show(printableLines(question));
  });
}
