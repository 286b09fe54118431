import type { FencingMethod } from '../../schemas/hosts/ha.js';

/** A method that needs nobody but this process. */
export type Automatic = Exclude<FencingMethod, { kind: 'manual' }>;

/** Turns hosts off. */
export interface Fencing {
  /**
   * The host is off when this resolves, be it by this call or before it; said again, it is so still. Throws `not_fenced` with the reason where
   * that is not so, or nobody knows: a failure never reads as done. Ends what it has begun when `signal` is aborted.
   */
  off(host: FencedHost, method: Automatic, signal: AbortSignal): Promise<void>;
}

/** What is told of a host that is to be off. */
export type FencedHost = { id: number; name: string };
