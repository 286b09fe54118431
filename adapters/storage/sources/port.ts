/** Where the bytes of an image come from. A new kind of source is a member of this, and a file beside this one. */
export type SourceAddress = { path: string } | { url: string } | { object: MarketObject };

/** What has no address of its own: the bytes of an app in a marketplace that is reached with its keys. */
export type MarketObject = { market: number; key: string };
/** Opens one. */
export type OpenObject = (object: MarketObject, from: SourceOffset, signal: AbortSignal) => Promise<SourceBytes>;

/** Where to go on, of what was said when it began. */
export type SourceOffset = { offset: number; version: string | null };

/** A source that was opened. Whoever opened it closes it, whether it was read or not. */
export type SourceBytes = {
  /** Where its bytes begin: at what was asked for, or at 0 where it has changed since, or cannot begin elsewhere. */
  offset: number;
  /** Bytes of the whole; null: it does not say. */
  total: number | null;
  /** What tells it from what it may become: an entity tag, a time of change. null: nothing does, and nobody can go on with it. */
  version: string | null;
  /** Each piece is good until the next is asked for. Throws `backend_unavailable` when it ends before its length, or is silent for too long. */
  bytes: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
};

/**
 * Opens what images are made of. Throws `source_refused` for what may not be read or is not there (a path outside the safe directories,
 * an address of a network that is kept from use, 404), `backend_unavailable` for what may work when it is tried again.
 */
export interface Sources {
  open(address: SourceAddress, from: SourceOffset, signal: AbortSignal): Promise<SourceBytes>;
}
