import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LogRecord, type NewRecord } from './records.js';

const snapshotEvery = 50_000;
const chunk = 256 * 1024;
const newline = 0x0a;

const SnapshotFile = z.object({ n: z.int(), offset: z.int(), state: z.unknown() });

/** What the log needs of the state that it keeps on disk. */
export type Replayed = { load(snapshot: unknown): void; apply(record: LogRecord): void; snapshot(): unknown };

/**
 * The log of a simulator, `log.jsonl`: one JSON line for everything that changed the state, appended and never rewritten,
 * so that state and journal are one thing and cannot differ. A `snapshot.json` beside it only saves replay: without it
 * the whole log is read. The lines of one turn of the event loop go out in one write, and `append` resolves after it: what
 * was answered survives the death of the process (not that of the machine: nothing is synced).
 */
export class RecordLog {
  #descriptor: number;
  #size: number;
  #n: number;
  #snapshotAt: number;
  #pending: string[] = [];
  #flush: Promise<void> | null = null;
  readonly #path: string;
  readonly #directory: string;
  readonly #state: Replayed;
  readonly #onFailure: (error: unknown) => void;

  private constructor(directory: string, state: Replayed, onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
    this.#directory = directory;
    this.#path = join(directory, 'log.jsonl');
    this.#state = state;
    this.#descriptor = openSync(this.#path, 'a+');
    this.#size = fstatSync(this.#descriptor).size;
    const snapshot = this.#readSnapshot();
    this.#n = snapshot?.n ?? 0;
    this.#snapshotAt = this.#n;
    if (snapshot) state.load(snapshot.state);
    this.#replay(snapshot?.offset ?? 0);
  }

  /**
   * Opens the log of a directory and replays it. A last line cut short by a death is dropped: it was never answered.
   * After a write that failed the state is ahead of the disk: `onFailure` must end the process.
   */
  static open(directory: string, state: Replayed, onFailure: (error: unknown) => void): RecordLog {
    return new RecordLog(directory, state, onFailure);
  }

  /** The number that the next record gets. */
  get next(): number {
    return this.#n + 1;
  }

  /** Applies the record at once; the promise resolves when it is on disk. */
  append(fresh: NewRecord): Promise<void> {
    const record = LogRecord.parse({ n: ++this.#n, time: new Date().toISOString(), ...fresh });
    this.#state.apply(record);
    this.#pending.push(`${JSON.stringify(record)}\n`);
    return this.settled();
  }

  /** Resolves when everything appended so far is on disk. */
  settled(): Promise<void> {
    if (this.#pending.length === 0) return this.#flush ?? Promise.resolve();
    this.#flush ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#flush = null;
        try {
          this.#write();
          resolve();
        } catch (cause) {
          this.#onFailure(cause);
          reject(new Error(`${this.#path} cannot be written.`, { cause }));
        }
      });
    });
    return this.#flush;
  }

  /** The records after number `after`, oldest first, as raw lines. */
  async *lines(after: number): AsyncGenerator<string> {
    await this.settled();
    const end = this.#size;
    const file = await open(this.#path, 'r');
    try {
      let position = this.#offsetAfter(after);
      let rest = Buffer.alloc(0);
      while (position < end) {
        const { bytesRead, buffer } = await file.read(
          Buffer.alloc(chunk),
          0,
          Math.min(chunk, end - position),
          position,
        );
        if (bytesRead === 0) return;
        position += bytesRead;
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const whole = bytes.lastIndexOf(newline) + 1;
        rest = Buffer.from(bytes.subarray(whole));
        for (const line of bytes.toString('utf8', 0, whole).split('\n')) {
          if (line !== '' && numberOf(line) > after) yield line;
        }
      }
    } finally {
      await file.close();
    }
  }

  /** Writes what is pending and a snapshot. */
  close(): void {
    this.#write();
    if (this.#n > this.#snapshotAt) this.#writeSnapshot();
    closeSync(this.#descriptor);
  }

  #write(): void {
    const bytes = Buffer.from(this.#pending.join(''), 'utf8');
    this.#pending = [];
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
    this.#size += bytes.length;
    if (this.#n - this.#snapshotAt >= snapshotEvery) this.#writeSnapshot();
  }

  #readSnapshot(): z.infer<typeof SnapshotFile> | null {
    try {
      const snapshot = SnapshotFile.parse(JSON.parse(readFileSync(join(this.#directory, 'snapshot.json'), 'utf8')));
      const fits = snapshot.offset <= this.#size && this.#lastNumberBefore(snapshot.offset) === snapshot.n;
      return fits ? snapshot : null;
    } catch {
      // Absent, cut short or of another version: the log has it all.
      return null;
    }
  }

  #writeSnapshot(): void {
    const path = join(this.#directory, 'snapshot.json');
    writeFileSync(`${path}.new`, JSON.stringify({ n: this.#n, offset: this.#size, state: this.#state.snapshot() }));
    renameSync(`${path}.new`, path);
    this.#snapshotAt = this.#n;
  }

  #replay(from: number): void {
    let position = from;
    while (position < this.#size) {
      const bytes = this.#read(position, Math.max(chunk, this.#lineLength(position)));
      const whole = bytes.lastIndexOf(newline) + 1;
      if (whole === 0) {
        ftruncateSync(this.#descriptor, position);
        this.#size = position;
        return;
      }
      for (const line of bytes.toString('utf8', 0, whole).split('\n')) if (line !== '') this.#replayLine(line);
      position += whole;
    }
  }

  #replayLine(line: string): void {
    try {
      const record = LogRecord.parse(JSON.parse(line));
      this.#state.apply(record);
      this.#n = record.n;
    } catch (cause) {
      throw new Error(`${this.#path} cannot be read after record ${this.#n}: it was changed or is damaged.`, { cause });
    }
  }

  #read(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.#size - position)));
    return bytes.subarray(0, readSync(this.#descriptor, bytes, 0, bytes.length, position));
  }

  /** Length of the line at a position, its newline included; to the end of the log when it has none. */
  #lineLength(position: number): number {
    for (let length = 4096; ; length *= 4) {
      const end = this.#read(position, length).indexOf(newline);
      if (end >= 0) return end + 1;
      if (position + length >= this.#size) return this.#size - position;
    }
  }

  #lastNumberBefore(offset: number): number {
    for (let length = 4096; ; length *= 4) {
      const from = Math.max(0, offset - length);
      const lines = this.#read(from, offset - from)
        .toString('utf8')
        .split('\n');
      const last = lines.at(-2);
      if (lines.at(-1) !== '') return -1;
      if (last !== undefined && (lines.length > 2 || from === 0)) return numberOf(last);
      if (from === 0) return 0;
    }
  }

  /** Where to begin reading for the records after a number: numbers rise through the file, so halving finds it. */
  #offsetAfter(after: number): number {
    let low = 0;
    let high = this.#size;
    while (high - low > chunk) {
      const middle = low + Math.floor((high - low) / 2);
      const start = middle + this.#lineLength(middle);
      if (start >= high) return low;
      const first = this.#read(start, this.#lineLength(start)).toString('utf8');
      if (numberOf(first) <= after) low = start;
      else high = start;
    }
    return low;
  }
}

/** Every line begins with its number, so that finding one needs no parsing. */
function numberOf(line: string): number {
  return Number(/^\{"n":(\d+)/.exec(line)?.[1] ?? Number.NaN);
}
