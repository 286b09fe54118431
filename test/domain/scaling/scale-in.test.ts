import { describe, expect, it } from 'vitest';
import { whyNoneGo } from '../../../domain/scaling/scale-in.js';
import type { StaffedVm } from '../../../domain/scaling/staffing.js';
import { storedVmState } from '../../../domain/vms/vm-states.js';

const role = { name: 'web', cardinality: 4 };
const vms = [1, 2, 3, 4].map(
  (_id): StaffedVm => ({
    ...{ _id, ...storedVmState('ACTIVE/RUNNING'), hold: null, wanted: null },
    user_template: _id > 2 ? { PROTECTED: 'YES' } : {},
  }),
);
const refused = (wish: { cardinality: number; force?: boolean; vms?: number[] }) =>
  whyNoneGo(role, vms, { force: false, ...wish })?.findings.map(({ pointer, detail }) => `${pointer} ${detail}`) ??
  null;

describe('a role is made smaller', () => {
  it.each([
    ['by as many as are not protected', { cardinality: 2 }],
    ['by those that are named', { cardinality: 3, vms: [2] }],
    ['by protected ones that are named, by force', { cardinality: 2, vms: [3, 4], force: true }],
  ])('%s', (_, wish) => {
    expect(refused(wish)).toBeNull();
  });

  it.each([
    [
      'below what is protected',
      { cardinality: 1, force: true },
      [
        '/cardinality is 1, and 2 VMs of role web are protected. Name in `vms` those that are to go all the same, with force.',
      ],
    ],
    [
      'by protected ones without force',
      { cardinality: 2, vms: [1, 3] },
      ['/vms/1 VM 3 is protected: use force to have it go all the same.'],
    ],
    ['by those of others', { cardinality: 2, vms: [9] }, ['/vms/0 VM 9 is none of role web, or is on its way out.']],
    ['by fewer than are named', { cardinality: 3, vms: [1, 2] }, ['/vms names 2 VMs to go, and from 4 to 3 one goes.']],
    ['by any when it is made larger', { cardinality: 6, vms: [1] }, ['/vms names 1 VMs to go, and from 4 to 6 0 go.']],
  ])('not %s', (_, wish, findings) => {
    expect(refused(wish)).toEqual(findings);
  });
});
