import type { CatalogueApp } from '../../domain/market/appliances.js';
import type { MarketKind } from '../../schemas/market/marketplace.js';
import type { OnProgress, StorageCapacity } from '../storage/port.js';

/** A marketplace as its adapter knows it. */
export type MarketTarget<K extends MarketKind = MarketKind> = { id: number; market_mad: K };

/** The bytes of an app: where they are, and what they are called there. A key is given once, and never guessed. */
export type StoredApp<K extends MarketKind = MarketKind> = { id: number; key: string; market: MarketTarget<K> };

/** What is to be published. It stays as it is until that has ended: who goes on reads it again. */
export type AppBytes = {
  total: number;
  /** Each piece is good until the next is asked for. */
  read: (offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
};

/** What was published, as it was found on its way. */
export type PublishedApp = { bytes: number; md5: string; sha256: string };

/** What lies in a marketplace of ours, for `fsck`. `whole: false`: it has begun to arrive. */
export type MarketInventory = { key: string; bytes: number; whole: boolean }[];

/** Which calls a kind of marketplace knows at all. */
export type MarketCapabilities = Readonly<{
  /** Apps are published in it, and removed from it. */
  publish: boolean;
  /** It has a catalogue of its own. */
  catalogue: boolean;
}>;

/**
 * What Arcus asks of a kind of marketplace. Every method may be called again with the same arguments, whenever and beside another try of
 * itself, and stops early, throwing the signal's reason, when the signal aborts. What is told apart:
 * - `backend_unavailable`: does not answer, or a fault of a disk; tried again.
 * - `datastore_full`: no room; not tried again.
 * - `source_refused`: what the operator does not allow, or what can never be read; not tried again.
 * - `taken`: somebody else has the app now.
 * What is refused because `can` says so is `not_implemented`. Nothing is seen half: an app is there whole, or is not.
 */
export interface Market<K extends MarketKind = MarketKind> {
  readonly can: MarketCapabilities;
  /** Bytes of what lies behind it; null: it has no bounds, nor bytes of its own. */
  capacity(market: MarketTarget<K>, signal: AbortSignal): Promise<StorageCapacity | null>;
  /**
   * Resolves when all bytes are there under the app's key, with what they sum up to. What an earlier try has brought stays, and is compared with what
   * is read: at most one part of it is sent again. `guard` throws where somebody else has the app: it is asked before anything new is begun.
   */
  publish(
    app: StoredApp<K>,
    from: AppBytes,
    guard: () => Promise<void>,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<PublishedApp>;
  /** Resolves when nothing of it is left, whole or begun. Succeeds when nothing was. */
  remove(app: StoredApp<K>, signal: AbortSignal): Promise<void>;
  /** What lies there under keys of ours. Other names are others’. */
  inventory(market: MarketTarget<K>, signal: AbortSignal): Promise<MarketInventory>;
  /** The apps of its own catalogue. One that cannot be read is left out, and counted. */
  catalogue(market: MarketTarget<K>, signal: AbortSignal): Promise<{ apps: CatalogueApp[]; unread: number }>;
}

/** The adapter of each marketplace. */
export type Markets = { of(market: Pick<MarketTarget, 'market_mad'>): Market };
