import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HealthVm, serviceHealth } from '../../domain/service-health.js';
import { storedVmState, type VmStateName, vmStateNames } from '../../domain/vm-states.js';
import { deployingService } from '../support/deploying-service.js';

const service = (state: 'RUNNING' | 'WARNING', cardinality = 2) => {
  const { roles } = deployingService(1, 'op');
  return { state, roles: roles.slice(0, 1).map((role) => ({ ...role, cardinality, state })) };
};
const vm = (id: number, name: VmStateName, over: Partial<HealthVm> = {}): HealthVm => ({
  ...{ _id: id, name: `front_${id}`, ...storedVmState(name), reason: null, wanted: null },
  ...{ service: { id: 1, role: 'front', ordinal: id }, ...over },
});
const well = vm(1, 'ACTIVE/RUNNING');

describe('a service that was deployed', () => {
  it.each<[string, HealthVm[], string | null]>([
    ['whose VMs run', [well, vm(2, 'ACTIVE/RUNNING')], null],
    ['of which a VM is powered off', [well, vm(2, 'POWEROFF')], null],
    ['that has more VMs than it should', [well, vm(2, 'ACTIVE/RUNNING'), vm(3, 'ACTIVE/RUNNING')], null],
    [
      'of which a VM is UNKNOWN',
      [well, vm(2, 'ACTIVE/UNKNOWN', { reason: 'no route' })],
      '1 of 2 VMs run: VM 2 (front_2) is UNKNOWN: no route',
    ],
    ['of which a VM failed', [well, vm(2, 'ACTIVE/BOOT_FAILURE')], '1 of 2 VMs run: VM 2 (front_2) is BOOT_FAILURE'],
    ['of which a VM was terminated', [well], '1 of 2 VMs run: VM 9 (front_9) was terminated'],
    [
      'of which a VM is being terminated',
      [well, vm(2, 'ACTIVE/RUNNING', { wanted: 'op' })],
      '1 of 2 VMs run: VM 2 (front_2) is being terminated',
    ],
    [
      'of which one is missing and one powered off',
      [vm(2, 'POWEROFF')],
      '0 of 2 VMs run: VM 9 (front_9) was terminated; VM 2 (front_2) is powered off',
    ],
    ['that has lost all', [], '0 of 2 VMs run: VM 9 (front_9) was terminated; VM 8 (front_8) was terminated'],
  ])('%s', (_, vms, reason) => {
    const gone = new Map([['front', [9, 8, 7].map((_id) => ({ _id, name: `front_${_id}` }))]]);
    for (const state of ['RUNNING', 'WARNING'] as const) {
      const health = serviceHealth(service(state), vms, gone);
      const becomes = reason === null ? 'RUNNING' : 'WARNING';
      expect(health).toMatchObject({ state: becomes, roles: [{ name: 'front', state: becomes, reason }] });
    }
  });

  it.each(['RUNNING', 'WARNING'] as const)('stays %s while a VM of it is on its way', (state) => {
    for (const name of ['PENDING', 'ACTIVE/PROLOG', 'ACTIVE/BOOT', 'ACTIVE/SHUTDOWN'] as const)
      expect(serviceHealth(service(state), [well, vm(2, name)])?.state, name).toBe(state);
  });

  it('is judged by no other state', () => {
    for (const state of ['PENDING', 'DEPLOYING', 'UNDEPLOYING', 'DONE', 'FAILED_DEPLOYING', 'COOLDOWN'] as const)
      expect(serviceHealth({ ...service('RUNNING'), state }, [])).toBeNull();
  });

  it('is judged the same when it is judged again, and is RUNNING exactly when nothing is amiss', () => {
    const anyVm = fc.tuple(fc.constantFrom(...vmStateNames), fc.boolean());
    fc.assert(
      fc.property(fc.array(anyVm, { maxLength: 5 }), fc.integer({ min: 0, max: 4 }), (states, cardinality) => {
        const vms = states.map(([name, leaves], id) => vm(id, name, { wanted: leaves ? 'op' : null }));
        const before = service('RUNNING', cardinality);
        const once = serviceHealth(before, vms);
        const roles = before.roles.map((role, at) => ({ ...role, ...once?.roles[at] }));
        const again = serviceHealth({ state: once?.state ?? 'RUNNING', roles }, vms);
        expect(again).toEqual(once);
        const its = vms.filter(({ state, wanted }) => state !== 'DONE' && wanted === null);
        const amiss = its.some(({ lcm_state }) => /FAILURE|UNKNOWN/.test(lcm_state)) || its.length < cardinality;
        expect(once?.state).toBe(amiss ? 'WARNING' : 'RUNNING');
      }),
    );
  });
});
