import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HealthVm, serviceHealth } from '../../../domain/services/service-health.js';
import { storedVmState, type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';
import { deployingService } from '../../support/deploying-service.js';

const now = new Date(0);
type State = 'RUNNING' | 'WARNING' | 'FAILED_DEPLOYING';
const service = (state: State, cardinality = 2, gate = false) => {
  const { roles } = deployingService(1, 'op');
  const only = roles.slice(0, 1).map((role) => ({ ...role, cardinality, state }));
  return { state, roles: only, body: { ready_status_gate: gate } };
};
const vm = (id: number, name: VmStateName, over: Partial<HealthVm> = {}): HealthVm => ({
  ...{ _id: id, name: `front_${id}`, ...storedVmState(name), reason: null, wanted: null, user_template: {} },
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
    ['of which a VM is missing', [well], '1 of 2 VMs run: 1 is missing'],
    ['of which somebody terminates a VM', [well, vm(2, 'ACTIVE/SHUTDOWN', { wanted: 'op' })], null],
    [
      'of which a VM was left behind on a silent host, and the other is not there yet',
      [well, vm(2, 'ACTIVE/UNKNOWN', { wanted: 'op', left_behind: 'op' })],
      '1 of 2 VMs run: 1 is missing',
    ],
    [
      'of which one is missing and one powered off',
      [vm(2, 'POWEROFF')],
      '0 of 2 VMs run: 1 is missing; VM 2 (front_2) is powered off',
    ],
    ['that has lost all', [], '0 of 2 VMs run: 2 are missing'],
  ])('%s', (_, vms, reason) => {
    for (const state of ['RUNNING', 'WARNING'] as const) {
      const health = serviceHealth(service(state), vms, now);
      const becomes = reason === null ? 'RUNNING' : 'WARNING';
      expect(health).toMatchObject({ state: becomes, roles: [{ name: 'front', state: becomes, reason }] });
    }
  });

  it.each(['RUNNING', 'WARNING'] as const)('stays %s while a VM of it is on its way', (state) => {
    for (const name of ['PENDING', 'ACTIVE/PROLOG', 'ACTIVE/BOOT', 'ACTIVE/SHUTDOWN'] as const)
      expect(serviceHealth(service(state), [well, vm(2, name)], now)?.state, name).toBe(state);
  });

  it('is judged by no other state', () => {
    for (const state of ['PENDING', 'DEPLOYING', 'UNDEPLOYING', 'DONE', 'FAILED_UNDEPLOYING'] as const)
      expect(serviceHealth({ ...service('RUNNING'), state }, [], now)).toBeNull();
  });

  it('of no VMs at all runs where it is to have none', () => {
    expect(serviceHealth(service('WARNING', 0), [], now)).toMatchObject({
      state: 'RUNNING',
      roles: [{ state: 'RUNNING' }],
    });
  });

  it('is judged the same when it is judged again, and is RUNNING exactly when nothing is amiss', () => {
    const anyVm = fc.tuple(fc.constantFrom(...vmStateNames), fc.constantFrom('stays', 'departs', 'is left behind'));
    fc.assert(
      fc.property(fc.array(anyVm, { maxLength: 5 }), fc.integer({ min: 0, max: 4 }), (states, cardinality) => {
        const vms = states.map(([name, does], id) =>
          vm(id, name, {
            wanted: does === 'stays' ? null : 'op',
            ...(does === 'is left behind' && { left_behind: 'op' }),
          }),
        );
        const before = service('RUNNING', cardinality);
        const once = serviceHealth(before, vms, now);
        const roles = before.roles.map((role, at) => ({ ...role, ...once?.roles[at] }));
        const again = serviceHealth({ ...before, state: once?.state ?? 'RUNNING', roles }, vms, now);
        expect(again).toEqual(once);
        const places = states.filter(([name, does]) => name !== 'DONE' && does !== 'is left behind').length;
        const its = vms.filter(({ state, wanted }) => state !== 'DONE' && wanted === null);
        const amiss = its.some(({ lcm_state }) => /FAILURE|UNKNOWN/.test(lcm_state)) || places < cardinality;
        expect(once?.state).toBe(amiss ? 'WARNING' : 'RUNNING');
      }),
    );
  });
});

describe('a service whose deployment failed', () => {
  const failed = (over: { cardinality?: number; gate?: boolean; other?: 'PENDING' | 'RUNNING' | 'WARNING' }) => {
    const { cardinality = 2, gate = false, other = 'PENDING' } = over;
    const one = service('FAILED_DEPLOYING', cardinality, gate);
    const [first] = one.roles;
    if (!first) throw new Error('there is no role');
    return { ...one, roles: [first, { ...first, name: 'back', state: other, cardinality: 1 }] };
  };
  const both = [well, vm(2, 'ACTIVE/RUNNING')];
  const back = (name: VmStateName) => vm(3, name, { service: { id: 1, role: 'back', ordinal: 0 } });

  it('says of a role that ran what is the matter with it, and stays what it is called', () => {
    expect(serviceHealth(failed({ other: 'RUNNING' }), [well, vm(2, 'ACTIVE/BOOT_FAILURE')], now)).toMatchObject({
      state: 'FAILED_DEPLOYING',
      roles: [{ state: 'FAILED_DEPLOYING' }, { state: 'WARNING', reason: '0 of 1 VMs run: 1 is missing' }],
    });
  });

  it.each([
    ['FAILED_DEPLOYING', 'PENDING', []],
    ['RUNNING', 'RUNNING', [back('ACTIVE/RUNNING')]],
    ['RUNNING', 'WARNING', [back('ACTIVE/RUNNING')]],
    ['WARNING', 'RUNNING', [back('ACTIVE/UNKNOWN')]],
  ] as const)('is %s once what had failed runs, and the other role is %s', (becomes, other, others) => {
    const health = serviceHealth(failed({ other }), [...both, ...others], now);
    expect(health).toMatchObject({ state: becomes, roles: [{ state: 'RUNNING', reason: null }, {}] });
  });

  it('stays so while a VM has not reported behind its gate, or one is too many', () => {
    const [first] = both as [HealthVm];
    const ready = both.map((one) => ({ ...one, user_template: { READY: 'YES' } }));
    const roleOf = (vms: HealthVm[], gate: boolean, cardinality = 2) =>
      serviceHealth(failed({ gate, cardinality }), vms, now)?.roles[0]?.state;
    expect(roleOf(ready, true)).toBe('RUNNING');
    expect(roleOf([first, ...ready.slice(1)], true)).toBe('FAILED_DEPLOYING');
    expect(roleOf(both, false, 1)).toBe('FAILED_DEPLOYING');
  });
});
