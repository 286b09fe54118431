import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cardinalityWithout,
  type DepartedService,
  departure,
  isByHand,
  loweredText,
} from '../../../domain/services/departure.js';
import type { HealthVm } from '../../../domain/services/service-health.js';
import { storedVmState, type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';
import type { ServiceState } from '../../../schemas/services/service.js';
import { deployingService } from '../../support/deploying-service.js';

const vm = (id: number, name: VmStateName, over: Partial<HealthVm> = {}): HealthVm => ({
  ...{ _id: id, name: `front_${id}`, ...storedVmState(name), reason: null, wanted: null, user_template: {} },
  ...{ service: { id: 1, role: 'front', ordinal: id }, ...over },
});
const capacity = { cpu: 100, memory: 64 };
const by = { by: 'oneadmin', at: new Date(0) };
const gone = (id: number) => ({
  ...{ _id: id, capacity, operation: 'op', hold: null },
  service: { id: 1, role: 'front', ordinal: id },
});
/** Its first role to have so many VMs; the others none, and RUNNING. */
function service(state: ServiceState, role: ServiceState, cardinality: number): DepartedService {
  const made = deployingService(1, 'op');
  const roles = made.roles.map((one, at) =>
    at === 0 ? { ...one, state: role, cardinality } : { ...one, state: 'RUNNING' as const, cardinality: 0 },
  );
  const charge = { services: 1, vms: cardinality, cpu: cardinality * 100, memory: cardinality * 64 };
  return { ...made, state, roles, operation: null, charge, capacities: { front: capacity } };
}

describe('a VM of a service that is DONE', () => {
  const its = { service: { id: 1, role: 'front', ordinal: 0 }, hold: null, operation: null };
  it.each([
    ['ended by an operation on it', { operation: 'op', hold: { op: 'op', epoch: 1, attempt: 1 } }, true],
    ['said by somebody to be gone', { operation: 'op' }, true],
    ['ended by an operation on its service', { hold: { op: 'of service', epoch: 1, attempt: 1 } }, false],
    [
      'ended by that while somebody asks for the same',
      { operation: 'op', hold: { op: 'x', epoch: 1, attempt: 1 } },
      false,
    ],
    [
      'left behind by a repair',
      { operation: 'op', left_behind: 'op', hold: { op: 'op', epoch: 1, attempt: 1 } },
      false,
    ],
    ['left behind once, and then terminated', { operation: 'op', left_behind: 'earlier' }, true],
  ])('was %s', (_, over, expected) => {
    expect(isByHand({ ...its, ...over })).toBe(expected);
  });
});

describe('a VM that somebody has terminated', () => {
  it('takes its place with it, its share of the charge, and the WARNING for it', () => {
    const after = departure(
      service('WARNING', 'WARNING', 3),
      gone(2),
      [vm(0, 'ACTIVE/RUNNING'), vm(1, 'POWEROFF')],
      by,
    );
    expect(after).toMatchObject({
      state: 'RUNNING',
      message: 'VM 2 was terminated by oneadmin: cardinality of front is now 2',
      returned: { services: 0, vms: 1, cpu: 100, memory: 64 },
    });
    expect(after.roles[0]).toMatchObject({ state: 'RUNNING', reason: null, cardinality: 2, lowered: { vm: 2 } });
  });

  it('is told of with those before it that lowered the role, the last few by name', () => {
    let roles = service('RUNNING', 'RUNNING', 9).roles;
    const told = Array.from({ length: 8 }, (_, nth) => {
      const left = Array.from({ length: 8 - nth }, (_one, at) => vm(100 + at, 'ACTIVE/RUNNING'));
      const whom = { by: nth < 6 ? 'alice' : 'bob', at: new Date(nth) };
      ({ roles } = departure({ ...service('RUNNING', 'RUNNING', 9), roles }, gone(nth), left, whom));
      return roles[0] ? loweredText(roles[0]) : null;
    });
    expect([told[0], told[1], told[7]]).toEqual([
      'VM 0 was terminated by alice: cardinality of front is now 8',
      'VMs 1 and 0 were terminated by alice: cardinality of front is now 7',
      'VMs 7 and 6 were terminated by bob, VMs 5, 4 and 3 by alice and 3 more before: cardinality of front is now 1',
    ]);
  });

  it('takes none with it where there was one too many', () => {
    const before = service('RUNNING', 'RUNNING', 1);
    const after = departure(before, gone(2), [vm(0, 'ACTIVE/RUNNING')], by);
    expect(after).toMatchObject({ state: 'RUNNING', returned: null, roles: [{ cardinality: 1 }, {}, {}] });
    expect(after.message).toBe('VM 2 was terminated by oneadmin: cardinality of front is still 1');
  });

  it('may be the last: a role of no VMs runs, whatever its min_vms', () => {
    const before = service('RUNNING', 'RUNNING', 1);
    const roles = before.roles.map((role) => ({ ...role, min_vms: 1 }));
    expect(departure({ ...before, roles }, gone(0), [], by)).toMatchObject({
      state: 'RUNNING',
      roles: [{ state: 'RUNNING', cardinality: 0 }, {}, {}],
    });
  });

  it('makes a role whose deployment failed run, when it was what had failed', () => {
    const before = service('FAILED_DEPLOYING', 'FAILED_DEPLOYING', 2);
    expect(departure(before, gone(1), [vm(0, 'ACTIVE/RUNNING')], by).state).toBe('RUNNING');
    const still = departure(before, gone(1), [vm(0, 'ACTIVE/BOOT_FAILURE', { reason: 'no image' })], by);
    expect(still).toMatchObject({ state: 'FAILED_DEPLOYING', roles: [{ state: 'FAILED_DEPLOYING' }, {}, {}] });
    expect(still.roles[0]?.reason).toBe('0 of 1 VMs run: VM 0 (front_0) is BOOT_FAILURE: no image');
  });

  it.each(['DEPLOYING', 'UNDEPLOYING', 'WARNING'] as const)('changes no state of a service at work (%s)', (state) => {
    const before = { ...service(state, 'DEPLOYING', 2), operation: 'of service' };
    const after = departure(before, gone(1), [], by);
    expect(after).toMatchObject({ state, roles: [{ state: 'DEPLOYING', cardinality: 1 }, {}, {}] });
  });

  it('leaves as many places as VMs that stay, whatever the order in which some go, and the charge goes along', () => {
    const anyVm = fc.record({ name: fc.constantFrom(...vmStateNames), goes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(anyVm, { maxLength: 6 }), fc.integer({ min: 0, max: 6 }), (those, cardinality) => {
        const vms = those
          .map(({ name, goes }, id) => ({ goes, one: vm(id, name, { wanted: goes ? 'op' : null }) }))
          .filter(({ one }) => one.state !== 'DONE');
        const going = vms.filter(({ goes }) => goes).map(({ one }) => one);
        const stay = vms.filter(({ goes }) => !goes).map(({ one }) => one);
        const well = stay.filter(({ lcm_state }) => !/FAILURE|UNKNOWN|^SHUTDOWN$|^EPILOG$/.test(lcm_state)).length;
        const withoutAll = (order: readonly HealthVm[]) => {
          let of = service('RUNNING', 'RUNNING', cardinality);
          order.forEach((one, at) => {
            const { roles, state, returned } = departure(of, gone(one._id), [...stay, ...order.slice(at + 1)], by);
            const charge = of.charge && returned ? { ...of.charge, vms: of.charge.vms - returned.vms } : of.charge;
            of = { ...of, roles, state, ...(charge && { charge }) };
          });
          return of;
        };
        const after = withoutAll(going);
        expect(after.roles[0]?.cardinality).toBe(Math.max(Math.min(well, cardinality), cardinality - going.length));
        expect(after.charge?.vms).toBe(after.roles[0]?.cardinality);
        expect(withoutAll(going.toReversed()).roles[0]?.cardinality).toBe(after.roles[0]?.cardinality);
      }),
    );
  });

  it('never takes more places than there are', () => {
    expect(cardinalityWithout(0, [])).toBe(0);
  });
});
