import type { Refusal, Unreachable } from './errors.js';

/** The server is not there, or says that it cannot do it now. */
export type Lost = Unreachable | Refusal;

/** How one request differs from others. */
export type Manner = {
  /** Ends it early; the reason of the signal is thrown as it is. */
  signal?: AbortSignal | undefined;
  /** Milliseconds in which each answer must come; absent: a minute. */
  within?: number | undefined;
};

/**
 * Asks again what is lost: after each of these pauses, in milliseconds. `lost` is told each time, with the pause that
 * follows; null: it was the last try, and the error is thrown.
 */
export type Again = { pauses: readonly number[]; lost?: (error: Lost, pause: number | null) => void };

/** What is only read may be asked for again. */
export type ReadManner = Manner & { again?: Again | undefined };

/** What a request may carry. */
export type EachManner = Manner & {
  /** Sent as Idempotency-Key: the same request under the same key is done once. */
  key?: string | undefined;
  /** Sent as If-Match, the tag of what was read: what has been changed since is not written over. */
  unchanged?: string | undefined;
  /** Further ones. */
  headers?: Readonly<Record<string, string>> | undefined;
};

/** What changes something may be sent again under a key alone. */
export type SendManner = EachManner & ({ again?: undefined } | { key: string; again?: Again | undefined });
