import fc from 'fast-check';
import { expect, it } from 'vitest';
import { atOnce } from '../../../domain/bit-by-bit.js';
import { lostVm } from '../../../domain/failover/lost-vm.js';
import { simulating, type WhatIf } from '../../../domain/failover/what-if.js';
import { clusterText, failureText } from '../../../domain/failover/what-if-text.js';
import type { HostSnapshot } from '../../../domain/placement/placement.js';
import { HaAction } from '../../../schemas/operations/ha-action.js';
import type { HistoryRecord, Vm } from '../../../schemas/vms/vm.js';
import { madeVm } from '../../support/made-vm.js';

const failing = 0;
const stay: HistoryRecord = {
  ...{ seq: 0, hid: failing, hostname: 'host-0', vm_mad: 'simulated', epoch: 1 },
  ...{ stime: new Date(0), etime: null, reason: 'none' },
};
const vmOf = (id: number, over: Partial<Vm>): Vm =>
  madeVm({ _id: id, state: 'ACTIVE', lcm_state: 'RUNNING', history: [stay], ...over });
const hostOf = (id: number, over: Partial<HostSnapshot> = {}): HostSnapshot => ({
  ...{ id, name: `host-${id}`, state: 'MONITORED', vms: 0 },
  ...{ total: { cpu: 400, memory: 4_096 }, free: { cpu: 400, memory: 4_096 } },
  ...over,
});
const of = (vms: readonly Vm[], over: Partial<WhatIf> = {}) =>
  atOnce(
    simulating({
      ...{ host: failing, action: 'recreate', stopped: false, hosts: [hostOf(0), hostOf(1)], datastores: [] },
      ...{ siblings: [], vms: vms.map((vm) => ({ vm, lost: lostVm(vm, failing, null, []) })), ...over },
    }),
  );

it('tells where each VM would go, and why it would not', () => {
  const size = { cpu: 300, memory: 512 };
  const vms = [
    vmOf(1, { capacity: size }),
    vmOf(2, { capacity: size }),
    vmOf(3, { state: 'POWEROFF', lcm_state: 'LCM_INIT' }),
    vmOf(4, { operation: 'op-1' }),
  ];
  expect(of(vms)).toEqual([
    { vm: 1, outcome: 'starts', host: 1, why: null },
    { vm: 2, outcome: 'waits', host: null, why: expect.stringContaining('CPU') },
    { vm: 3, outcome: 'stays', host: null, why: 'it is off' },
    { vm: 4, outcome: 'waits', host: null, why: 'operation op-1 is at work on it' },
  ]);
  const off = of(vms, { stopped: true }).find(({ vm }) => vm === 3);
  expect(off).toMatchObject({ outcome: 'undeployed' });
  expect(of(vms, { action: 'delete' }).map(({ outcome }) => outcome)).toEqual(['ends', 'ends', 'stays', 'waits']);
});

it('starts nothing on the host that fails, and nowhere more than there is room for', () => {
  const capacity = fc.record({ cpu: fc.integer({ min: 1, max: 400 }), memory: fc.integer({ min: 1, max: 4_096 }) });
  const state = fc.constantFrom<Partial<Vm>>(
    { state: 'ACTIVE', lcm_state: 'RUNNING' },
    { state: 'ACTIVE', lcm_state: 'UNKNOWN' },
    { state: 'ACTIVE', lcm_state: 'BOOT' },
    { state: 'POWEROFF', lcm_state: 'LCM_INIT' },
  );
  const hosts = fc.array(fc.constantFrom('MONITORED' as const, 'DISABLED' as const, 'ERROR' as const), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(capacity, state), { maxLength: 12 }),
      hosts,
      fc.constantFrom(...HaAction.options),
      fc.boolean(),
      (wishes, states, action, stopped) => {
        const vms = wishes.map(([size, its], at) => vmOf(at + 1, { capacity: size, ...its }));
        const all = [hostOf(0), ...states.map((its, at) => hostOf(at + 1, { state: its }))];
        const answers = of(vms, { action, stopped, hosts: all });
        expect(answers.map(({ vm }) => vm).sort((one, other) => one - other)).toEqual(vms.map(({ _id }) => _id));
        for (const { id, state: its, free } of all) {
          const there = answers.flatMap(({ vm, host }) => (host === id ? vms.filter(({ _id }) => _id === vm) : []));
          if (id === failing || its !== 'MONITORED') expect(there).toEqual([]);
          for (const unit of ['cpu', 'memory'] as const)
            expect(there.reduce((sum, { capacity: size }) => sum + size[unit], 0)).toBeLessThanOrEqual(free[unit]);
        }
      },
    ),
  );
});

it('is told in a sentence', () => {
  const counts = { starts: 2, waits: 1, ends: 0, undeployed: 0, stays: 0 };
  expect(failureText('node-1', counts)).toBe(
    'If node-1 failed now: 2 VMs would be started elsewhere, 1 VM would wait.',
  );
  expect(failureText('node-1', { ...counts, starts: 0, waits: 0 })).toBe('If node-1 failed now: nothing runs on it.');
  const hosts = [
    { ...counts, name: 'node-1' },
    { ...counts, waits: 0, name: 'node-2' },
  ];
  expect(clusterText('racks', hosts)).toBe(
    'If any one host of cluster racks failed now, VMs would wait of: node-1 (1 VM).',
  );
  expect(clusterText('racks', hosts.slice(1))).toBe(
    'If any one host of cluster racks failed now, none of its VMs would wait.',
  );
  expect(clusterText('racks', [])).toBe('Cluster racks has no hosts.');
});
