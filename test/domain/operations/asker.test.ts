import { expect, it } from 'vitest';
import { askerOf, decidedBy } from '../../../domain/operations/asker.js';
import type { DecidedBy } from '../../../schemas/operations/inputs.js';
import { madeOperation } from '../../support/made-operation.js';

const resource = { type: 'service', id: 1 } as const;
const who = { _id: 'op', resource, role: 'web', requester: { id: 2, name: 'alice' } };
/** The sentence says what it likes: who has decided does not stand in it. */
const scaling = (by?: DecidedBy) =>
  madeOperation({
    ...{ ...who, kind: 'scaleRole' },
    input: {
      from: 1,
      cardinality: 2,
      force: false,
      policy: { from: 1, because: 'by bob: B[1] > 2', ...(by && { by }) },
    },
  });
const action = (by?: DecidedBy) =>
  madeOperation({
    ...{ ...who, kind: 'performOnRole' },
    input: { action: 'resume', vms: [1], number: null, period: 0, ...(by && { policy: { by } }) },
  });

it.each<[string | null, DecidedBy | undefined]>([
  [null, undefined],
  ['policy 0', { kind: 'elasticity', policy: 0 }],
  ['min_vms', { kind: 'min_vms' }],
  ['scheduled policy 1', { kind: 'schedule', policy: 1 }],
])('an operation is told to be for %s', (expected, by) => {
  for (const operation of [scaling(by), action(by)]) {
    expect(decidedBy(operation)).toBe(expected);
    expect(askerOf(operation)).toBe(expected === null ? 'alice' : `${expected}, as alice`);
  }
});
