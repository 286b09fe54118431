import { describe, expect, it } from 'vitest';
import { statesOf } from '../../../domain/vms/vm-action-states.js';
import { abandonment, nextVmState } from '../../../domain/vms/vm-events.js';
import { recoveries } from '../../../domain/vms/vm-recover.js';
import { storedVmState, type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';

type Row = readonly [state: RegExp, success: string, failure: string, retry: string];

/** OpenNebula's table (5.0.2, life-cycle manager), for states that there are here: what comes of each; `–`: refused or ignored. */
const theirs: readonly Row[] = [
  [/^(PENDING|HOLD|POWEROFF|SUSPENDED|UNDEPLOYED|STOPPED|DONE)$/, '–', '–', '–'],
  [/^RUNNING$/, '–', '–', '–'],
  [/^UNKNOWN$/, 'RUNNING', 'RUNNING', '–'],
  [/^PROLOG(_UNDEPLOY)?$/, 'BOOT', 'PROLOG_FAILURE', 'again'],
  [/^PROLOG_RESUME$/, 'BOOT', 'PROLOG_RESUME_FAILURE', 'again'],
  [/^PROLOG(_UNDEPLOY|_RESUME)?_FAILURE$/, 'BOOT', '–', 'again'],
  [/^BOOT$/, 'RUNNING', 'BOOT_FAILURE', 'again'],
  [/^BOOT_FAILURE$/, 'RUNNING', '–', 'again'],
  [/^BOOT_SUSPENDED$/, 'RUNNING', 'SUSPENDED', 'again'],
  [/^SHUTDOWN$/, 'DONE', 'RUNNING', 'again'],
  [/^SHUTDOWN_POWEROFF$/, 'POWEROFF', 'RUNNING', 'again'],
  [/^SHUTDOWN_UNDEPLOY$/, 'UNDEPLOYED', 'RUNNING', 'again'],
  [/^SAVE_STOP$/, 'EPILOG_STOP', 'RUNNING', 'again'],
  [/^EPILOG_STOP$/, 'STOPPED', 'EPILOG_STOP_FAILURE', 'again'],
  [/^EPILOG_STOP_FAILURE$/, 'STOPPED', '–', 'again'],
  [/^BOOT_STOPPED$/, 'RUNNING', 'BOOT_STOPPED_FAILURE', 'again'],
  [/^SAVE_SUSPEND$/, 'SUSPENDED', 'RUNNING', 'again'],
  [/^EPILOG$/, 'DONE', 'EPILOG_FAILURE', 'again'],
  [/^EPILOG_FAILURE$/, 'DONE', '–', 'again'],
];

/** What differs here, and why. */
const differs: Readonly<Record<string, string>> = {
  'PENDING retry': 'again: its deployment is tried, where OpenNebula has its scheduler look by itself',
  'UNKNOWN failure': 'POWEROFF: who says that it has failed does not say that it runs (a fault there)',
  'UNKNOWN retry': 'again: it is deployed where it is, under an epoch that ends what there may be',
  'SHUTDOWN failure': 'UNKNOWN: a VM in whatever state may be on its way out, and need not have run',
  'SHUTDOWN_POWEROFF retry': '–: it is tried as long as its operation is open, which is asked for again after that',
  'SHUTDOWN_UNDEPLOY retry': '–: the same',
  'SAVE_SUSPEND retry': '–: the same',
  'SAVE_STOP success':
    'SUSPENDED: what was saved is on its host still, and nobody is there to take it away; stop it again',
  'SAVE_STOP retry': '–: as of others that switch it',
  'EPILOG_STOP retry': '–: the same',
  'EPILOG_STOP_FAILURE failure': 'SUSPENDED: what was saved is on its host still, where it can be resumed',
  'BOOT_STOPPED failure':
    'SUSPENDED: what was saved is on its new host: it is resumed there, migrated, or stopped again',
  'BOOT_STOPPED retry': '–: the same: it is SUSPENDED when that was given up, and is resumed',
  'BOOT_SUSPENDED retry': '–: the same: it is SUSPENDED when that was given up, and is resumed',
};

/** On the way to another host: what asks both hosts says where it is (decision 36), and nobody's word does. */
const moving = /MIGRATE/;
/** What is attached, detached, saved or snapshot: its host is asked what it has. */
const ofDevices = /^(HOTPLUG|DISK_)/;
/** Of these the host is asked what there is, and nobody’s word counts; a snapshot and a saving change no device. */
const changing = /^(HOTPLUG(?!_S)|DISK_)/;

function ours(state: VmStateName, action: 'success' | 'failure' | 'retry'): string {
  const recovery = recoveries[state][action];
  switch (recovery.do) {
    case 'nothing':
      return '–';
    case 'claim':
      return (nextVmState(state, recovery.event) ?? 'illegal').replace('ACTIVE/', '');
    default:
      // To go on from a PROLOG that has succeeded is to deploy it.
      return action === 'success' ? 'BOOT' : 'again';
  }
}

/** OpenNebula's failure states that there are not, by the step that fails here and where a VM is then; null: there is no such step. */
const elsewhere: Readonly<Record<string, readonly [during: VmStateName, then: VmStateName] | null>> = {
  // A domain is ended by one call, and resumed like a new one.
  EPILOG_UNDEPLOY_FAILURE: ['ACTIVE/SHUTDOWN_UNDEPLOY', 'ACTIVE/UNKNOWN'],
  PROLOG_UNDEPLOY_FAILURE: ['ACTIVE/PROLOG', 'ACTIVE/PROLOG_FAILURE'],
  BOOT_UNDEPLOY_FAILURE: ['ACTIVE/BOOT', 'ACTIVE/BOOT_FAILURE'],
  // Both hosts are asked before the operation ends: it is what it was on one of them, and UNKNOWN where they are silent (decision 36).
  PROLOG_MIGRATE_FAILURE: ['ACTIVE/PROLOG_MIGRATE', 'ACTIVE/UNKNOWN'],
  PROLOG_MIGRATE_POWEROFF_FAILURE: ['ACTIVE/PROLOG_MIGRATE_POWEROFF', 'ACTIVE/UNKNOWN'],
  PROLOG_MIGRATE_SUSPEND_FAILURE: ['ACTIVE/PROLOG_MIGRATE_SUSPEND', 'ACTIVE/UNKNOWN'],
  // It is on its new host, saved.
  BOOT_MIGRATE_FAILURE: ['ACTIVE/BOOT_MIGRATE', 'SUSPENDED'],
  BOOT_STOPPED_FAILURE: ['ACTIVE/BOOT_STOPPED', 'SUSPENDED'],
  // What may still run is moved nowhere. A VM is not made as long as an image of its is in the making: there is nothing to wait for in CLONING.
  PROLOG_MIGRATE_UNKNOWN_FAILURE: null,
  CLONING_FAILURE: null,
};
const failures = [
  ...['BOOT', 'BOOT_MIGRATE', 'PROLOG_MIGRATE', 'PROLOG', 'EPILOG', 'EPILOG_STOP', 'EPILOG_UNDEPLOY'],
  ...['PROLOG_MIGRATE_POWEROFF', 'PROLOG_MIGRATE_SUSPEND', 'BOOT_UNDEPLOY', 'BOOT_STOPPED', 'PROLOG_RESUME'],
  ...['PROLOG_UNDEPLOY', 'PROLOG_MIGRATE_UNKNOWN', 'CLONING'],
].map((step) => `${step}_FAILURE`);

describe('OpenNebula’s failure states', () => {
  it('are here, or the step that fails leads where more can be done', () => {
    const ours = vmStateNames.map((name) => name.replace('ACTIVE/', '')).filter((name) => name.endsWith('_FAILURE'));
    expect([...ours, ...Object.keys(elsewhere)].sort()).toEqual(failures.sort());
    for (const [name, leads] of Object.entries(elsewhere)) {
      if (!leads) continue;
      const [during, then] = leads;
      const event = abandonment(storedVmState(during));
      expect(event && nextVmState(during, event), name).toBe(then);
      // Somebody can go on from there, or it is found out what it is.
      const states = new Set(
        (['resume', 'undeploy', 'migrate', 'stop'] as const).flatMap((action) => statesOf(action)),
      );
      expect(states.has(then) || recoveries[then].retry.do === 'deploy', name).toBe(true);
    }
  });

  it('lead on by retry, delete and recreate, each of those that there are', () => {
    for (const name of vmStateNames.filter((state) => state.endsWith('_FAILURE')))
      for (const action of ['retry', 'delete', 'recreate'] as const)
        expect(recoveries[name][action].do, `${name} ${action}`).not.toMatch(/nothing|claim/);
  });
});

describe('recoveries', () => {
  it('are OpenNebula’s, row by row, but for what is said to differ', () => {
    const found: Record<string, string> = {};
    for (const name of vmStateNames) {
      const state = name.replace('ACTIVE/', '');
      const row = theirs.find(([which]) => which.test(state));
      if (!row) {
        expect(moving.test(state) || ofDevices.test(state), state).toBe(true);
        if (moving.test(state) || changing.test(state))
          for (const action of ['success', 'failure', 'retry'] as const) expect(ours(name, action), state).toBe('–');
        continue;
      }
      const [, success, failure, retry] = row;
      for (const [action, its] of Object.entries({ success, failure, retry } as const)) {
        const here = ours(name, action === 'success' || action === 'failure' ? action : 'retry');
        if (here !== its) found[`${state} ${action}`] = here;
      }
    }
    const said = Object.fromEntries(Object.entries(differs).map(([which, why]) => [which, why.split(':')[0]]));
    expect(found).toEqual(said);
  });

  it('end every VM that is there by delete, and make anew all but those that are off, or have no host', () => {
    const without = (action: 'delete' | 'recreate') =>
      vmStateNames.filter((name) => recoveries[name][action].do === 'nothing');
    expect(without('delete')).toEqual(['DONE']);
    expect(without('recreate')).toEqual(['PENDING', 'HOLD', 'POWEROFF', 'SUSPENDED', 'DONE']);
  });
});
