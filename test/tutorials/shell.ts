import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { eventually } from '../support/processes.js';

type Seen = (lines: readonly string[]) => boolean;

/** A bash on a terminal of its own, into which commands are typed one after the other. */
export type Shell = {
  /**
   * Runs a command to its end, typing `typed` at its questions, and Ctrl-C once what it shows is what `interruptAt` waits
   * for. What it has shown, as it stands on the screen.
   */
  run: (command: string, typed?: readonly string[], interruptAt?: Seen) => Promise<{ lines: string[]; code: number }>;
  /** Starts one that stays, and resolves when `isUp` says so of what it shows. */
  start: (command: string, isUp: Seen) => Promise<string[]>;
  /** Ctrl-C. */
  interrupt: () => void;
  close: () => Promise<void>;
};

/** Milliseconds that one command may take. */
const patience = 300_000;
const columns = 100;
/** Printed before each prompt, with the exit code of the command before it: no text that a command shows has such signs. */
const [begin, end] = ['\u001E', '\u001F'];

export async function openShell(directory: string, environment: Record<string, string>): Promise<Shell> {
  const bash = `stty cols ${columns} rows 50 -echo; exec bash --noprofile --norc --noediting -i`;
  const child = spawn('script', ['-qefc', bash, '/dev/null'], {
    cwd: directory,
    env: {
      ...{ TERM: 'xterm-256color', LANG: 'C.UTF-8', SHELL: '/bin/sh', PATH: process.env.PATH ?? '' },
      ...{ PS1: '', PS2: '', PROMPT_COMMAND: `printf '\\036%d\\037' $?`, HISTFILE: '/dev/null', ...environment },
    },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise((resolve) => child.on('close', resolve));
  const prompt = new RegExp(`${begin}(\\d+)${end}`);
  const atPrompt = (): RegExpExecArray | null => prompt.exec(text);
  const give = (command: string): void => {
    text = '';
    child.stdin.write(`${command}\n`);
  };
  await eventually(atPrompt, patience);
  return {
    run: async (command, typed = [], interruptAt = () => false) => {
      give(command);
      const left = [...typed];
      let answered = 0;
      let interrupted = false;
      const prompted = await eventually(() => {
        if (left.length > 0 && /(: |\] )$/.test(text.slice(answered))) {
          answered = text.length;
          child.stdin.write(`${left.shift()}\r`);
        }
        if (!interrupted && interruptAt(screenOf(text))) {
          interrupted = true;
          child.stdin.write('\u0003');
        }
        return atPrompt();
      }, patience).catch(() => {
        throw new Error(`${command} has not ended within ${patience / 1000} s: ${screenOf(text).join('\n')}`);
      });
      return { lines: screenOf(text.slice(0, prompted.index)), code: Number(prompted[1]) };
    },
    start: async (command, isUp) => {
      give(command);
      await eventually(() => isUp(screenOf(text)), patience).catch(() => {
        throw new Error(`${command} does not show what it should: ${screenOf(text).join('\n')}`);
      });
      return screenOf(text);
    },
    interrupt: () => child.stdin.write('\u0003'),
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The line is taken back. */
const wipe = '\u001B[2K';

/** What stands on the screen after all this was sent. */
function screenOf(sent: string): string[] {
  const lines = sent.split('\n').map((line) => {
    const left = line.replace(/\r+$/, '').split(wipe).at(-1) ?? '';
    return stripVTControlCharacters(left.split('\r').at(-1) ?? '').trimEnd();
  });
  while (lines.at(-1) === '') lines.pop();
  return lines;
}
