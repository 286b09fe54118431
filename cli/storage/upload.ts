import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Misunderstood, Refusal, Unreachable } from '../../client/errors.js';
import { sendUpload } from '../../client/uploads.js';
import { mebi } from '../../schemas/common/mebi.js';
import { complaintOf } from '../shell/api-client.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { roughText } from '../shell/duration.js';
import { interruptible } from '../shell/interruptible.js';

/** A file of this machine that is to be an image. */
export type Upload = { path: string; file: FileHandle; size: number };

/** Milliseconds between two lines where none can be drawn over. */
const milestone = 5_000;

/** Opens a file that is to be sent, does the work, and closes it. */
export async function withFile<T>(path: string, work: (upload: Upload) => Promise<T>): Promise<T> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new Complaint('usage', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, {
      cause,
      next: 'Name a file of this machine.',
    });
  });
  try {
    const stats = await file.stat();
    const { size } = stats;
    if (!stats.isFile() || size === 0)
      throw new Complaint('usage', `${path} is ${stats.isFile() ? 'empty' : 'no file'}.`, {
        next: 'Name the file that is to be the image.',
      });
    return await work({ path, file, size });
  } finally {
    await file.close();
  }
}

/** Sum of what is to be sent: with it, what was changed on its way or while it was sent is no image. */
export async function sumOf(context: Context, { path, file, size }: Upload): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(mebi);
  const tell = teller(context, size, `reading ${path}`);
  let done = 0;
  try {
    while (done < size) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, done);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      done += bytesRead;
      tell(done);
    }
  } finally {
    context.terminal?.clear();
  }
  return hash.digest('hex');
}

/** Sends what the server does not have of it yet, over lost connections and restarts of the server. Ctrl-C stops; it can be gone on with. */
export async function sendFile(context: Context, image: number, { path, file, size }: Upload): Promise<void> {
  const goOn = `Go on with: arcus image upload ${image} ${path}`;
  const tell = teller(context, size, `sending ${path} to image ${image}`);
  const source = {
    size,
    async read(offset: number, length: number) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
        if (bytesRead === 0) throw new Complaint('failure', `${path} has become shorter.`, { next: goOn });
        at += bytesRead;
      }
      return bytes;
    },
  };
  try {
    await interruptible(
      (signal) =>
        sendUpload(context.client(), image, source, {
          signal,
          onProgress: tell,
          onLost: ({ message }) => context.err(`${message} Going on when the server answers.`),
        }),
      () => new Complaint('detached', 'Stopped; what has arrived is kept for an hour.', { next: goOn }),
    );
  } catch (error) {
    if (error instanceof Unreachable) throw new Complaint('unreachable', error.message, { cause: error, next: goOn });
    if (error instanceof Refusal || error instanceof Misunderstood) throw complaintOf(error);
    throw error;
  } finally {
    context.terminal?.clear();
  }
}

/** Draws how far it is; where no line can be drawn over, says so now and then. */
function teller({ terminal, err, now }: Context, total: number, what: string): (done: number) => void {
  const began = now().getTime();
  let from: number | null = null;
  let told = began;
  return (done) => {
    from ??= done;
    const at = now().getTime();
    if (!terminal && at - told < milestone) return;
    told = at;
    const rate = (done - from) / Math.max(1, at - began);
    const line = [
      `${what}: ${bar(done / total)} ${megabytes(done)} of ${megabytes(total)} MB`,
      ...(rate > 0 ? [`${((rate * 1_000) / mebi).toFixed(1)} MB/s`, `${roughText((total - done) / rate)} left`] : []),
    ].join(' · ');
    if (terminal) terminal.draw(line);
    else err(line);
  };
}

const width = 20;
const bar = (part: number): string => {
  const done = Math.min(width, Math.floor(part * width));
  return `[${'#'.repeat(done)}${'-'.repeat(width - done)}]`;
};
const megabytes = (bytes: number): string => (bytes / mebi).toFixed(bytes < 10 * mebi ? 1 : 0);
