import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { nextPiece, type Piece, type PieceState, pieceNumbers } from '../../../domain/storage/staging-chain.js';
import { codeOf } from '../disk-fault.js';
import { bootOf, link, readdir, readFile, rename, stat, unlink, writeFile } from '../machine/files.js';
import { modes } from './layout.js';

/**
 * The pieces of what arrives, as files of one directory. `5.1` is the claim of a piece: where it begins and on what it stands; it appears whole, and once,
 * for it is linked. `5.1.open`, `.sealed` or `.final` has its bytes.
 */
const Claim = z.object({
  start: z.int().min(0),
  parent: z.string().nullable(),
  version: z.string().nullable(),
  total: z.int().nullable(),
  /** Since when the machine runs that began it: what was not sealed before it fell may be there by its length alone. */
  boot: z.string().nullable(),
});
type Claim = z.infer<typeof Claim>;

const states: readonly PieceState[] = ['open', 'sealed', 'final'];
export const pieceFile = (directory: string, name: string, state: PieceState): string =>
  join(directory, `${name}.${state}`);

/** Names of the claims in a directory; none when there is no directory. */
export async function claimsIn(directory: string): Promise<string[]> {
  return (await namesIn(directory)).filter((name) => pieceNumbers(name) !== undefined);
}

export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** All pieces that have bytes, or may have. What goes while it is looked at is not there. */
export async function piecesIn(directory: string): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for (const name of await claimsIn(directory)) {
    const claim = await readClaim(join(directory, name));
    const file = await locate(directory, name, async (path) => (await stat(path)).size);
    if (claim === undefined || file === undefined) continue;
    const [state, bytes] = file;
    const { start, parent, version, total } = claim;
    const believed = state !== 'open' || claim.boot === (await bootOf(directory));
    pieces.push({ name, state, start, parent, version, total, bytes: believed ? bytes : 0 });
  }
  return pieces;
}

/** Does something with the file of a piece, whatever its state: looked for in the order in which they follow each other, it is not missed. */
export async function locate<T>(
  directory: string,
  name: string,
  what: (path: string) => Promise<T>,
): Promise<[PieceState, T] | undefined> {
  for (const state of states) {
    try {
      return [state, await what(pieceFile(directory, name, state))];
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  return undefined;
}

async function readClaim(path: string): Promise<Claim | undefined> {
  try {
    return Claim.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Takes the next name of an epoch for a piece, alone: who asks at the same time has another. */
export async function claimPiece(directory: string, epoch: number, claim: Omit<Claim, 'boot'>): Promise<string> {
  const draft = join(directory, `draft.${randomUUID()}`);
  await writeFile(draft, JSON.stringify({ ...claim, boot: await bootOf(directory) }), { mode: modes.file, flag: 'wx' });
  try {
    for (;;) {
      const name = nextPiece(await claimsIn(directory), epoch);
      try {
        await link(draft, join(directory, name));
        return name;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
  } finally {
    await unlink(draft).catch(() => {});
  }
}

/** Whether this one was it that took the file of a piece, or of another, for its own: of several who try, one is. */
export async function takeFile(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
