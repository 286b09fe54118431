import type { OpenFile } from '../machine/machine.js';
import type { Sftp } from './sftp.js';
import { answers, attributes, text, u32, u64 } from './sftp-packets.js';
import { done, expected, extended, succeeded } from './sftp-status.js';

/** Bytes of one request: OpenSSH's server takes twice as many. */
const piece = 128 * 1024;
/** Bytes that are on their way at once: what a line of some length has on it. Each open file may take as much memory. */
const onTheWay = 4 * 1024 * 1024;

/**
 * An open file. What is written is sent before what was sent is answered, and what is read in a row is asked for before it is wanted: a far machine is not
 * waited for at each piece. Whoever asks for anything but the next piece hears of what was not written, at the latest who closes it.
 */
export function sftpFile(sftp: Sftp, handle: Buffer, explained: (error: unknown) => Promise<Error>): OpenFile {
  const its = text(handle);
  sftp.held += 1;
  const sent = new Set<Promise<void>>();
  let outstanding = 0;
  let fault: { error: unknown; told: boolean } | undefined;
  let end = 0;
  const ahead = new Map<number, Promise<Buffer>>();
  let readTo = -1;

  const told = async (): Promise<void> => {
    if (!fault) return;
    fault.told = true;
    throw await explained(fault.error);
  };
  async function settled(): Promise<void> {
    await Promise.all(sent);
    await told();
  }
  const settling = async (work: () => Promise<void>): Promise<void> => {
    await settled();
    try {
      await work();
    } catch (error) {
      throw await explained(error);
    }
  };

  async function ask(position: number, bytes: number): Promise<Buffer> {
    const answer = await sftp.ask('read', its, u64(position), u32(bytes));
    return expected('read', answers.data, answer)?.bytes() ?? Buffer.alloc(0);
  }
  /** What begins there, as much as comes in one piece; nothing: it is the end. */
  async function next(position: number, wanted: number): Promise<Buffer> {
    const begun = ahead.get(position);
    ahead.delete(position);
    const come = await begun;
    if (come === undefined || come.length === 0) {
      ahead.clear();
      return ask(position, Math.min(piece, wanted));
    }
    if (come.length > wanted) ahead.set(position + wanted, Promise.resolve(come.subarray(wanted)));
    return come.subarray(0, wanted);
  }
  function fetch(from: number, bytes: number): void {
    for (let at = from; at < from + bytes; at += piece) {
      if (ahead.has(at)) continue;
      const coming = ask(at, piece);
      coming.catch(() => {});
      ahead.set(at, coming);
    }
  }

  return {
    async read(buffer, offset, length, position) {
      await settled();
      if (position === readTo && length >= piece) fetch(position, Math.max(length, onTheWay));
      else ahead.clear();
      let read = 0;
      try {
        while (read < length) {
          const bytes = await next(position + read, length - read);
          if (bytes.length === 0) break;
          buffer.set(bytes, offset + read);
          read += bytes.length;
        }
      } catch (error) {
        throw await explained(error);
      }
      readTo = position + read;
      return { bytesRead: read };
    },
    async write(bytes, offset, length, position) {
      const at = position ?? end;
      for (let from = 0; from < length; from += piece) {
        while (outstanding >= onTheWay) await Promise.race(sent);
        await told();
        const part = bytes.subarray(offset + from, offset + Math.min(length, from + piece));
        outstanding += part.length;
        const sending: Promise<void> = sftp
          .ask('write', its, u64(at + from), text(Buffer.from(part.buffer, part.byteOffset, part.byteLength)))
          .then((answer) => succeeded('write', answer))
          .catch((error: unknown) => {
            fault ??= { error, told: false };
          })
          .finally(() => {
            outstanding -= part.length;
            sent.delete(sending);
          });
        sent.add(sending);
      }
      end = at + length;
      return { bytesWritten: length };
    },
    async stat() {
      await settled();
      const answer = expected('stat', answers.attrs, await sftp.ask('fstat', its));
      return { size: answer?.attributes().size ?? 0 };
    },
    chmod: (mode) => settling(() => done(sftp, 'fsetstat', its, attributes({ mode }))),
    truncate: (size) => settling(() => done(sftp, 'fsetstat', its, attributes({ size }))),
    datasync: () => settling(async () => succeeded('fsync', await extended(sftp, 'fsync@openssh.com', its))),
    sync: () => settling(async () => succeeded('fsync', await extended(sftp, 'fsync@openssh.com', its))),
    async close() {
      await Promise.all(sent);
      sftp.held -= 1;
      await done(sftp, 'close', its);
      if (fault && !fault.told) await told();
    },
  };
}
