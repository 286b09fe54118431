import { expect, it } from 'vitest';
import { askerOf } from '../../../domain/operations/asker.js';
import { madeOperation } from '../../support/made-operation.js';

const scaling = (because?: string) =>
  madeOperation({
    ...{
      _id: 'op',
      kind: 'scaleRole',
      resource: { type: 'service', id: 1 },
      role: 'web',
      requester: { id: 2, name: 'alice' },
    },
    input: { from: 1, cardinality: 2, force: false, ...(because && { policy: { from: 1, because } }) },
  });

it.each([
  ['alice', undefined],
  ['policy 0, as alice', 'by policy 0: CPU[95] > 90 | A, B[1] > 2'],
  ['min_vms, as alice', 'by min_vms: it has 1 VM, below min_vms 2'],
  ['scheduled policy 1, as alice', 'by scheduled policy 1, due at 2026-11-28T12:00:00.000Z'],
])('an operation is told to be for %s', (expected, because) => {
  expect(askerOf(scaling(because))).toBe(expected);
});
