import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { built } from '../../adapters/process/checkout.js';
import { isSame, type ProcessIdentity, startOf } from './process-identity.js';

const Identity = z.object({ pid: z.int().positive(), started: z.string() });
const ChildRecords = z.object({ owner: z.string(), children: z.array(Identity.extend({ name: z.string() })) });

/** A child as written down, for whoever has to end it later. */
export type ChildRecord = z.infer<typeof ChildRecords>['children'][number];

export type ChildCommand = {
  name: string;
  command: string;
  args: readonly string[];
  environment?: Record<string, string>;
  /** File that the output is appended to. */
  log: string;
};

export type Child = ProcessIdentity & {
  name: string;
  /** Resolves when it has ended, to the words for it: `code 1`, `signal SIGKILL`. */
  ended: Promise<string>;
  hasEnded: () => boolean;
};

/** The children written down, oldest first; of any owner, or of this one only. */
export function readChildren(file: string, owner?: string): ChildRecord[] {
  try {
    const records = ChildRecords.parse(JSON.parse(readFileSync(file, 'utf8')));
    return owner === undefined || records.owner === owner ? records.children : [];
  } catch {
    return [];
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone between the look and the signal.
  }
}

/** Ends a process and its group: SIGTERM, and SIGKILL when it is still there after `patience` milliseconds. */
export async function endProcess(identity: ProcessIdentity, patience: number): Promise<void> {
  const gone = async (milliseconds: number) => {
    for (const until = Date.now() + milliseconds; isSame(identity); await sleep(20))
      if (Date.now() > until) return false;
    return true;
  };
  if (!isSame(identity)) return;
  if (patience > 0) {
    signalGroup(identity.pid, 'SIGTERM');
    if (await gone(patience)) return;
  }
  signalGroup(identity.pid, 'SIGKILL');
  await gone(5_000);
}

/**
 * Children in process groups of their own, so that the terminal's Ctrl-C does not reach them, each written down with pid and
 * start time. A guardian process holds the other end of a pipe: when this process dies, however it dies, the guardian ends
 * every child that is written down.
 */
export class Children {
  readonly #file: string;
  /** Tells these children from those that another owner writes down in the same file later. */
  readonly #owner = randomUUID();
  readonly #running = new Map<number, Child>();
  #guardian: ChildProcess | undefined;
  #again: NodeJS.Timeout | undefined;

  /** `file` is where the children are written down. */
  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
  }

  start({ name, command, args, environment = {}, log }: ChildCommand): Child {
    this.#guard();
    mkdirSync(dirname(log), { recursive: true });
    const output = openSync(log, 'a');
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...environment },
    });
    closeSync(output);
    const { pid } = child;
    let over = false;
    const ended = new Promise<string>((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
    }).then((reason) => {
      over = true;
      if (pid !== undefined) this.#running.delete(pid);
      this.#writeDown();
      return reason;
    });
    const started: Child = {
      name,
      pid: pid ?? 0,
      started: pid === undefined ? '' : (startOf(pid) ?? ''),
      ended,
      hasEnded: () => over,
    };
    if (pid !== undefined) this.#running.set(pid, started);
    this.#writeDown();
    return started;
  }

  /** Ends one child and waits until it has ended. */
  async end(child: Child, patience: number): Promise<void> {
    if (child.hasEnded()) return;
    await endProcess(child, patience);
    await child.ended;
  }

  /** Lets the guardian go, when every child has ended. */
  release(): void {
    const guardian = this.#guardian;
    this.#guardian = undefined;
    guardian?.stdin?.end();
    clearTimeout(this.#again);
    if (this.#running.size === 0) rmSync(this.#file, { force: true });
  }

  #guard(): void {
    if (this.#guardian !== undefined && this.#guardian.exitCode === null && this.#guardian.signalCode === null) return;
    const guardian = spawn(process.execPath, [built('runtime/processes/guardian.js'), this.#file, this.#owner], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guardian.stdin?.on('error', () => {});
    guardian.on('error', () => {});
    guardian.on('exit', () => {
      if (this.#guardian === guardian && this.#running.size > 0) this.#guard();
    });
    guardian.unref();
    this.#guardian = guardian;
  }

  /** What cannot be written (the disk is full) is no reason to end: the children go on, and it is tried again. */
  #writeDown(): void {
    clearTimeout(this.#again);
    const children = [...this.#running.values()].map(({ name, pid, started }) => ({ name, pid, started }));
    const part = join(dirname(this.#file), `.children.${process.pid}.part`);
    try {
      writeFileSync(part, JSON.stringify({ owner: this.#owner, children }));
      renameSync(part, this.#file);
    } catch {
      this.#again = setTimeout(() => this.#writeDown(), 1_000).unref();
    }
  }
}
