import { describe, expect, it } from 'vitest';
import { planSave } from '../../../domain/vms/disk-saves.js';
import { storedVmState, type VmStateName } from '../../../domain/vms/vm-states.js';
import type { Disk } from '../../../schemas/operations/vm-devices.js';
import type { HistoryRecord, Vm } from '../../../schemas/vms/vm.js';

const disk = (disk_id: number, type: Disk['type']): Disk => ({
  ...{ disk_id, type, size: 10, format: 'qcow2', target: `vd${disk_id}` },
  ...{ snapshots: [], current: null, snapshot_ids: 0 },
});
const datastore = { id: 0, ds_mad: 'fs', mb: 20, at: new Date(0) } as const;
const stay: HistoryRecord = {
  ...{ seq: 0, hid: 1, hostname: 'host-1', vm_mad: 'simulated', epoch: 1 },
  ...{ stime: new Date(0), etime: null, reason: 'none' },
};
const vm = (state: VmStateName, over: Partial<Vm> = {}) => ({
  ...{ _id: 7, ...storedVmState(state), disks: [disk(0, 'file'), disk(1, 'swap'), disk(2, 'fs')], datastore },
  history: [stay],
  ...over,
});

describe('a disk of a VM', () => {
  it.each(['ACTIVE/RUNNING', 'POWEROFF', 'SUSPENDED'] as const)(
    'is saved while that is %s, from its datastore',
    (state) => {
      expect(planSave(vm(state), 0)).toMatchObject({ disk: { disk_id: 0 }, datastore: { id: 0 } });
      expect(planSave(vm(state), 2)).toMatchObject({ disk: { disk_id: 2 } });
    },
  );

  it('is not saved when there is none, or none that has anything', () => {
    expect(planSave(vm('POWEROFF'), 3)).toEqual({ code: 'not_found', why: 'VM 7 has no disk 3.' });
    expect(planSave(vm('POWEROFF', { disks: [] }), 0)).toMatchObject({ code: 'not_found' });
    expect(planSave(vm('POWEROFF'), 1)).toMatchObject({ why: expect.stringContaining('one to swap to') });
  });

  it('is not saved from a host, which no datastore knows of', () => {
    expect(planSave(vm('POWEROFF', { datastore: null }), 0)).toMatchObject({
      code: 'wrong_state',
      why: expect.stringContaining('kept by its host'),
    });
  });

  it('that changes while its VM runs is saved when it does not, and who asks is told so', () => {
    const others: Record<string, boolean>[] = [{ simulated: false }, {}];
    for (const stays of others) {
      expect(planSave(vm('ACTIVE/RUNNING'), 0, undefined, stays)).toMatchObject({
        code: 'wrong_state',
        why: expect.stringMatching(/of kind simulated cannot keep it as it is: suspend the VM or switch it off/),
      });
      for (const state of ['POWEROFF', 'SUSPENDED'] as const)
        expect(planSave(vm(state), 0, undefined, stays)).toMatchObject({ datastore: { id: 0 } });
    }
  });
});
