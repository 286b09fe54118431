import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slicesLeft, whyRefused } from '../../../domain/scaling/performing.js';
import type { Performed } from '../../../schemas/operations/vm-action.js';

const now = new Date('2026-11-28T12:00:00.000Z');
const said = (secondsAgo: number, outcome: Performed['outcome'] = 'asked', why: string | null = null): Performed => ({
  ...{ at: new Date(now.getTime() - secondsAgo * 1_000), outcome, op: null, why },
});
const input = { action: 'resume' as const, vms: [1, 2, 3, 4, 5], number: 2, period: 60 };

describe('slices of VMs', () => {
  it.each([
    ['nothing is done', {}, 0, [[1, 2], [3, 4], [5]]],
    ['all come at once', {}, 0, [[1, 2, 3, 4, 5]], null],
    ['one is half done', { 1: said(1), 2: said(1), 3: said(1) }, 0, [[4], [5]]],
    ['one is done: the next waits for the rest of the period', { 1: said(30), 2: said(20) }, 40_000, [[3, 4], [5]]],
    ['the period is over', { 1: said(300), 2: said(200) }, 0, [[3, 4], [5]]],
    ['all is done', { 1: said(1), 2: said(1), 3: said(1), 4: said(1), 5: said(1) }, 0, []],
  ])('when %s', (_when, done, wait, slices, number: number | null = 2) => {
    expect(slicesLeft({ ...input, number }, done, now)).toEqual({ wait, slices });
  });

  it('have every VM once that was not asked, in its order, and no more than so many', () => {
    const given = fc.record({
      count: fc.nat(40),
      number: fc.option(fc.integer({ min: 1, max: 45 })),
      done: fc.uniqueArray(fc.nat(45)),
    });
    fc.assert(
      fc.property(given, ({ count, number, done }) => {
        const vms = Array.from({ length: count }, (_, vm) => vm);
        const { slices } = slicesLeft(
          { ...input, vms, number },
          Object.fromEntries(done.map((vm) => [vm, said(1)])),
          now,
        );
        expect(slices.flat()).toEqual(vms.filter((vm) => !done.includes(vm)));
        for (const slice of slices) expect(slice.length).toBeLessThanOrEqual(number ?? count);
      }),
    );
  });
});

describe('an action that has come to all its VMs', () => {
  it('has failed with what the first of those say that refused it', () => {
    const why = (vm: number) => said(1, 'refused', `VM ${vm} runs.`);
    expect(whyRefused(input, { 1: said(1), 2: said(1, 'gone') })).toBeNull();
    expect(whyRefused(input, { 2: why(2), 3: why(3), 4: why(4), 5: why(5) })).toBe(
      '4 of 5 VMs refused resume: VM 2: VM 2 runs; VM 3: VM 3 runs; VM 4: VM 4 runs; 1 more',
    );
  });
});
