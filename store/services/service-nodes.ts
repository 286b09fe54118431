import type { Vm } from '../../schemas/vms/vm.js';

/** A VM as its service shows it; of its user template READY only. */
export type ServiceNode = Pick<
  Vm,
  '_id' | 'name' | 'state' | 'lcm_state' | 'reason' | 'service' | 'history' | 'user_template' | 'created_at'
>;

/** The projection of an aggregation that gives a ServiceNode. */
export const nodeFields = {
  ...{ name: 1, state: 1, lcm_state: 1, reason: 1, service: 1, created_at: 1, 'user_template.READY': 1 },
  // Without why it was put there.
  history: {
    $map: {
      input: { $slice: ['$history', -1] },
      as: 'stay',
      in: { $setField: { field: 'placed', input: '$$stay', value: '$$REMOVE' } },
    },
  },
} as const;
