import { VmLcmState, VmState } from './vm.js';

/** A state of a VM in one word, as people say it: its life-cycle state while it is ACTIVE. */
export type VmStateWord = Exclude<VmState, 'ACTIVE'> | Exclude<VmLcmState, 'LCM_INIT'>;

const isWord = (state: VmState | VmLcmState): state is VmStateWord => state !== 'ACTIVE' && state !== 'LCM_INIT';
export const vmStateWords: readonly VmStateWord[] = [...VmState.options, ...VmLcmState.options].filter(isWord);

type Row = {
  /** States of VMs to which it is done; of others it is refused. */
  states: readonly VmStateWord[];
  /** The right on the VM that it takes, as in OpenNebula; `ownership`: by what is given, and to whom. */
  right: 'manage' | 'admin' | 'ownership';
};

const runs: readonly VmStateWord[] = ['RUNNING'];
const mayRun: readonly VmStateWord[] = ['RUNNING', 'UNKNOWN'];
const plugged: readonly VmStateWord[] = ['RUNNING', 'POWEROFF'];
const living = vmStateWords.filter((state) => state !== 'DONE');

/**
 * Action × state: everything that can be asked of a VM, by OpenNebula's names, but for recoveries, which have a table of their own.
 * The one place that says so: what the API and the commands tell is written from it, and what is asked is judged by it.
 */
export const vmActions = {
  deploy: { states: ['PENDING', 'HOLD', 'UNDEPLOYED', 'STOPPED'], right: 'admin' },
  hold: { states: ['PENDING', 'HOLD'], right: 'manage' },
  release: { states: ['HOLD'], right: 'manage' },
  terminate: { states: living, right: 'manage' },
  'terminate-hard': { states: living, right: 'manage' },
  undeploy: { states: [...mayRun, 'POWEROFF'], right: 'manage' },
  'undeploy-hard': { states: [...mayRun, 'POWEROFF'], right: 'manage' },
  poweroff: { states: mayRun, right: 'manage' },
  'poweroff-hard': { states: mayRun, right: 'manage' },
  reboot: { states: runs, right: 'manage' },
  'reboot-hard': { states: runs, right: 'manage' },
  suspend: { states: runs, right: 'manage' },
  // Of one that did not come to its end, or could not be resumed, it is done once more.
  stop: { states: ['RUNNING', 'SUSPENDED', 'EPILOG_STOP_FAILURE', 'PROLOG_RESUME_FAILURE'], right: 'manage' },
  'snapshot-create': { states: runs, right: 'manage' },
  'snapshot-revert': { states: runs, right: 'manage' },
  'snapshot-delete': { states: runs, right: 'manage' },
  // One that was taken from its host is PENDING once it is resumed, and stays so where that is cancelled.
  resume: { states: ['PENDING', 'POWEROFF', 'SUSPENDED', 'UNDEPLOYED', 'STOPPED', 'UNKNOWN'], right: 'manage' },
  resched: { states: mayRun, right: 'admin' },
  unresched: { states: vmStateWords, right: 'admin' },
  migrate: { states: ['RUNNING', 'POWEROFF', 'SUSPENDED'], right: 'admin' },
  'migrate-live': { states: ['RUNNING', 'POWEROFF', 'SUSPENDED'], right: 'admin' },
  resize: { states: ['PENDING', 'HOLD', 'POWEROFF', 'UNDEPLOYED'], right: 'manage' },
  updateconf: {
    states: ['PENDING', 'HOLD', 'POWEROFF', 'UNDEPLOYED', 'PROLOG_FAILURE', 'BOOT_FAILURE'],
    right: 'manage',
  },
  'nic-attach': { states: plugged, right: 'manage' },
  'nic-detach': { states: plugged, right: 'manage' },
  'disk-attach': { states: plugged, right: 'manage' },
  'disk-detach': { states: plugged, right: 'manage' },
  'disk-resize': { states: plugged, right: 'manage' },
  'disk-snapshot-create': { states: [...plugged, 'SUSPENDED'], right: 'manage' },
  'disk-snapshot-revert': { states: ['POWEROFF', 'SUSPENDED'], right: 'manage' },
  'disk-snapshot-delete': { states: [...plugged, 'SUSPENDED'], right: 'manage' },
  'disk-saveas': { states: [...plugged, 'SUSPENDED'], right: 'manage' },
  'disk-restore': { states: ['POWEROFF', 'UNDEPLOYED'], right: 'manage' },
  rename: { states: living, right: 'manage' },
  chown: { states: vmStateWords, right: 'ownership' },
  chgrp: { states: vmStateWords, right: 'ownership' },
  chmod: { states: vmStateWords, right: 'ownership' },
} as const satisfies Readonly<Record<string, Row>>;

export type VmActionName = keyof typeof vmActions;

/**
 * What is not done to a VM that was imported: nothing is known of its disks, so it is what its domain is, where that is. So it is in
 * OpenNebula, which does not switch one off either; here its domain stays.
 */
export const notOfImported: readonly VmActionName[] = [
  ...(['stop', 'undeploy', 'undeploy-hard', 'migrate', 'migrate-live', 'resched', 'resize', 'updateconf'] as const),
];

/** For which states an action is, in words; null: for all of them, or all but DONE. */
export function forStates(action: VmActionName): string | null {
  const { states }: Row = vmActions[action];
  return states.length < living.length ? states.join(', ') : null;
}
