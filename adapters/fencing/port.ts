import type { Automatic } from '../../domain/hosts/fencing-methods.js';

/** Whether a host has power. */
export type Power = 'on' | 'off';

/** What is told of a host that is to be off. */
export type FencedHost = { id: number; name: string };

/**
 * Turns hosts off, and on again. Throws `not_fenced` with the reason where what was asked for is not so, or nobody knows: a failure never reads as
 * done. Each call takes as long as its method says at most, may come twice, and ends what it has begun when `signal` is aborted.
 */
export interface Fencing {
  /** Whether it has power. */
  status(host: FencedHost, method: Automatic, signal: AbortSignal): Promise<Power>;
  /** The host is off when this resolves, be it by this call or before it; said again, it is so still. */
  off(host: FencedHost, method: Automatic, signal: AbortSignal): Promise<void>;
  /** The same with its power on: its system may be about to start still. */
  on(host: FencedHost, method: Automatic, signal: AbortSignal): Promise<void>;
}
