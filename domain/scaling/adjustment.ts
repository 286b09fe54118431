import type { RoleTemplate } from '../../schemas/services/service-template.js';

/** What a policy, of whatever kind, makes of the cardinality of its role. */
export type Adjustment = {
  type: 'CHANGE' | 'CARDINALITY' | 'PERCENTAGE_CHANGE';
  adjust: number;
  min_adjust_step?: number | undefined;
};

/**
 * The cardinality that an adjustment leads to, before the limits of the role. A percentage is cut to whole VMs, and is at
 * least one, then at least `min_adjust_step`; from 0 on, one that adds gives the same.
 */
export function adjusted(cardinality: number, { type, adjust, min_adjust_step = 1 }: Adjustment): number {
  switch (type) {
    case 'CARDINALITY':
      return Math.max(0, adjust);
    case 'CHANGE':
      return Math.max(0, cardinality + adjust);
    case 'PERCENTAGE_CHANGE': {
      const share = Math.trunc(Math.abs(cardinality * adjust) / 100);
      return Math.max(0, cardinality + Math.sign(adjust) * Math.max(1, share, min_adjust_step));
    }
  }
}

/**
 * Where a policy may bring a role that it wants at `to`: within min_vms and max_vms. One that people have forced above
 * max_vms is never raised further, and one below min_vms never lowered; what would turn into its opposite changes nothing.
 */
export function withinLimits(
  {
    cardinality,
    min_vms = 0,
    max_vms = Number.POSITIVE_INFINITY,
  }: Pick<RoleTemplate, 'cardinality' | 'min_vms' | 'max_vms'>,
  to: number,
): number {
  const within = Math.min(Math.max(to, min_vms), max_vms);
  const isTurned = Math.sign(within - cardinality) !== Math.sign(to - cardinality);
  return isTurned ? cardinality : within;
}
