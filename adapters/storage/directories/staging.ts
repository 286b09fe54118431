import { join } from 'node:path';
import { Problem } from '../../../domain/problems.js';
import { type Chain, chainOf, comparePieces, latestEpoch, type Piece } from '../../../domain/storage/staging-chain.js';
import { grouped } from '../../../schemas/common/limits.js';
import { codeOf } from '../disk-fault.js';
import { mkdir, open, unlink } from '../machine/files.js';
import type { OpenFile } from '../machine/machine.js';
import type { Arrival, ImageClaim, OnProgress, Staged } from '../port.js';
import { untilAborted } from '../until-aborted.js';
import { modes } from './layout.js';
import { claimPiece, claimsIn, locate, pieceFile, piecesIn, takeFile } from './pieces.js';
import { readFrom, writeAll } from './write-file.js';

/** What has arrived lies in `directory`; `chainOf` says what of it counts. */
export const stagedIn = async (directory: string): Promise<Chain> => chainOf(await piecesIn(directory));

export const overtaken = (id: number): Problem =>
  new Problem('taken', `Somebody with a later claim works on image ${id}, or has removed it.`);

/** Another try has made a piece its own meanwhile: to look again says who is the later, and what there is now. */
const movedAway = (id: number): Problem =>
  new Problem('backend_unavailable', `Another try is at work on image ${id}, and has moved what had arrived.`);

/** Throws `taken` when somebody with a later epoch has begun. */
export async function refuseStale(directory: string, { id, epoch }: ImageClaim): Promise<void> {
  if (latestEpoch(await claimsIn(directory)) > epoch) throw overtaken(id);
}

/** Bytes after which a writer looks whether he has been overtaken: he spoils nothing, and takes room. */
const lookAfter = 32 * 1024 * 1024;

/** `Storage.append`, in a directory that is made when something begins. */
export async function appendTo(
  directory: string,
  claim: ImageClaim,
  arrival: Arrival,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<Staged> {
  try {
    if (arrival.offset === 0) await mkdir(directory, { recursive: true, mode: modes.directory });
    await refuseStale(directory, claim);
    const { name, file } = await beginPiece(directory, claim, arrival);
    let written = false;
    try {
      const bytes = await write(directory, name, file, claim, arrival, onProgress, signal);
      written = true;
      return { bytes, version: arrival.version, total: arrival.total };
    } finally {
      await endPiece(directory, name, file, written);
    }
  } catch (error) {
    // The directory goes with the image.
    throw codeOf(error) === 'ENOENT' ? overtaken(claim.id) : error;
  }
}

/** A file to write to that nobody else writes to: a new one, or that of the last piece, when nobody is at it. */
async function beginPiece(
  directory: string,
  { id, epoch }: ImageClaim,
  { offset, version, total }: Arrival,
): Promise<{ name: string; file: OpenFile }> {
  const pieces = await piecesIn(directory);
  const chain = chainOf(pieces);
  if (offset > chain.bytes)
    throw new Problem('taken', `Of image ${id} ${grouped(chain.bytes)} bytes have arrived, not ${grouped(offset)}.`);
  const [last, ...older] = [...pieces].sort((one, other) => comparePieces(other.name, one.name));
  if (last !== undefined && last.state === 'sealed' && offset === chain.bytes && offset > 0) {
    const name = await claimPiece(directory, epoch, { start: last.start, parent: last.parent, version, total });
    const path = pieceFile(directory, name, 'open');
    if (!(await takeFile(pieceFile(directory, last.name, 'sealed'), path))) throw movedAway(id);
    await unlink(join(directory, last.name)).catch(() => {});
    return { name, file: await open(path, 'a') };
  }
  const parent = offset === 0 ? null : (last?.name ?? null);
  const name = await claimPiece(directory, epoch, { start: offset, parent, version, total });
  const file = await open(pieceFile(directory, name, 'open'), 'ax', modes.file);
  if (offset === 0 && last !== undefined && comparePieces(last.name, name) < 0)
    await forget(directory, name, [last, ...older]);
  return { name, file };
}

/** What was there before something began anew. Who still writes to it writes to what has no name. */
async function forget(directory: string, name: string, pieces: readonly Piece[]): Promise<void> {
  for (const { name: older } of pieces.filter((piece) => comparePieces(piece.name, name) < 0)) {
    await locate(directory, older, unlink);
    await unlink(join(directory, older)).catch(() => {});
  }
}

async function write(
  directory: string,
  name: string,
  file: OpenFile,
  claim: ImageClaim,
  { offset, bytes, most, total }: Arrival,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<number> {
  let at = offset;
  let looked = offset;
  for await (const chunk of untilAborted(bytes, signal)) {
    if (at + chunk.length > most)
      throw new Problem(
        'image_refused',
        `Image ${claim.id} is larger than the ${grouped(most)} bytes that it may have.`,
      );
    await writeAll(file, chunk, null);
    at += chunk.length;
    onProgress({ phase: 'fetch', done: at, total });
    if (at - looked < lookAfter) continue;
    looked = at;
    await refuseOvertaken(directory, name, claim);
  }
  await file.datasync();
  await refuseOvertaken(directory, name, claim);
  return at;
}

async function refuseOvertaken(directory: string, name: string, { id }: ImageClaim): Promise<void> {
  const names = await claimsIn(directory);
  if (!names.includes(name) || names.some((other) => comparePieces(other, name) > 0)) throw overtaken(id);
}

/** A piece that nobody writes to any more, all of it on disk, says so. One that cannot be brought to disk does not. */
async function endPiece(directory: string, name: string, file: OpenFile, synced: boolean): Promise<void> {
  const kept =
    synced ||
    (await file.datasync().then(
      () => true,
      () => false,
    ));
  await file.close();
  if (kept) await takeFile(pieceFile(directory, name, 'open'), pieceFile(directory, name, 'sealed'));
}

/** The bytes of a chain, from an offset on. Pieces may change their state meanwhile, and what counts of them stays. */
export async function* readChain(
  directory: string,
  id: number,
  { parts }: Chain,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for (const { piece, bytes } of parts) {
    if (piece.start + bytes <= offset) continue;
    const [, file] = (await locate(directory, piece.name, (path) => open(path, 'r'))) ?? [];
    if (file === undefined) throw movedAway(id);
    try {
      for await (const chunk of readFrom(file, Math.max(0, offset - piece.start), bytes)) {
        signal.throwIfAborted();
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }
}
