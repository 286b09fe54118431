import { expect, it } from 'vitest';
import { isFurther } from '../../../domain/storage/image-progress.js';
import { limits } from '../../../schemas/common/limits.js';

const least = limits.slowest.most;
const at = (phase: 'fetch' | 'check' | 'unpack', done: number, total: number | null = null) => ({ phase, done, total });

it.each([
  ['the first byte', null, at('fetch', 1), true],
  ['nothing', null, at('fetch', 0), false],
  ['enough', at('fetch', 10), at('fetch', 10 + least), true],
  ['a trickle', at('fetch', 10), at('fetch', 9 + least), false],
  ['the last bytes', at('fetch', 10), at('fetch', 11, 11), true],
  ['the end again', at('fetch', 11), at('fetch', 11, 11), false],
  ['what was fetched before, again', at('fetch', 5 * least), at('fetch', 2 * least), false],
  ['the next phase', at('fetch', 5 * least), at('check', 1), true],
  ['a phase that is over, again', at('unpack', 1), at('check', 5 * least), false],
])('%s is further, or not', (_what, before, now, further) => {
  expect(isFurther(now, before)).toBe(further);
});
