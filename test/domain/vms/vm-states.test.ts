import { describe, expect, it } from 'vitest';
import { nextVmState, type VmEvent, vmStates } from '../../../domain/vms/vm-events.js';
import {
  isVmFailure,
  isVmGone,
  isVmRunning,
  storedVmState,
  vmStateName,
  vmStateNames,
} from '../../../domain/vms/vm-states.js';
import { VmLcmState } from '../../../schemas/vms/vm.js';

const events: VmEvent[] = [
  ...(['place', 'boot', 'run', 'retry', 'fail_prolog', 'fail_boot'] as const),
  ...(['shutdown', 'fail_shutdown', 'epilog', 'fail_epilog', 'done', 'lose', 'stop', 'resubmit'] as const),
  ...(['power_off', 'suspend', 'suspended', 'undeploy', 'undeployed', 'restore'] as const),
  ...(['save_stop', 'store', 'stored', 'fetch', 'resume_stopped'] as const),
  ...(['hold', 'release', 'migrate', 'save_migrate', 'move', 'restart', 'move_off', 'move_saved'] as const),
  ...(['plug_nic', 'plug_disk', 'unplug_disk', 'resize_disk'] as const),
  ...(['snapshot_disk', 'revert_disk', 'drop_snapshot', 'save_disk'] as const),
  ...(['hold', 'release', 'snapshot', 'migrate', 'save_migrate', 'move', 'restart', 'move_off', 'move_saved'] as const),
];
type Name = (typeof vmStateNames)[number];

function reachable(start: Name): Set<Name> {
  const found = new Set<Name>([start]);
  for (const state of found)
    for (const event of events) {
      const after = nextVmState(state, event);
      if (after !== undefined) found.add(after);
    }
  return found;
}

const statesThatAccept = (event: VmEvent): Name[] =>
  vmStateNames.filter((state) => nextVmState(state, event) !== undefined);

const stateAfter = (start: Name, ...happened: VmEvent[]): Name | undefined =>
  happened.reduce<Name | undefined>((state, event) => state && nextVmState(state, event), start);

describe('the states of a VM', () => {
  it('have a row for every life-cycle state of the schema', () => {
    const active = VmLcmState.options.filter((lcm) => lcm !== 'LCM_INIT').map((lcm) => `ACTIVE/${lcm}`);
    expect(Object.keys(vmStates).sort()).toEqual(
      ['PENDING', 'HOLD', 'POWEROFF', 'SUSPENDED', 'UNDEPLOYED', 'STOPPED', 'DONE', ...active].sort(),
    );
    expect([...vmStateNames].sort()).toEqual(Object.keys(vmStates).sort());
  });

  it('can all be reached from PENDING', () => {
    expect([...reachable('PENDING')].sort()).toEqual([...vmStateNames].sort());
  });

  it('lead from PENDING to RUNNING and from there to DONE', () => {
    expect(stateAfter('PENDING', 'place', 'boot', 'run')).toBe('ACTIVE/RUNNING');
    expect(stateAfter('ACTIVE/RUNNING', 'shutdown', 'epilog', 'done')).toBe('DONE');
  });

  it.each(vmStateNames.filter((name) => name.startsWith('ACTIVE')))('let %s be terminated', (name) => {
    expect(stateAfter(name, 'shutdown', 'epilog', 'done')).toBe('DONE');
  });

  it('let a VM that was never placed go at once', () => {
    expect(nextVmState('PENDING', 'done')).toBe('DONE');
    expect(nextVmState('PENDING', 'shutdown')).toBeUndefined();
  });

  it('let nothing happen to what is done', () => {
    expect(events.filter((event) => nextVmState('DONE', event) !== undefined)).toEqual([]);
  });

  it.each(vmStateNames)('have a way from %s to RUNNING or DONE', (name) => {
    const ends = reachable(name);
    expect(ends.has('ACTIVE/RUNNING') || ends.has('DONE')).toBe(true);
  });

  it.each(['place', 'boot', 'retry', 'shutdown', 'epilog'] as const)(
    'take %s again in the state that it leads to',
    (event) => {
      for (const state of statesThatAccept(event)) {
        const reached = nextVmState(state, event);
        expect(reached && nextVmState(reached, event), `${event} after ${state}`).toBe(reached);
      }
    },
  );

  it('let nobody run who has not booted', () => {
    const booted = [
      'BOOT',
      'BOOT_FAILURE',
      'BOOT_SUSPENDED',
      'BOOT_STOPPED',
      'RUNNING',
      'HOTPLUG_SNAPSHOT',
      'HOTPLUG_SAVEAS',
      'UNKNOWN',
    ];
    const switching = [
      ...['SHUTDOWN_POWEROFF', 'SHUTDOWN_UNDEPLOY', 'SAVE_SUSPEND', 'SAVE_STOP'],
      ...['MIGRATE', 'SAVE_MIGRATE', 'PROLOG_MIGRATE', 'BOOT_MIGRATE'],
      ...['HOTPLUG', 'HOTPLUG_NIC', 'DISK_RESIZE', 'DISK_SNAPSHOT', 'DISK_SNAPSHOT_DELETE'],
    ];
    const mayRun = [...[...booted, ...switching].map((name) => `ACTIVE/${name}`), 'POWEROFF', 'SUSPENDED'];
    expect(statesThatAccept('run').sort()).toEqual(mayRun.sort());
    const mayEnd = ['PENDING', 'HOLD', 'ACTIVE/SHUTDOWN', 'ACTIVE/EPILOG', 'ACTIVE/EPILOG_FAILURE'];
    expect(statesThatAccept('done')).toEqual(mayEnd);
  });

  it.each(['ACTIVE/PROLOG_FAILURE', 'ACTIVE/BOOT_FAILURE', 'ACTIVE/UNKNOWN', 'POWEROFF'] as const)(
    'let a VM in %s be deployed again where it is',
    (name) => {
      expect(stateAfter(name, 'retry', 'boot', 'run')).toBe('ACTIVE/RUNNING');
    },
  );

  it('let nobody be deployed again who has not failed', () => {
    const stopped = ['PROLOG_RESUME', 'PROLOG_RESUME_FAILURE'];
    const states = ['PROLOG', 'UNKNOWN', 'PROLOG_FAILURE', 'BOOT_FAILURE', ...stopped].map((name) => `ACTIVE/${name}`);
    expect(statesThatAccept('retry').sort()).toEqual([...states, 'POWEROFF'].sort());
  });

  it('know nothing of a VM whose shutdown failed, which can still be terminated', () => {
    expect(nextVmState('ACTIVE/SHUTDOWN', 'fail_shutdown')).toBe('ACTIVE/UNKNOWN');
    expect(nextVmState('ACTIVE/UNKNOWN', 'shutdown')).toBe('ACTIVE/SHUTDOWN');
  });

  it.each(vmStateNames)('are stored and read back as %s', (name) => {
    expect(vmStateName(storedVmState(name))).toBe(name);
  });
});

describe('what the states mean', () => {
  it('counts only ACTIVE/RUNNING as running and only DONE as gone', () => {
    expect(vmStateNames.filter((name) => isVmRunning(storedVmState(name)))).toEqual(['ACTIVE/RUNNING']);
    expect(vmStateNames.filter((name) => isVmGone(storedVmState(name)))).toEqual(['DONE']);
  });

  it('counts the *_FAILURE states as failures, UNKNOWN not', () => {
    expect(VmLcmState.options.filter(isVmFailure)).toEqual([
      ...['BOOT_FAILURE', 'PROLOG_FAILURE', 'EPILOG_FAILURE'],
      ...['EPILOG_STOP_FAILURE', 'PROLOG_RESUME_FAILURE'],
    ]);
  });
});
