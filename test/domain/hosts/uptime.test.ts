import { expect, it } from 'vitest';
import { isStartedAnew, isWorthNoting } from '../../../domain/hosts/uptime.js';

it.each([
  [undefined, 5, false],
  [5, undefined, false],
  [1_000, 1_020, false],
  // What is measured is rough.
  [1_000, 990, false],
  [1_000, 20, true],
  [1_000, 0, true],
])('a host that had been up for %s and now for %s was started anew: %s', (before, now, is) =>
  expect(isStartedAnew(before, now)).toBe(is),
);

it('is written down where it says something new', () => {
  expect([undefined, 1_000, 2_000, 800, 100].map((before) => isWorthNoting(before, 1_000))).toEqual([
    true,
    false,
    true,
    true,
    true,
  ]);
});
