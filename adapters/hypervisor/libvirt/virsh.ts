import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { Problem } from '../../../domain/problems.js';
import { limits } from '../../../schemas/common/limits.js';
import { lineOf } from './virsh-words.js';

/** What virsh said of one command. `refusal`: what it complained of; null: it has done it. */
export type Said = { text: string; refusal: string | null };

/** One connection to one libvirt. */
export type Virsh = {
  /** Short commands, one after another, in one process that is kept: a connection over ssh is made once. */
  ask(words: readonly string[], signal: AbortSignal): Promise<Said>;
  /** A command that takes its time, in a process of its own, which ends when the signal aborts. */
  work(words: readonly string[], signal: AbortSignal): Promise<Said>;
  /** Ends the kept process; the next question begins another. */
  close(): void;
};

/** In milliseconds: how long a short command may take, and how long a kept process stays that nobody asks anything. */
const patience = 30_000;
const idle = 60_000;

/** virsh’s own, before each command. */
const prompt = 'virsh # ';

/** No colours, no lines edited by what a terminal can do, no words in another language; ssh has its agent. */
const environment = (): NodeJS.ProcessEnv => {
  const { PATH, HOME, SSH_AUTH_SOCK } = process.env;
  return { PATH, HOME, TERM: 'dumb', LC_ALL: 'C.UTF-8', ...(SSH_AUTH_SOCK && { SSH_AUTH_SOCK }) };
};

/** Five seconds without a sign, three times: the other side is gone. */
const connecting = (uri: string): string[] => [
  '--connect',
  uri,
  '--quiet',
  '--keepalive-interval',
  '5',
  '--keepalive-count',
  '3',
];

export function virshAt(uri: string, name: string): Virsh {
  let kept: Kept | undefined;
  let before: Promise<unknown> = Promise.resolve();

  const asked = async (words: readonly string[], signal: AbortSignal): Promise<Said> => {
    signal.throwIfAborted();
    if (kept === undefined || kept.isGone) kept = new Kept(uri, name);
    return kept.ask(words);
  };
  return {
    ask(words, signal) {
      const turn = before.then(() => asked(words, signal));
      before = turn.catch(() => {});
      return untilAborted(turn, signal);
    },
    async work(words, signal) {
      signal.throwIfAborted();
      const { code, exitCode, stdout, stderr } = await execa('virsh', [...connecting(uri), ...words], {
        ...{ env: environment(), extendEnv: false, reject: false, cancelSignal: AbortSignal.any([signal]) },
        ...{ forceKillAfterDelay: 2_000, maxBuffer: limits.backendAnswer.most, stdin: 'ignore' },
      });
      signal.throwIfAborted();
      if (code === 'ENOENT') throw missing();
      if (exitCode !== 0 && isUnreachable(stderr)) throw unreachable(name, complaint(stderr));
      return { text: stdout, refusal: exitCode === 0 ? null : complaint(stderr) };
    },
    close() {
      kept?.end();
      kept = undefined;
    },
  };
}

const missing = (): Problem =>
  new Problem(
    'backend_unavailable',
    'virsh is not installed on this machine. On Debian: apt-get install libvirt-clients.',
  );

/** A question that is given up goes on: the process answers it before it hears the next. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** What it complains of, without its own "error: ". */
const complaint = (stderr: string): string =>
  stderr
    .split('\n')
    .map((line) => line.replace(/^error: /, '').trim())
    // It has lost its connection before, and has it again: no matter of this command.
    .filter((line) => line !== '' && line !== reconnected)
    .join('; ') || 'it does not say why';

const reconnected = 'Reconnected to the hypervisor';

/** virsh's own shell: it is written a command and two words that nobody else says, and has answered when it has said them on both its ways out. */
class Kept {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  #out = '';
  #err = '';
  #waiting: { isDone: () => boolean; resolve: () => void; reject: (error: Error) => void } | undefined;
  #gone: Error | undefined;
  #rest: NodeJS.Timeout | undefined;

  constructor(uri: string, name: string) {
    this.#name = name;
    this.#child = spawn('virsh', connecting(uri), { env: environment(), stdio: 'pipe' });
    const { stdout, stderr, stdin } = this.#child;
    stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
      this.#hear();
    });
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text;
      this.#hear();
    });
    stdin.on('error', () => {});
    this.#child.once('error', (error) => this.#lost('code' in error && error.code === 'ENOENT' ? missing() : error));
    this.#child.once('close', () => this.#lost(this.#unreachable(complaint(this.#err))));
    // It holds up nobody who wants to end.
    this.#child.unref();
  }

  get isGone(): boolean {
    return this.#gone !== undefined;
  }

  /** Throws where it is lost, and is of no use any more. */
  async ask(words: readonly string[]): Promise<Said> {
    const line = lineOf(words);
    if (this.#gone) throw this.#gone;
    clearTimeout(this.#rest);
    const nonce = randomBytes(9).toString('hex');
    const [begin, end] = [`begin ${nonce}`, `end ${nonce}`];
    [this.#out, this.#err] = ['', ''];
    const late = setTimeout(() => this.#lost(this.#unreachable('it has not answered for 30 s')), patience);
    try {
      await new Promise<void>((resolve, reject) => {
        const isDone = () => this.#out.includes(end) && this.#err.includes(end);
        this.#waiting = { isDone, resolve, reject };
        const [before, after] = [lineOf(['echo', 'begin', nonce]), lineOf(['echo', 'end', nonce])];
        this.#child.stdin.write(`${before}\n${line}\n${after}\n${lineOf(['echo', '--err', 'end', nonce])}\n`);
      });
    } finally {
      clearTimeout(late);
      this.#waiting = undefined;
    }
    this.#rest = setTimeout(() => this.end(), idle);
    this.#rest.unref();
    // It repeats what it is told: the command, on the line on which it said the word before, and then how it is to end.
    const told = this.#out.slice(this.#out.indexOf(begin) + begin.length, this.#out.indexOf(end));
    const said = told.slice(0, told.lastIndexOf(prompt));
    const refused = this.#err.slice(0, this.#err.indexOf(end)).replace(/error: $/, '');
    const text = said.slice(said.indexOf('\n') + 1);
    if (isUnreachable(refused)) throw this.#unreachable(complaint(refused));
    const errors = refused.split('\n').filter((line) => line.startsWith('error: ') && !line.includes(reconnected));
    return { text, refusal: errors.length > 0 ? complaint(refused) : null };
  }

  end(): void {
    this.#child.stdin.end();
    this.#child.kill('SIGKILL');
    clearTimeout(this.#rest);
    this.#gone ??= this.#unreachable('its connection was closed');
  }

  #hear(): void {
    if (this.#out.length + this.#err.length > limits.backendAnswer.most)
      this.#lost(new Problem('backend_unavailable', `${this.#name} says more than can be read.`));
    if (this.#waiting?.isDone()) this.#waiting.resolve();
  }

  #lost(error: Error): void {
    this.#gone ??= error;
    this.#waiting?.reject(error);
    this.#child.kill('SIGKILL');
  }

  #unreachable(why: string): Problem {
    return unreachable(this.#name, why);
  }
}

const unreachable = (name: string, why: string): Problem =>
  new Problem('backend_unavailable', `${name} cannot be reached: ${why.slice(0, limits.quoted.most)}.`);

/** What virsh says of a connection, and not of what it was asked to do. */
const isUnreachable = (said: string): boolean =>
  /failed to connect to the hypervisor|[Dd]isconnected from|End of file while reading|Cannot recv data|client socket is closed|connection closed|Cannot write data|internal error: client|keepalive|cannot connect to|Failed to connect socket|not connected/i.test(
    said,
  );
