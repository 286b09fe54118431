import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { limits } from '../../../schemas/common/limits.js';
import { plainEnvironment } from '../unpack/run-filter.js';
import { type Ask, answers, asks, extensions, Reader, u32 } from './sftp-packets.js';

/** What came for an answer: its kind, and what is in it behind its number. */
export type Answer = { kind: number; body: Reader };

/** Milliseconds until a server has said which version it speaks: sshd is there, and this is a program of it. */
const patience = 15_000;
/** More than any server sends in one packet. */
const longestPacket = 1024 * 1024;

type Asked = { resolve: (answer: Answer) => void; reject: (error: Error) => void };
type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * One session of SFTP over a program that carries it. Requests may follow each other without waiting for answers: the server does them in their order. When
 * it ends, whatever waits fails with what `fault` makes of what the program has said.
 */
export class Sftp {
  readonly #child: Child;
  readonly #asked = new Map<number, Asked>();
  readonly #fault: (said: string) => Error;
  #last = 0;
  #said = '';
  #come: Buffer[] = [];
  #bytes = 0;
  #ended: Error | undefined;
  #version: ((body: Reader) => void) | undefined;

  private constructor(child: Child, fault: (said: string) => Error) {
    this.#child = child;
    this.#fault = fault;
    child.stderr.setEncoding('utf8').on('data', (words: string) => {
      this.#said = (this.#said + words).slice(-limits.quoted.most);
    });
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    // Who asks hears of it by the end.
    child.stdin.on('error', () => {});
    child.once('error', () => this.#end(this.#fault('ENOENT')));
    // Through a connection of others a subsystem that there is not is refused without a word.
    child.once('close', () => this.#end(this.#fault(this.#said || (this.#asked.has(0) ? 'no SFTP' : ''))));
  }

  static async start(program: string, given: readonly string[], fault: (said: string) => Error): Promise<Sftp> {
    const { env } = plainEnvironment;
    const sftp = new Sftp(spawn(program, given, { env, stdio: ['pipe', 'pipe', 'pipe'] }), fault);
    const late = setTimeout(() => sftp.#end(fault('no SFTP')), patience).unref();
    const body = await new Promise<Reader>((resolve, reject) => {
      sftp.#version = resolve;
      sftp.#asked.set(0, { resolve: () => {}, reject });
      sftp.#send(asks.init, u32(3));
    }).finally(() => clearTimeout(late));
    sftp.#asked.delete(0);
    body.u32();
    const known = new Set<string>();
    for (; !body.isEnded; body.bytes()) known.add(body.text());
    const lacks = extensions.filter((name) => !known.has(name));
    if (lacks.length > 0) {
      await sftp.close();
      throw fault(`its server of SFTP is none of OpenSSH, or old: it lacks ${lacks.join(', ')}`);
    }
    sftp.#rest();
    return sftp;
  }

  get isOpen(): boolean {
    return this.#ended === undefined && !this.#child.stdin.writableEnded;
  }
  /** Files that somebody has open. */
  held = 0;
  /** Whether nobody misses it. */
  get isIdle(): boolean {
    return this.rests && this.held === 0;
  }
  /** Whether nothing is asked. */
  get rests(): boolean {
    return this.#asked.size === 0;
  }

  ask(ask: Ask, ...body: Buffer[]): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    this.#last = (this.#last + 1) >>> 0 || 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      if (this.rests) this.#work();
      this.#asked.set(id, { resolve, reject });
      this.#send(asks[ask], u32(id), ...body);
    });
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined)
      await once(this.#child, 'exit');
  }

  /** Nobody waits for it: it does not keep the process. */
  #rest(): void {
    this.#hold('unref');
  }
  #work(): void {
    this.#hold('ref');
  }
  #hold(how: 'ref' | 'unref'): void {
    this.#child[how]();
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr])
      if (how in stream) {
        const hold: unknown = Reflect.get(stream, how);
        if (typeof hold === 'function') hold.call(stream);
      }
  }

  #send(kind: number, ...body: Buffer[]): void {
    const length = body.reduce((sum, { length: its }) => sum + its, 1);
    this.#child.stdin.write(Buffer.concat([u32(length), Buffer.from([kind]), ...body]));
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#child.kill('SIGKILL');
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }

  #take(chunk: Buffer): void {
    this.#come.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= 4 && this.#ended === undefined) {
      const [first = chunk] = this.#come;
      const head = first.length >= 4 ? first : Buffer.concat(this.#come);
      const length = head.readUInt32BE(0);
      if (length > longestPacket || length < 1) {
        // A shell that says something where the protocol should be.
        this.#end(this.#fault(`it sends what is no SFTP: ${JSON.stringify(head.subarray(0, 80).toString('latin1'))}`));
        return;
      }
      if (this.#bytes < 4 + length) return;
      const all = this.#come.length === 1 ? first : Buffer.concat(this.#come);
      this.#come = all.length === 4 + length ? [] : [all.subarray(4 + length)];
      this.#bytes -= 4 + length;
      try {
        this.#answer(all.subarray(4, 4 + length));
      } catch {
        this.#end(this.#fault('it sends an answer of SFTP that is cut off'));
      }
    }
  }

  #answer(packet: Buffer): void {
    const body = new Reader(packet);
    const kind = body.byte();
    if (kind === answers.version) {
      this.#version?.(body);
      return;
    }
    const id = body.u32();
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (this.rests) this.#rest();
    asked?.resolve({ kind, body });
  }
}
