import { describe, expect, it } from 'vitest';
import { isClear, leftoversOf, leftoversText } from '../../../domain/vms/leftovers.js';
import type { KnownVm } from '../../../domain/vms/zombies.js';
import type { HistoryRecord } from '../../../schemas/vms/vm.js';

const stay = (hid: number, epoch: number): HistoryRecord => ({
  seq: 0,
  hid,
  hostname: `host-${hid}`,
  vm_mad: 'simulated',
  epoch,
  stime: new Date(0),
  etime: null,
  reason: 'none',
});
const vm = (more: Partial<KnownVm> = {}): KnownVm => ({
  ...{ _id: 7, state: 'ACTIVE', lcm_state: 'RUNNING', wanted: null, history: [stay(1, 3)] },
  ...{ epoch: 3, operation: null, hold: null },
  ...more,
});
const found = (known: KnownVm | null, epoch = 3) =>
  leftoversOf(1, [{ vm: 7, epoch, heard: epoch }], new Map(known ? [[7, known]] : []));

describe('what a host still runs of before', () => {
  it.each<[string, KnownVm | null, number, object]>([
    ['of a VM that is gone is stale', vm({ state: 'DONE', history: [] }), 3, { stale: [{ vm: 7, epoch: 3 }] }],
    ['of one that runs elsewhere is stale', vm({ history: [stay(2, 4)] }), 3, { stale: [{ vm: 7, epoch: 3 }] }],
    ['of one that boots elsewhere is its last copy', vm({ lcm_state: 'BOOT', history: [stay(2, 4)] }), 3, {}],
    ['of one that is UNKNOWN elsewhere is its last copy', vm({ lcm_state: 'UNKNOWN', history: [stay(2, 4)] }), 3, {}],
    ['of one that waits is its last copy', vm({ state: 'PENDING', history: [] }), 3, {}],
    ['that is newer than where the VM runs is left', vm({ history: [stay(2, 4)] }), 5, {}],
    ['of no VM that is known is not ours', null, 3, {}],
    ['of one that is there is its own', vm(), 3, {}],
    ['of one that is UNKNOWN there is its own', vm({ lcm_state: 'UNKNOWN' }), 3, {}],
    [
      'of one that was left behind is for its operation to end',
      vm({ lcm_state: 'UNKNOWN', wanted: 'op', left_behind: 'op' }),
      3,
      { leaving: [{ vm: 7, op: 'op' }] },
    ],
    ['of one whose operation has failed is its own again', vm({ lcm_state: 'UNKNOWN', left_behind: 'op' }), 3, {}],
  ])('%s', (_, known, epoch, expected) => {
    const leftovers = found(known, epoch);
    expect(leftovers).toEqual({ stale: [], leaving: [], ...expected });
    expect(isClear(leftovers)).toBe(Object.keys(expected).length === 0);
  });

  it('is told of in few words, with why it could not be removed', () => {
    const leftovers = { stale: [1, 2, 3, 4].map((id) => ({ vm: id, epoch: 1 })), leaving: [{ vm: 5, op: 'op' }] };
    expect(leftoversText(leftovers, 'its disk is busy')).toBe(
      'it still runs VMs 1, 2, 3 and 2 more of before, which are gone or replaced and removed first; that failed: its disk is busy.',
    );
  });
});
