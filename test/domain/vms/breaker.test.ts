import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { after, breaker, brokenBy, nextSlice, type Streak, unbroken } from '../../../domain/vms/breaker.js';

/** Boots VMs of which each runs or fails, as a role's are; returns how many were, and how many at a time. */
function booted(fates: readonly boolean[]): { slices: number[]; streak: Streak } {
  const slices: number[] = [];
  let streak = unbroken;
  for (let left = fates; left.length > 0 && brokenBy(streak) === null; ) {
    const slice = left.slice(0, nextSlice(streak));
    left = left.slice(slice.length);
    slices.push(slice.length);
    streak = after(streak, slice);
  }
  return { slices, streak };
}
const of = (count: number, runs: boolean): boolean[] => Array.from({ length: count }, () => runs);

describe('VMs of a role that are booted', () => {
  it('are soon all on their way while they run', () => {
    expect(booted(of(1_000, true)).slices).toEqual([10, 40, 200, 200, 200, 200, 150]);
    expect(booted(of(7, true)).slices).toEqual([7]);
  });

  it('are no more once ten in a row have failed, whatever ran before', () => {
    expect(booted(of(1_000, false)).slices).toEqual([10]);
    expect(booted([true, ...of(989, false)])).toMatchObject({ slices: [10, 10], streak: { failed: 19 } });
    expect(booted([...of(10, true), ...of(5, false), true, ...of(984, false)]).slices).toEqual([10, 40]);
  });

  it('go on where some run among those that fail', () => {
    const fates = Array.from({ length: 100 }, (_, at) => at % 5 === 0);
    expect(booted(fates).slices.reduce((sum, count) => sum + count, 0)).toBe(100);
  });

  it('count for neither while it is not known what became of them', () => {
    expect(after({ running: 1, failed: 2 }, [undefined, undefined])).toEqual({ running: 1, failed: 2 });
  });

  it('that fail in a row are never more than the slice in which the tenth does', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (fates) => {
        const { slices, streak } = booted(fates);
        expect(slices.every((count) => count <= 200)).toBe(true);
        if (streak.failed < breaker) expect(slices.reduce((sum, count) => sum + count, 0)).toBe(fates.length);
        else expect(streak.failed).toBeLessThan(breaker + (slices.at(-1) ?? 0));
      }),
    );
  });
});
