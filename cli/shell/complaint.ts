import { printable } from '../../schemas/common/printable.js';

/** How `arcus` ends, for scripts: these numbers do not change. */
export const exitCodes = {
  ok: 0,
  /** The work failed: an operation that ended badly, a fault in the server, anything not named below. */
  failure: 1,
  /** The command or what was given to it is not valid. */
  usage: 2,
  not_found: 3,
  /** Not possible now: wrong state, a name that is taken, another operation at work, somebody's change meanwhile. */
  conflict: 4,
  /** The credentials are missing or wrong, or do not suffice. */
  not_allowed: 5,
  /** No answer from the server. */
  unreachable: 6,
  /** The operation waits for you: it goes on when its question has been answered. */
  asks: 7,
  /** What was waited for did not come in the time that was given. */
  timeout: 8,
  /** Ctrl-C; what was asked for goes on. */
  detached: 130,
} as const;
export type Exit = keyof typeof exitCodes;

/** The same in words: in short for the help, and in full for the reference. */
export const exitMeanings: readonly (readonly [code: number, short: string, full: string])[] = [
  [exitCodes.ok, 'done', 'done; with --wait, ended as wished: cancelled after a cancel, failed after giving up'],
  [exitCodes.failure, 'failed', 'failed'],
  [exitCodes.usage, 'wrong use or invalid input', 'wrong use, invalid input, or the beginning of more than one id'],
  [exitCodes.not_found, 'no such object', 'no such object'],
  [
    exitCodes.conflict,
    'not possible now',
    'not possible now: wrong state, a name that is taken or means several objects, another operation at work, or changed by somebody since it was read',
  ],
  [exitCodes.not_allowed, 'not allowed', 'not allowed: credentials are missing or wrong, or do not suffice'],
  [exitCodes.unreachable, 'no answer from the server', 'no answer from the server'],
  [
    exitCodes.asks,
    'it waits for you: answer it',
    'the operation that was waited for waits for you: its question and answers are on standard error',
  ],
  [exitCodes.timeout, 'not within --timeout', 'what was waited for did not come within --timeout'],
  [exitCodes.detached, 'left by Ctrl-C', 'left by Ctrl-C; what was asked for goes on'],
];

/** Ctrl-C where there is nothing to say about it: what was watched goes on as before. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** What the user is told on standard error, and how the program ends. It is printed without a stack. */
export class Complaint extends Error {
  override readonly name = 'Complaint';
  readonly exit: Exit;
  /** Each thing that is wrong, and where. */
  readonly findings: readonly { pointer: string; detail: string }[];
  /** What the user can do next: nobody is left with an error alone. */
  readonly next: string;
  /** The problem by which the API has refused; null: it was none. */
  readonly code: string | null;

  constructor(
    exit: Exit,
    sentence: string,
    options: {
      next: string;
      findings?: readonly { pointer: string; detail: string }[];
      code?: string;
      cause?: unknown;
    },
  ) {
    super(sentence, { cause: options.cause });
    this.exit = exit;
    this.findings = options.findings ?? [];
    this.next = options.next;
    this.code = options.code ?? null;
  }

  /** What is wrong, in a sentence, and each thing in a line where that does not say it already. */
  told(): string[] {
    const { findings, message } = this;
    const [only, ...others] = findings;
    // A single finding is what the sentence says already, but for its place.
    const isSaid = only !== undefined && others.length === 0 && message.includes(only.detail);
    const place = isSaid && !message.includes(only.pointer) ? `${only.pointer}: ` : '';
    return [
      place + message,
      ...(isSaid ? [] : findings).map(({ pointer, detail }) =>
        pointer === '' ? `  ${detail}` : `  ${pointer}: ${detail}`,
      ),
    ].map(printable);
  }

  /** The lines for standard error. */
  lines(): string[] {
    const [sentence = '', ...findings] = this.told();
    return [`arcus: ${sentence}`, ...findings, this.next];
  }
}
