/**
 * What has arrived of an image, out of the pieces that any number of tries have written, some of which may still write. Each piece says where
 * it begins and on which other it stands; a piece only ever grows. So whatever somebody has built on stays as it was, and who still writes to a
 * piece that another stands on spoils nothing: of that piece only what lies before the other's beginning counts.
 */

/** Who may write to a piece. `open`: somebody, perhaps; `sealed`: nobody, until it is taken by being renamed; `final`: nobody ever again. */
export type PieceState = 'open' | 'sealed' | 'final';

export type Piece = {
  /** `<epoch>.<number>`: of each epoch the numbers rise. */
  name: string;
  state: PieceState;
  /** Of the whole, where its first byte is. */
  start: number;
  /** Bytes that it has now. */
  bytes: number;
  /** The piece that it stands on; null: it begins anew. */
  parent: string | null;
  version: string | null;
  total: number | null;
};

/** Bytes to be read of a piece, from its beginning. */
export type Part = { piece: Piece; bytes: number };
export type Chain = { bytes: number; version: string | null; total: number | null; parts: Part[] };

const nothing: Chain = { bytes: 0, version: null, total: null, parts: [] };

/** `12.3` as [12, 3]; undefined: not the name of a piece. */
export function pieceNumbers(name: string): [epoch: number, number: number] | undefined {
  const [epoch, number, ...more] = name.split('.');
  if (epoch === undefined || number === undefined || more.length > 0) return undefined;
  if (!/^\d{1,15}$/.test(epoch) || !/^\d{1,15}$/.test(number)) return undefined;
  return [Number(epoch), Number(number)];
}

/** Below 0: `one` is older than `other`. What is no name of a piece is older than all. */
export function comparePieces(one: string, other: string): number {
  const [epoch, number] = pieceNumbers(one) ?? [-1, -1];
  const [otherEpoch, otherNumber] = pieceNumbers(other) ?? [-1, -1];
  return epoch - otherEpoch || number - otherNumber;
}

/** The latest epoch that has begun to write, by the names of its pieces; -1: none has. */
export const latestEpoch = (names: readonly string[]): number =>
  names.reduce((latest, name) => Math.max(latest, pieceNumbers(name)?.[0] ?? -1), -1);

/** The name that the next piece of an epoch has. */
export function nextPiece(names: readonly string[], epoch: number): string {
  const numbers = names.flatMap((name) => {
    const [its, number] = pieceNumbers(name) ?? [-1, 0];
    return its === epoch ? [number] : [];
  });
  return `${epoch}.${Math.max(0, ...numbers) + 1}`;
}

/**
 * The chain that ends with the latest piece. One that stands on what is gone or too short is no chain, and nothing has arrived: what it
 * stood on was taken away by somebody with a stale claim.
 */
export function chainOf(pieces: readonly Piece[]): Chain {
  const byName = new Map(pieces.map((piece) => [piece.name, piece]));
  const latest = [...pieces].sort((one, other) => comparePieces(other.name, one.name))[0];
  if (latest === undefined) return nothing;
  const bytes = latest.start + latest.bytes;
  const parts: Part[] = [];
  let end = bytes;
  for (let piece = latest; ; ) {
    if (piece.start < end) {
      if (piece.start + piece.bytes < end) return nothing;
      parts.unshift({ piece, bytes: end - piece.start });
      end = piece.start;
    }
    if (end === 0) return { bytes, version: latest.version, total: latest.total, parts };
    const below = piece.parent === null ? undefined : byName.get(piece.parent);
    // What is stood on is older, always: a circle cannot be.
    if (below === undefined || comparePieces(below.name, piece.name) >= 0) return nothing;
    piece = below;
  }
}
