import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freeTarget } from '../../../domain/vms/disk-wishes.js';
import { templateDevices } from '../../../domain/vms/template-devices.js';
import { statesOf } from '../../../domain/vms/vm-action-states.js';
import {
  deviceActions,
  devicesAfter,
  devicesOf,
  deviceVerb,
  domainChange,
  domainDevices,
  macOf,
  planChange,
  wasDone,
} from '../../../domain/vms/vm-devices.js';
import { nextVmState } from '../../../domain/vms/vm-events.js';
import { vmMoves } from '../../../domain/vms/vm-moves.js';
import { vmVerbs } from '../../../domain/vms/vm-verbs.js';
import { Mac } from '../../../schemas/common/mac.js';
import { DeviceAction, type DeviceChange } from '../../../schemas/operations/vm-devices.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { changedDevices } from '../../../simulator/devices.js';

type Had = Pick<Vm, '_id' | 'nics' | 'disks' | 'device_ids'>;
const now = new Date('2026-05-04T09:00:00Z');

const anyChange: fc.Arbitrary<DeviceChange> = fc.oneof(
  fc.record({
    action: fc.constant('nic-attach' as const),
    nic: fc.record({ network: fc.constantFrom('public', 'private') }),
  }),
  fc.record({ action: fc.constant('nic-detach' as const), nic_id: fc.nat(4) }),
  fc.record({
    action: fc.constant('disk-attach' as const),
    disk: fc.record({
      type: fc.constantFrom('fs' as const, 'swap' as const),
      size: fc.integer({ min: 1, max: 100 }),
      format: fc.constantFrom('raw' as const, 'qcow2' as const),
    }),
  }),
  fc.record({ action: fc.constant('disk-detach' as const), disk_id: fc.nat(4) }),
  fc.record({
    action: fc.constant('disk-resize' as const),
    disk_id: fc.nat(4),
    size: fc.integer({ min: 1, max: 200 }),
  }),
  fc.record({
    action: fc.constant('disk-snapshot-create' as const),
    disk_id: fc.nat(4),
    name: fc.constant('before'),
  }),
  fc.record({
    action: fc.constantFrom('disk-snapshot-revert' as const, 'disk-snapshot-delete' as const),
    ...{ disk_id: fc.nat(4), snapshot_id: fc.nat(4) },
  }),
);

describe('changes of devices', () => {
  it('lead from and to what the VM is, through a state of their own', () => {
    const from = { running: 'ACTIVE/RUNNING', off: 'POWEROFF', suspended: 'SUSPENDED' } as const;
    for (const action of DeviceAction.options)
      for (const [does, state] of Object.entries(from)) {
        const verb = deviceVerb(action, does === 'running' || does === 'off' ? does : 'suspended');
        if (!verb) continue;
        const { enter, during, leave, call } = vmVerbs[verb];
        expect([nextVmState(state, enter), nextVmState(during, leave)], `${action} of ${state}`).toEqual([
          during,
          state,
        ]);
        expect(leave).toBe(vmMoves[does === 'running' || does === 'off' ? does : 'suspended'].settled);
        expect(verb.startsWith(call)).toBe(true);
      }
    expect(Object.keys(deviceActions)).toEqual(DeviceAction.options);
    for (const action of DeviceAction.options)
      expect(statesOf(action)).toEqual(
        Object.keys(deviceActions[action]).map(
          (does) => from[does === 'running' || does === 'off' ? does : 'suspended'],
        ),
      );
  });

  it('give no id twice, keep targets and addresses apart, and end where the hypervisor says, each done once or twice', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 40 }), (changes) => {
        let vm: Had = { _id: 34 };
        let domain = domainDevices(vm);
        const given = { nic: new Set<number>(), disk: new Set<number>() };
        let epoch = 1;
        for (const change of changes) {
          const plan = planChange(vm, change, now);
          if ('why' in plan) continue;
          epoch += 1;
          if (plan.change.action === 'nic-attach') {
            expect(given.nic.has(plan.change.nic.nic_id)).toBe(false);
            given.nic.add(plan.change.nic.nic_id);
          }
          if (plan.change.action === 'disk-attach') {
            expect(given.disk.has(plan.change.disk.disk_id)).toBe(false);
            given.disk.add(plan.change.disk.disk_id);
          }
          expect(wasDone(plan.change, epoch, domain)).toBe(false);
          for (const _ of [1, 2]) {
            const after = changedDevices(domain, domainChange(34, plan.change), epoch);
            if (typeof after !== 'string') domain = after;
          }
          expect(wasDone(plan.change, epoch, domain)).toBe(true);
          const once = devicesAfter(devicesOf(vm), plan.change);
          expect(devicesAfter(once, plan.change)).toEqual(once);
          vm = { ...vm, ...once, device_ids: plan.device_ids };
          const told = domainDevices(vm);
          expect({ ...domain, disks: domain.disks.map((disk) => ({ ...disk, reverted: null })) }).toEqual(told);
          const targets = told.disks.map(({ target }) => target);
          const macs = told.nics.map(({ mac }) => mac);
          expect([new Set(targets).size, new Set(macs).size]).toEqual([targets.length, macs.length]);
          for (const { snapshots, current } of vm.disks ?? []) {
            const ids = snapshots.map(({ snapshot_id }) => snapshot_id);
            const parents = snapshots.flatMap(({ parent }) => parent ?? []);
            for (const one of [...parents, ...(current === null ? [] : [current])]) expect(ids).toContain(one);
          }
        }
      }),
    );
  });

  it.each<[string, Had, DeviceChange, string]>([
    ['a NIC that it has not', { _id: 1 }, { action: 'nic-detach', nic_id: 0 }, 'VM 1 has no NIC 0.'],
    [
      'an address that it has',
      { _id: 1, nics: [{ nic_id: 0, network: 'a', mac: '02:aa:00:00:00:01' }] },
      { action: 'nic-attach', nic: { network: 'b', mac: '02:aa:00:00:00:01' } },
      'VM 1 has 02:aa:00:00:00:01 already: it is that of its NIC 0.',
    ],
    [
      'a smaller disk',
      { _id: 1, disks: [diskOf({})] },
      { action: 'disk-resize', disk_id: 0, size: 10 },
      'Disk 0 of VM 1 has 10 MB: it can be made larger, and not smaller.',
    ],
    [
      'snapshots of a raw disk',
      { _id: 1, disks: [diskOf({ format: 'raw' })] },
      { action: 'disk-snapshot-create', disk_id: 0, name: 'x' },
      'Disk 0 of VM 1 is raw, which has no snapshots: qcow2 disks do.',
    ],
    [
      'to delete the snapshot that it is written after',
      { _id: 1, disks: [diskOf({ current: 0 })] },
      { action: 'disk-snapshot-delete', disk_id: 0, snapshot_id: 0 },
      'Disk 0 of VM 1 is written after snapshot 0: revert it to another one first.',
    ],
  ])('refuse %s', (_what, vm, change, why) => {
    expect(planChange(vm, change, now)).toMatchObject({ why });
  });
});

function diskOf(change: Partial<NonNullable<Vm['disks']>[number]>): NonNullable<Vm['disks']>[number] {
  return {
    ...{ disk_id: 0, type: 'fs', size: 10, format: 'qcow2', target: 'vda', current: null, snapshot_ids: 1 },
    snapshots: [{ snapshot_id: 0, name: 'first', parent: null, taken_at: now }],
    ...change,
    ...(change.format === 'raw' || change.current === undefined ? { snapshots: [] } : {}),
  };
}

describe('addresses and devices', () => {
  it('are made of the ids, each of one card, and one for each', () => {
    const macs = new Set<string>();
    for (const vm of [0, 1, 255, 2 ** 28 - 1])
      for (const nic_id of [0, 1, 4_095]) {
        const mac = macOf(vm, { nic_id });
        expect(Mac.parse(mac)).toBe(mac);
        macs.add(mac);
      }
    expect(macs.size).toBe(12);
    expect(macOf(34, { nic_id: 1 })).toBe('02:00:00:02:20:01');
  });

  it.each(['01:00:5e:00:00:01', '00:00:00:00:00:00', '02:00:00:00:00', '02-00-00-00-00-01', 'ff:ff:ff:ff:ff:ff'])(
    'refuses %s as an address of a card',
    (mac) => {
      expect(Mac.safeParse(mac).success).toBe(false);
    },
  );

  it('are taken in order, from vda on', () => {
    expect([
      freeTarget([]),
      freeTarget(['vda', 'vdc']),
      freeTarget('abcdefghijklmnopqrstuvwxyz'.split('').map((letter) => `vd${letter}`)),
    ]).toEqual(['vda', 'vdb', undefined]);
  });
});

describe('what a VM template says of devices', () => {
  it('is what a VM begins with; disks of images keep their ids', () => {
    const { devices, findings } = templateDevices({
      NIC: [
        { NETWORK: 'public', MODEL: 'virtio' },
        { NETWORK_ID: 7, MAC: '02:00:C0:A8:00:0A' },
      ],
      DISK: [{ IMAGE_ID: 7 }, { TYPE: 'swap', SIZE: '1024' }, { TYPE: 'fs', SIZE: 10, FORMAT: 'qcow2', TARGET: 'vdd' }],
    });
    expect(findings).toEqual([]);
    expect(devices).toMatchObject({
      nics: [
        { nic_id: 0, network: 'public', model: 'virtio' },
        { nic_id: 1, network: '7', mac: '02:00:c0:a8:00:0a' },
      ],
      disks: [
        { disk_id: 1, type: 'swap', size: 1_024, format: 'raw', target: 'vda' },
        { disk_id: 2, type: 'fs', size: 10, format: 'qcow2', target: 'vdd' },
      ],
      device_ids: { nic: 2, disk: 3 },
    });
    expect(templateDevices({})).toEqual({ devices: {}, findings: [] });
  });

  it('is told what is wrong with it', () => {
    const { findings } = templateDevices({
      NIC: { NETWORK: 'a', MAC: 'x' },
      DISK: [{ TYPE: 'fs' }, { TYPE: 'fs', SIZE: 1, TARGET: 'vdb' }, { TYPE: 'fs', SIZE: 1, TARGET: 'vdb' }],
    });
    expect(findings).toEqual([
      'NIC/0/MAC must be the address of one card, such as 02:00:c0:a8:00:0a',
      'DISK/0/SIZE is required of a disk that is made of no image',
      'DISK has the target vdb twice',
    ]);
    const many = Array.from({ length: 20_000 }, () => ({ TYPE: 'fs', SIZE: 1 }));
    expect(templateDevices({ NIC: many, DISK: many })).toEqual({
      devices: {},
      findings: ['NIC has more than 32', 'DISK has more than 26'],
    });
  });
});
