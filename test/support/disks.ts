import { randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { StorageKind } from '../../schemas/storage/stored.js';

/** Bytes that nothing makes smaller. */
export const noise = (bytes: number): Buffer => randomFillSync(Buffer.alloc(bytes));

/** Does something in a directory that is gone afterwards. */
function inScratch<T>(what: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'arcus-disks-'));
  try {
    return what(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a program makes of bytes that it reads, as a filter. */
export const filtered = (program: string, given: readonly string[], input: Buffer): Buffer =>
  Buffer.from(execaSync(program, given, { input, encoding: 'buffer', maxBuffer: 256 * 1024 ** 2 }).stdout);

/** A tar of these files, as `tar` makes it. */
export const tarOf = (files: Readonly<Record<string, Buffer>>, ...given: string[]): Buffer =>
  inScratch((directory) => {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
    return filtered('tar', [...given, '-cf', '-', '-C', directory, ...Object.keys(files)], Buffer.alloc(0));
  });

/** A qcow2 with what is in `raw`; `given`: options of `qemu-img create -o`. */
export const qcow2Of = (raw: Buffer, options = 'compat=1.1'): Buffer =>
  inScratch((directory) => {
    const [from, to] = [join(directory, 'raw'), join(directory, 'qcow2')];
    writeFileSync(from, raw);
    execaSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-o', options, from, to]);
    return readFileSync(to);
  });

/** What `qemu-img create` makes with these arguments behind the path; `{}` in them is a path beside it that there is. */
export const createdDisk = (given: readonly string[], size: string): Buffer =>
  inScratch((directory) => {
    const beside = join(directory, 'beside');
    execaSync('qemu-img', ['create', '-q', '-f', 'raw', beside, '1M']);
    const path = join(directory, 'made');
    execaSync('qemu-img', ['create', '-q', ...given.map((one) => one.replace('{}', beside)), path, size]);
    return readFileSync(path);
  });

/** Bytes with others in their place. */
export function patched(bytes: Buffer, at: number, put: (copy: Buffer, at: number) => void): Buffer {
  const copy = Buffer.from(bytes);
  put(copy, at);
  return copy;
}

/** Writes a file of noise, a piece at a time. */
export function writeNoise(path: string, bytes: number): void {
  const file = openSync(path, 'w');
  const piece = noise(1024 * 1024);
  for (let at = 0; at < bytes; at += piece.length) {
    piece.writeUInt32LE(at / piece.length, 0);
    writeSync(file, piece, 0, Math.min(piece.length, bytes - at));
  }
  closeSync(file);
}

/** Kinds of datastores whose bytes lie below a directory. Those elsewhere need a server, and have tests of their own. */
export const onDisk = StorageKind.exclude(['s3', 'ssh']).options;
