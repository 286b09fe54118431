import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Parser, type ReadEntry } from 'tar';
import yauzl from 'yauzl';
import type { Download } from './downloads.js';

function unzip(archive: string, member: string, target: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    yauzl.open(archive, { lazyEntries: true }, (problem, zip) => {
      if (problem) return reject(problem);
      zip.on('error', reject);
      zip.on('end', () => resolve(false));
      zip.on('entry', (entry: yauzl.Entry) => {
        if (entry.fileName !== member) return zip.readEntry();
        zip.openReadStream(entry, (failure, stream) => {
          if (failure) return reject(failure);
          save(stream, target)
            .then(() => resolve(true), reject)
            .finally(() => zip.close());
        });
      });
      zip.readEntry();
    });
  });
}

const save = (stream: Readable, target: string): Promise<void> =>
  pipeline(stream, createWriteStream(target, { mode: 0o755 }));

/** A vendor's archive has its files in a folder named like the release: the end of the path is what counts. */
const isMember = (path: string, member: string): boolean => path === member || path.endsWith(`/${member}`);

async function untar(archive: string, member: string, target: string): Promise<boolean> {
  let found: Promise<void> | undefined;
  const parser = new Parser({ strict: true });
  parser.on('entry', (entry: ReadEntry) => {
    if (entry.type === 'File' && isMember(entry.path, member) && found === undefined) {
      const output = createWriteStream(target, { mode: 0o755 });
      found = new Promise((resolve, reject) => {
        output.on('close', resolve);
        output.on('error', reject);
        entry.on('error', reject);
      });
      entry.pipe(output);
    } else entry.resume();
  });
  await new Promise<void>((resolve, reject) => {
    parser.on('end', resolve);
    parser.on('error', reject);
    createReadStream(archive).on('error', reject).pipe(parser);
  });
  await found;
  return found !== undefined;
}

/** Writes one member of an archive, executable, to `target`. Throws when the archive does not hold it. */
export async function unpack(archive: string, { archive: kind, member }: Download, target: string): Promise<void> {
  const found = await (kind === 'zip' ? unzip(archive, member, target) : untar(archive, member, target));
  if (!found) throw new Error(`the archive holds no ${member}`);
}
