import fc from 'fast-check';
import { expect, it } from 'vitest';
import { portionsOf } from '../../domain/portions.js';

it('puts things into portions in their order, the last one being what is left', () => {
  expect(portionsOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(portionsOf([1, 2, 3, 4], 2)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(portionsOf([1, 2], 50)).toEqual([[1, 2]]);
  expect(portionsOf([], 2)).toEqual([]);
});

it('loses nothing, and fills each portion but the last', () =>
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 20 }), (things, most) => {
      const portions = portionsOf(things, most);
      expect(portions.flat()).toEqual(things);
      expect(portions.slice(0, -1).every((portion) => portion.length === most)).toBe(true);
      expect(portions.every((portion) => portion.length > 0 && portion.length <= most)).toBe(true);
    }),
  ));
