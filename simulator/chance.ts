import { createHash } from 'node:crypto';
import type { Span } from '../schemas/hosts/simulator.js';

/**
 * A number in [0, 1) that depends on its arguments alone: the order in which concurrent calls happen to arrive cannot
 * change what befalls each of them, and a run can be repeated.
 */
export function chance(...about: readonly (string | number)[]): number {
  return createHash('sha1').update(JSON.stringify(about)).digest().readUInt32BE(0) / 2 ** 32;
}

/** Milliseconds within the span. */
export function spanOf(span: Span, ...about: readonly (string | number)[]): number {
  if (typeof span === 'number') return span;
  return Math.round(span.min + chance(...about) * (span.max - span.min));
}
