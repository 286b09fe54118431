import { describe, expect, it } from 'vitest';
import { logLine, toldStays } from '../../../domain/vms/vm-log.js';
import { storedVmState, type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';
import type { HistoryRecord, VmLogLine } from '../../../schemas/vms/vm.js';

const at = (second: number): Date => new Date(Date.UTC(2026, 6, 1) + second * 1_000);
const line = (second: number, state: VmStateName): VmLogLine => ({
  ...{ at: at(second), ...storedVmState(state), op: null, reason: null },
});
const stay = (seq: number, from: number, until: number | null): HistoryRecord => ({
  ...{
    seq,
    hid: seq,
    hostname: `host-${seq}`,
    vm_mad: 'simulated',
    epoch: 1,
    reason: until === null ? 'none' : 'user',
  },
  ...{ stime: at(from), etime: until === null ? null : at(until) },
});
const span = (from: number, until: number | null) => ({ from: at(from), until: until === null ? null : at(until) });

describe('the log of a VM', () => {
  it('has a line for what is another state, with a reason that is not too long', () => {
    const said = { at: at(0), op: 'A', reason: 'x'.repeat(9_999) };
    expect(logLine(storedVmState('ACTIVE/RUNNING'), storedVmState('ACTIVE/RUNNING'), said)).toBeNull();
    const made = logLine(storedVmState('ACTIVE/BOOT'), storedVmState('ACTIVE/BOOT_FAILURE'), said);
    expect(made).toMatchObject({ state: 'ACTIVE', lcm_state: 'BOOT_FAILURE', op: 'A' });
    expect(made?.reason?.length).toBeLessThanOrEqual(500);
  });

  it('tells when it was prepared and ran on each host, over a migration, too', () => {
    const log = [
      ...[line(0, 'PENDING'), line(1, 'ACTIVE/PROLOG'), line(3, 'ACTIVE/BOOT'), line(5, 'ACTIVE/RUNNING')],
      ...[line(20, 'ACTIVE/MIGRATE'), line(25, 'ACTIVE/RUNNING')],
      ...[line(40, 'ACTIVE/SHUTDOWN_POWEROFF'), line(45, 'POWEROFF')],
    ];
    const [first, second] = toldStays([stay(0, 1, 25), stay(1, 25, null)], log);
    expect(first).toMatchObject({ prolog: span(1, 3), running: span(3, 25), epilog: null });
    expect(second).toMatchObject({ prolog: null, running: span(25, 45), epilog: null });
    expect(second?.lines.map(({ at: when }) => when)).toEqual([25, 40, 45].map(at));
  });

  it('tells of what has failed when that ended, and of a stay that nobody has written of nothing', () => {
    const log = [line(1, 'ACTIVE/PROLOG'), line(4, 'ACTIVE/PROLOG_FAILURE'), line(9, 'ACTIVE/PROLOG')];
    expect(toldStays([stay(0, 1, null)], log.slice(0, 2))[0]).toMatchObject({ prolog: span(1, 4), running: null });
    expect(toldStays([stay(0, 1, null)], log)[0]).toMatchObject({ prolog: span(9, null) });
    expect(toldStays([stay(0, 1, 5)], [])[0]).toMatchObject({ prolog: null, running: null, epilog: null });
  });

  it('says of every state that works on a host which phase that is', () => {
    const without = vmStateNames.filter((state) => {
      const [told] = toldStays([stay(0, 0, null)], [line(0, state)]);
      return !told?.prolog && !told?.running && !told?.epilog;
    });
    expect(
      without.filter((state) =>
        /^ACTIVE(?!.*(_FAILURE$|PROLOG_MIGRATE|(HOTPLUG|DISK)_.*_(POWEROFF|SUSPENDED)$))/.test(state),
      ),
    ).toEqual([]);
  });
});
