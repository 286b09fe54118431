import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { progressText } from '../../../domain/operations/progress-text.js';
import { batchesOf, packed } from '../../../domain/vms/vm-batches.js';

const idsFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, at) => first + at);

describe('batches of VMs of several roles', () => {
  it('have each VM once, in their order, and fifty at most; what fills one goes alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 130 }), { maxLength: 40 }), (sizes) => {
        let next = 0;
        const portions = sizes.flatMap((size, role) => {
          next += size;
          return batchesOf(idsFrom(next - size, size)).map((vms) => ({ role, vms }));
        });
        const batches = packed(portions);
        for (const batch of batches) {
          const size = batch.reduce((sum, { vms }) => sum + vms.length, 0);
          expect(size).toBeGreaterThan(0);
          expect(size).toBeLessThanOrEqual(50);
          if (batch.some(({ vms }) => vms.length === 50)) expect(batch).toHaveLength(1);
        }
        const all = batches.flatMap((batch) => batch.flatMap(({ vms }) => vms));
        expect(all.toSorted((one, other) => one - other)).toEqual(idsFrom(0, next));
      }),
    );
  });

  it('are as few as they can be where every role has one VM', () => {
    expect(packed(idsFrom(0, 200).map((vm) => ({ role: vm, vms: [vm] })))).toHaveLength(4);
  });
});

describe('where the roles of a service stand', () => {
  it('is a line each, as long as they are few', () => {
    const stands = new Map([
      ['front', 'runs'],
      ['back', 'waits'],
    ]);
    expect(progressText(stands)).toBe('- role **front**: runs\n- role **back**: waits');
  });

  it('is a line for those that stand alike, where they are many', () => {
    const stands = new Map(idsFrom(0, 1_000).map((at) => [`r${at}`, at < 997 ? 'waits' : `failed: ${at}`]));
    expect(progressText(stands).split('\n')).toEqual([
      '- 997 roles (**r0**, **r1**, **r2**, **r3**, **r4** and 992 more): waits',
      ...[997, 998, 999].map((at) => `- role **r${at}**: failed: ${at}`),
    ]);
  });

  it('is never more than can be read', () => {
    const stands = new Map(idsFrom(0, 1_000).map((at) => [`r${at}`, `failed: ${at}`]));
    const lines = progressText(stands).split('\n');
    expect(lines).toHaveLength(31);
    expect(lines.at(-1)).toBe('- 970 more roles');
  });
});
