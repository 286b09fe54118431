import { describe, expect, it } from 'vitest';
import { adjusted, withinLimits } from '../../../domain/scaling/adjustment.js';

describe('an adjustment', () => {
  it.each([
    ['CHANGE', 2, undefined, 4, 6],
    ['CHANGE', -3, undefined, 2, 0],
    ['CARDINALITY', 7, undefined, 3, 7],
    ['CARDINALITY', 0, undefined, 3, 0],
    ['PERCENTAGE_CHANGE', 50, undefined, 5, 7],
    ['PERCENTAGE_CHANGE', 10, undefined, 5, 6],
    ['PERCENTAGE_CHANGE', -10, undefined, 5, 4],
    ['PERCENTAGE_CHANGE', -10, 2, 5, 3],
    ['PERCENTAGE_CHANGE', 10, undefined, 0, 1],
    ['PERCENTAGE_CHANGE', -10, 2, 0, 0],
    ['PERCENTAGE_CHANGE', 0, 2, 5, 5],
    ['PERCENTAGE_CHANGE', -200, undefined, 5, 0],
  ] as const)('%s %i, at least %s, makes of %i VMs %i', (type, adjust, min_adjust_step, from, to) => {
    expect(adjusted(from, { type, adjust, min_adjust_step })).toBe(to);
  });
});

describe('limits of a role', () => {
  it.each([
    ['above max_vms', 4, 9, 5],
    ['below min_vms', 4, 0, 2],
    ['within', 3, 4, 4],
    ['forced above max_vms, and wanted higher', 8, 10, 8],
    ['forced above max_vms, and wanted lower', 8, 7, 5],
    ['forced above max_vms, and wanted where it was', 8, 8, 8],
    ['below min_vms, and wanted lower', 1, 0, 1],
    ['below min_vms, and wanted higher', 0, 1, 2],
  ])('bring one that is wanted %s from %i, at %i, to %i', (_, cardinality, to, within) => {
    expect(withinLimits({ cardinality, min_vms: 2, max_vms: 5 }, to)).toBe(within);
  });
});
