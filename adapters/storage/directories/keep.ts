import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Problem } from '../../../domain/problems.js';
import { diskHeadBytes, lookAt } from '../../../domain/storage/disk-format.js';
import { headBytes, packingOf } from '../../../domain/storage/packing.js';
import type { Chain } from '../../../domain/storage/staging-chain.js';
import { grouped } from '../../../schemas/common/limits.js';
import type { ImageFormat, Packing } from '../../../schemas/storage/stored.js';
import { codeOf } from '../disk-fault.js';
import { link, mkdir, open, rename, rm } from '../machine/files.js';
import type { ImageClaim, KeepWish, KeptImage, OnProgress } from '../port.js';
import { inspect } from '../qemu-img.js';
import { peek } from '../unpack/peek.js';
import { unpack } from '../unpack/unpack.js';
import type { Body, Counted, MadeRecord } from './body.js';
import { findKept, writeRecord } from './kept.js';
import { keptNames, layoutOf, modes } from './layout.js';
import { claimPiece, namesIn, pieceFile, piecesIn, takeFile } from './pieces.js';
import { overtaken, readChain, refuseStale, stagedIn } from './staging.js';
import { syncDirectory } from './write-file.js';
import { writeSparse } from './write-sparse.js';

const refused = (why: string): Problem => new Problem('image_refused', why);

/** `Storage.keep` of what has arrived and is not kept yet. */
export async function keepStaged(
  base: string,
  body: Body,
  claim: ImageClaim,
  wish: KeepWish,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<KeptImage> {
  const { staging } = layoutOf(base, claim);
  await refuseStale(staging, claim);
  const chain = await stagedIn(staging);
  if (chain.bytes === 0) throw await emptiness(staging, claim);
  await body.before(claim.datastore, 'keep', chain.bytes, signal);
  const sums = await checked(staging, claim, chain, wish, onProgress, signal);
  return inWork(base, claim, async (work) => {
    const disk = join(work, keptNames.disk);
    const packing = await fill(staging, chain, claim, wish, disk, onProgress, signal);
    const { format, ...counted } = await looked(disk, wish, signal);
    return {
      format,
      published: { bytes: chain.bytes, ...sums, packing },
      counted: await body.settle(work, counted),
    };
  });
}

/** Pieces without a chain: what they stood on was taken away, by a try that was frozen when it was overtaken. It begins anew. */
async function emptiness(staging: string, { id }: ImageClaim): Promise<Problem> {
  return (await piecesIn(staging)).some(({ bytes }) => bytes > 0)
    ? new Problem('backend_unavailable', `What had arrived of image ${id} was spoiled by an older try.`)
    : refused(`Nothing has arrived of image ${id}, or it is empty.`);
}

/** Sums of the bytes as they were published, which are read again from where they are. */
async function checked(
  staging: string,
  { id }: ImageClaim,
  chain: Chain,
  { sha256, md5 }: KeepWish,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<{ sha256: string; md5: string | null }> {
  const hashes = { sha256: createHash('sha256'), md5: md5 === undefined ? null : createHash('md5') };
  let done = 0;
  for await (const chunk of readChain(staging, id, chain, 0, signal)) {
    hashes.sha256.update(chunk);
    hashes.md5?.update(chunk);
    done += chunk.length;
    onProgress({ phase: 'check', done, total: chain.bytes });
  }
  const sums = { sha256: hashes.sha256.digest('hex'), md5: hashes.md5?.digest('hex') ?? null };
  if (sha256 !== undefined && sha256.toLowerCase() !== sums.sha256)
    throw refused(`The SHA-256 of what has arrived is ${sums.sha256}, not ${sha256.toLowerCase()}.`);
  if (md5 !== undefined && md5.toLowerCase() !== sums.md5)
    throw refused(`The MD5 of what has arrived is ${sums.md5}, not ${md5.toLowerCase()}.`);
  return sums;
}

/** Brings what has arrived, unpacked, to a file of its own: by another name of the same where nobody can write to it any more. */
async function fill(
  staging: string,
  chain: Chain,
  claim: ImageClaim,
  wish: KeepWish,
  disk: string,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Packing[]> {
  const read = (from: number, to: number) => readRange(staging, claim, chain, from, to, signal);
  const { head, all } = await peek(read(0, chain.bytes), headBytes);
  await all.return();
  const packed = wish.content === 'disk' && packingOf(head) !== null;
  if (!packed && chain.bytes > wish.mostBytes) throw tooLarge(wish.mostBytes);
  if (!packed && (await linkWhole(staging, chain, claim, disk))) return [];
  const { bytes, packing } = packed ? await unpack(read, chain.bytes) : { bytes: read(0, chain.bytes), packing: [] };
  const phase = packed ? 'unpack' : 'copy';
  const total = packed ? null : chain.bytes;
  const written = await writeSparse(disk, bytes, signal, (done) => {
    if (done > wish.mostBytes) throw tooLarge(wish.mostBytes);
    onProgress({ phase, done, total });
  });
  if (written === 0) throw refused('What is in it is empty.');
  return packing;
}

const tooLarge = (most: number): Problem =>
  refused(`The image is larger than the ${grouped(most)} bytes that it may have.`);

async function* readRange(
  staging: string,
  { id }: ImageClaim,
  chain: Chain,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let left = to - from;
  for await (const chunk of readChain(staging, id, chain, from, signal)) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) yield part;
    if (left <= 0) return;
  }
}

/** Whether all of it is one file that nobody writes to: it is said to be final, and has a second name. */
async function linkWhole(staging: string, chain: Chain, { epoch }: ImageClaim, disk: string): Promise<boolean> {
  const [part, ...more] = chain.parts;
  if (part === undefined || more.length > 0 || part.piece.state === 'open' || part.bytes !== part.piece.bytes)
    return false;
  const { name, state, version, total } = part.piece;
  let final = pieceFile(staging, name, 'final');
  if (state === 'sealed') {
    const next = await claimPiece(staging, epoch, { start: 0, parent: null, version, total });
    final = pieceFile(staging, next, 'final');
    if (!(await takeFile(pieceFile(staging, name, 'sealed'), final))) return false;
  }
  await link(final, disk);
  return true;
}

/** Looks into the disk itself before any program does, and then has `qemu-img` look. */
async function looked(
  disk: string,
  wish: KeepWish,
  signal: AbortSignal,
): Promise<{ format: ImageFormat } & NonNullable<Counted>> {
  const file = await open(disk, 'r');
  try {
    const { size } = await file.stat();
    if (wish.content === 'file') return { format: 'raw', bytes: size, virtualSize: size };
    const head = Buffer.alloc(Math.min(size, diskHeadBytes));
    await file.read(head, 0, head.length, 0);
    const look = lookAt(head, size);
    if ('refused' in look) throw refused(`The image ${look.refused}.`);
    const { format } = look;
    if ((look.virtualSize ?? size) > wish.mostVirtual) throw tooLargeForGuests(wish.mostVirtual);
    const { virtualSize } = await inspect(disk, format, signal);
    if (virtualSize > wish.mostVirtual) throw tooLargeForGuests(wish.mostVirtual);
    return { format, bytes: size, virtualSize };
  } finally {
    await file.close();
  }
}

const tooLargeForGuests = (most: number): Problem =>
  refused(`The disk is larger for a guest than the ${grouped(most)} bytes that it may have (its virtual size).`);

/**
 * Makes an image in a directory of its own, which becomes the image by being renamed: nothing is seen half, and of several who try, one is
 * it, and the others have what he made. What earlier tries left beside it goes.
 */
export async function inWork(
  base: string,
  claim: ImageClaim,
  make: (work: string) => Promise<MadeRecord>,
): Promise<KeptImage> {
  const { kept, staging } = layoutOf(base, claim);
  const work = join(staging, `work.${claim.epoch}.${randomUUID()}`);
  try {
    for (const name of await namesIn(staging))
      if (name.startsWith('work.') && Number(name.split('.')[1]) <= claim.epoch)
        await rm(join(staging, name), { recursive: true, force: true });
    await mkdir(work, { mode: modes.directory });
    await writeRecord(work, { ...(await make(work)), epoch: claim.epoch });
    await syncDirectory(work);
    await refuseStale(staging, claim);
    await mkdir(join(kept, '..'), { recursive: true, mode: modes.directory });
    await rename(work, kept);
    await syncDirectory(join(kept, '..'));
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    const code = codeOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
  const made = await findKept(base, claim);
  if (made === undefined) throw overtaken(claim.id);
  await rm(staging, { recursive: true, force: true });
  return made;
}
