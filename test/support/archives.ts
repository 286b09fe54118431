import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { create } from 'tar';

/** A zip with one stored member (PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16). */
export function zipOf(member: string, content: Buffer): Buffer {
  const name = Buffer.from(member);
  const sizes = Buffer.alloc(12);
  sizes.writeUInt32LE(crc32(content), 0);
  sizes.writeUInt32LE(content.length, 4);
  sizes.writeUInt32LE(content.length, 8);
  const numbers = (...values: [width: 2 | 4, value: number][]) =>
    Buffer.concat(
      values.map(([width, value]) => {
        const bytes = Buffer.alloc(width);
        bytes.writeUIntLE(value, 0, width);
        return bytes;
      }),
    );
  const local = Buffer.concat([
    numbers([4, 0x04034b50], [2, 20], [2, 0], [2, 0], [4, 0]),
    sizes,
    numbers([2, name.length], [2, 0]),
    name,
    content,
  ]);
  const central = Buffer.concat([
    numbers([4, 0x02014b50], [2, 20], [2, 20], [2, 0], [2, 0], [4, 0]),
    sizes,
    numbers([2, name.length], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, 0]),
    name,
  ]);
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], [2, 1], [2, 1], [4, central.length], [4, local.length], [2, 0]);
  return Buffer.concat([local, central, end]);
}

/** A gzipped tar with one file, as vendors pack theirs. */
export async function tgzOf(member: string, content: Buffer): Promise<Buffer> {
  const directory = mkdtempSync(join(tmpdir(), 'arcus-tgz-'));
  try {
    mkdirSync(dirname(join(directory, member)), { recursive: true });
    writeFileSync(join(directory, member), content);
    await create({ gzip: true, cwd: directory, file: join(directory, 'archive.tgz') }, [member]);
    return readFileSync(join(directory, 'archive.tgz'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
