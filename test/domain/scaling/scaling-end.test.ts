import { describe, expect, it } from 'vitest';
import { scaledRole, settledSurplus, whyNotScaled, withRole } from '../../../domain/scaling/scaling-end.js';
import { departure } from '../../../domain/services/departure.js';
import { type HealthVm, serviceHealth } from '../../../domain/services/service-health.js';
import { stateOfRoles } from '../../../domain/services/service-states.js';
import { storedVmState, type VmStateName } from '../../../domain/vms/vm-states.js';
import type { Role, Service, ServiceState } from '../../../schemas/services/service.js';
import { deployingService } from '../../support/deploying-service.js';

const now = new Date('2026-11-28T12:00:00Z');
const vm = (_id: number, name: VmStateName, over: Partial<HealthVm> = {}): HealthVm => ({
  ...{ _id, name: `front_${_id}`, ...storedVmState(name), reason: null, wanted: null, user_template: {} },
  ...{ service: { id: 1, role: 'front', ordinal: _id }, ...over },
});
const running = (...ids: number[]) => ids.map((id) => vm(id, 'ACTIVE/RUNNING'));

function service(over: Partial<Role> = {}, of: ServiceState = 'SCALING'): Service & { roles: [Role, ...Role[]] } {
  const made = deployingService(1, 'op');
  const [first, ...others] = made.roles.map((role): Role => ({ ...role, state: 'RUNNING', cardinality: 0 }));
  if (!first) throw new Error('a service has roles');
  const amounts = { services: 1, vms: 5, cpu: 500, memory: 320 };
  return {
    ...{ ...made, state: of, operation: null, charge: amounts, capacities: { front: { cpu: 100, memory: 64 } } },
    roles: [{ ...first, state: 'SCALING', operation: 'scaling', ...over }, ...others],
  };
}
const roleOf = (over: Partial<Role>): Role => service(over).roles[0];

describe('a role that was scaled', () => {
  it.each<[string, HealthVm[], string | null]>([
    ['has as many as it is to have', running(1, 2), null],
    ['has one whose state is not known', [...running(1), vm(2, 'ACTIVE/UNKNOWN')], null],
    ['has one that somebody terminates', [...running(1), vm(2, 'ACTIVE/SHUTDOWN', { wanted: 'by hand' })], null],
    ['has one that somebody resumes', [vm(1, 'POWEROFF'), vm(2, 'ACTIVE/BOOT', { operation: 'resume' })], null],
    ['has one that is booted by nobody else', [vm(1, 'POWEROFF'), vm(2, 'ACTIVE/BOOT')], '0 of 2 VMs run'],
    ['lacks one', running(1), '1 of 2 VMs run'],
    [
      'has one that failed',
      [...running(1), vm(2, 'ACTIVE/BOOT_FAILURE', { reason: 'no image' })],
      '1 of 2 VMs run: VM 2 (front_2): no image',
    ],
    [
      'has one too many',
      [...running(1, 2), vm(3, 'ACTIVE/UNKNOWN', { reason: 'no answer' })],
      '3 VMs are there, and 2 are to be: VM 3 (front_3): no answer',
    ],
    ['has one without a host', [...running(1), vm(2, 'PENDING')], '1 of 2 VMs run'],
  ])('%s', (_, vms, reason) => {
    expect(whyNotScaled(roleOf({ cardinality: 2 }), vms, { failure: null, gate: false })).toBe(reason);
  });

  it('counts VMs behind a ready gate only once they have reported', () => {
    const vms = [vm(1, 'ACTIVE/RUNNING', { user_template: { READY: 'YES' } }), ...running(2)];
    const failure = 'it has waited 2 s';
    expect(whyNotScaled(roleOf({ cardinality: 2 }), vms, { failure, gate: true })).toBe(
      '1 of 2 VMs have not reported READY=YES: it has waited 2 s',
    );
    expect(whyNotScaled(roleOf({ cardinality: 2 }), vms, { failure, gate: false })).toBeNull();
  });

  it('names the failure of the whole batch where no VM says more', () => {
    expect(whyNotScaled(roleOf({ cardinality: 2 }), running(1), { failure: 'no host answers', gate: false })).toBe(
      '1 of 2 VMs run: no host answers',
    );
  });

  it.each<[string, Partial<Role>, number, Partial<Role>]>([
    [
      'rests as it says',
      { cooldown: 60 },
      300,
      { state: 'COOLDOWN', cooldown_until: new Date(now.getTime() + 60_000) },
    ],
    ['rests as is usual', {}, 300, { state: 'COOLDOWN', cooldown_until: new Date(now.getTime() + 300_000) }],
    ['does not rest', { cooldown: 0 }, 300, { state: 'RUNNING' }],
  ])('%s', (_, over, cooldown, after) => {
    expect(scaledRole(roleOf(over), { reason: null, cooldown, now })).toMatchObject({ reason: null, ...after });
  });

  it('has failed with its reason, and does not rest', () => {
    expect(scaledRole(roleOf({}), { reason: 'no image', cooldown: 300, now })).toEqual({
      state: 'FAILED_SCALING',
      reason: 'no image',
    });
  });

  it('is not charged any more what is gone, and still what is not', () => {
    const scaling = service({ cardinality: 2, surplus: 3 });
    expect(settledSurplus(scaling, 'front', running(3, 4))).toEqual({
      surplus: 0,
      returned: { services: 0, vms: 3, cpu: 300, memory: 192 },
    });
    expect(settledSurplus(scaling, 'front', running(2, 3, 4))).toMatchObject({ surplus: 1, returned: { vms: 2 } });
    const going = [...running(3, 4), vm(2, 'ACTIVE/SHUTDOWN', { wanted: 'by hand' })];
    expect(settledSurplus(scaling, 'front', going)).toMatchObject({ surplus: 1, returned: { vms: 2 } });
    expect(settledSurplus(service({ cardinality: 2 }), 'front', running(3, 4))).toEqual({ surplus: 0, returned: null });
  });

  it('gives back the charge of one that was too many, when somebody has terminated it', () => {
    const scaling = service({ cardinality: 2, surplus: 2 });
    const gone = { _id: 9, capacity: { cpu: 100, memory: 64 }, operation: 'by hand', hold: null };
    const place = { service: { id: 1, role: 'front', ordinal: 9 } };
    const after = departure(scaling, { ...gone, ...place }, running(1, 2, 3), { by: 'alice', at: now });
    expect(after.roles[0]).toMatchObject({ cardinality: 2, surplus: 1 });
    expect(after.returned).toEqual({ services: 0, vms: 1, cpu: 100, memory: 64 });
    const next = departure({ ...scaling, roles: after.roles }, { ...gone, ...place }, running(1), {
      by: 'alice',
      at: now,
    });
    expect(next.roles[0]).toMatchObject({ cardinality: 1, surplus: 1 });
  });
});

describe('a service', () => {
  it.each<[ServiceState, ServiceState[]]>([
    ['SCALING', ['RUNNING', 'FAILED_SCALING', 'SCALING', 'WARNING']],
    ['FAILED_SCALING', ['COOLDOWN', 'FAILED_SCALING', 'WARNING']],
    ['WARNING', ['COOLDOWN', 'WARNING', 'RUNNING']],
    ['COOLDOWN', ['RUNNING', 'COOLDOWN']],
    ['RUNNING', ['RUNNING', 'RUNNING']],
    ['RUNNING', []],
  ])('is %s of which the roles are %j', (state, roles) => {
    expect(stateOfRoles(roles.map((of) => ({ state: of })))).toBe(state);
  });

  it('is called what its roles make of it, unless an operation has all of it', () => {
    expect(withRole(service(), 'front', { state: 'COOLDOWN' }).state).toBe('COOLDOWN');
    expect(
      withRole({ ...service(), state: 'UNDEPLOYING', operation: 'end' }, 'front', { state: 'FAILED_SCALING' }).state,
    ).toBe('UNDEPLOYING');
  });

  it('is RUNNING again when the rest of its role is over, and in WARNING at once when a VM of it fails', () => {
    const until = new Date(now.getTime() + 1);
    const resting = service({ cardinality: 1, state: 'COOLDOWN', operation: null, cooldown_until: until }, 'COOLDOWN');
    expect(serviceHealth(resting, running(1), now)).toMatchObject({
      state: 'COOLDOWN',
      roles: [{ state: 'COOLDOWN' }, {}, {}],
    });
    expect(serviceHealth(resting, running(1), until)).toMatchObject({
      state: 'RUNNING',
      roles: [{ state: 'RUNNING' }, {}, {}],
    });
    expect(serviceHealth(resting, [vm(1, 'ACTIVE/UNKNOWN')], now)?.state).toBe('WARNING');
    const warned = {
      ...resting,
      state: 'WARNING' as const,
      roles: resting.roles.map((role) => ({
        ...role,
        state: role.state === 'COOLDOWN' ? ('WARNING' as const) : role.state,
      })),
    };
    expect(serviceHealth(warned, running(1), now)?.state).toBe('COOLDOWN');
  });

  it('leaves a role alone that is SCALING, or whose scaling has failed', () => {
    for (const state of ['SCALING', 'FAILED_SCALING'] as const)
      expect(serviceHealth(service({ cardinality: 2, state }, state), running(1, 2), now)).toMatchObject({
        state,
        roles: [{ state }, {}, {}],
      });
  });
});
