import { expect, it } from 'vitest';
import { clauses, clock, few, lengthOf, listed, sentence, times, when } from '../../domain/words.js';

it('tells lengths of time as people say them', () => {
  expect([-5, 999, 1_000, 89_499, 90_000, 90 * 60_000, 48 * 3_600_000].map(lengthOf)).toEqual([
    ...['less than a second', 'less than a second', '1 s', '89 s', '2 min', '2 h', '2 days'],
  ]);
  expect([1, 2, 3].map(times)).toEqual(['once', 'twice', '3 times']);
});

it('says the date with a time of day that is not of today', () => {
  const now = new Date('2026-05-04T14:00:00Z');
  expect(clock(new Date('2026-05-04T14:03:22.5Z'), now)).toBe('14:03:22Z');
  expect(clock(new Date('2026-05-03T23:59:59Z'), now)).toBe('2026-05-03 23:59:59Z');
  expect(when(new Date('2026-05-04T14:00:08Z'), now)).toBe('in 8 s, at 14:00:08Z');
  expect(when(new Date('2026-05-04T13:59:48Z'), now)).toBe('12 s ago, at 13:59:48Z');
});

it('lists what there is, or the first few and how many more', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((items) => listed(items))).toEqual([
    ...['', 'a', 'a and b', 'a, b and c'],
  ]);
  expect(listed(['a', 'b'], 'or')).toBe('a or b');
  expect(few(['a', 'b', 'c'])).toBe('a, b and c');
  expect(few(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more');
});

it('ends sentences with one full stop, and puts several into one', () => {
  expect(['It is so', 'It is so.', 'Is it so?'].map(sentence)).toEqual(['It is so.', 'It is so.', 'Is it so?']);
  expect(clauses(['It is so.', 'it waits...', 'it is not'])).toBe('It is so; it waits...; it is not');
});
