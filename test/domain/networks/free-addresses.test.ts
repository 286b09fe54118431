import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstRun, gapsIn, inTurn, partsFrom, someOf } from '../../../domain/networks/free-addresses.js';
import { leaseKey, leaseKeys } from '../../../domain/networks/lease-key.js';

const takenOf = (size: number) =>
  fc.uniqueArray(fc.nat(size - 1), { maxLength: size }).map((some) => some.toSorted((a, b) => a - b));
const world = fc.integer({ min: 1, max: 200 }).chain((size) => fc.tuple(fc.constant(size), takenOf(size)));

describe('what is free', () => {
  it('and what is taken are all there is, and have nothing in common', () => {
    fc.assert(
      fc.property(world, ([size, taken]) => {
        const all = [...gapsIn(taken, 0, size), ...taken].toSorted((a, b) => a - b);
        expect(all).toEqual(Array.from({ length: size }, (_, at) => at));
      }),
    );
  });

  it('is chosen each once, and as many as there are', () => {
    fc.assert(
      fc.property(
        world,
        fc.nat(250),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        ([size, taken], count, chance) => {
          const gaps = gapsIn(taken, 0, size);
          const chosen = someOf(gaps, count, () => chance);
          expect(new Set(chosen).size).toBe(Math.min(count, gaps.length));
          expect(chosen.every((one) => gaps.includes(one))).toBe(true);
        },
      ),
    );
  });

  it('is looked for in parts that are the whole range once, from where the turn is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70_000 }), fc.nat(), (size, at) => {
        const parts = [...partsFrom(at % size, size)];
        expect(parts.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(size);
        expect(parts[0]?.from).toBe(at % size);
        expect(parts.length).toBeLessThan(14);
        const sorted = parts.toSorted((a, b) => a.from - b.from);
        expect(sorted.every(({ from }, nth) => from === (sorted[nth - 1]?.to ?? 0))).toBe(true);
      }),
    );
  });

  it('in a row is the first that is as long', () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 50 }), ([size, taken], count) => {
        const isFree = (from: number) =>
          from + count <= size && !taken.some((index) => index >= from && index < from + count);
        const expected = Array.from({ length: size }, (_, at) => at).find(isFree) ?? null;
        expect(firstRun(taken, size, count)).toBe(expected);
      }),
    );
  });

  it('comes in turn, each once until all have', () => {
    expect(inTurn(0, 3, 10)).toEqual([0, 1, 2]);
    expect(inTurn(8, 4, 10)).toEqual([8, 9, 0, 1]);
    expect(inTurn(8, 40, 3)).toEqual([2, 0, 1]);
  });
});

it('an address has a key that is in order, within its range and its network', () => {
  const place = fc.record({ network: fc.nat(3_000_000), ar_id: fc.nat(4_095), index: fc.nat(65_535) });
  fc.assert(
    fc.property(place, place, (one, other) => {
      const order = (a: typeof one) => [a.network, a.ar_id, a.index];
      const [a, b] = [order(one), order(other)];
      const at = a.findIndex((part, nth) => part !== b[nth]);
      const expected = at === -1 ? 0 : Math.sign((a[at] ?? 0) - (b[at] ?? 0));
      expect(Math.sign(leaseKey(one) - leaseKey(other))).toBe(expected);
      const key = leaseKey(one);
      for (const { $gte, $lt } of [leaseKeys(one.network), leaseKeys(one.network, { ar_id: one.ar_id })])
        expect(key >= $gte && key < $lt && Number.isSafeInteger(key)).toBe(true);
    }),
  );
});
