import type { Vm } from '../../schemas/vms/vm.js';
import type { ProblemCode } from '../problems.js';
import { type VmEvent, type VmStateName, vmStateName } from './vm-states.js';

/** The calls of a hypervisor that change a VM, and which problem a refusal is that trying again cannot mend. */
export const vmCalls = {
  deploy: { refused: 'deploy_refused' },
  destroy: { refused: 'destroy_refused' },
  poweroff: { refused: 'action_refused' },
  reboot: { refused: 'action_refused' },
  suspend: { refused: 'action_refused' },
  resume: { refused: 'action_refused' },
  migrate: { refused: 'action_refused' },
  move: { refused: 'action_refused' },
} as const satisfies Record<string, { refused: ProblemCode }>;

export type VmCall = keyof typeof vmCalls;

type VerbRow = {
  call: VmCall;
  /** Into the state of work, from whatever state accepts it. */
  enter: VmEvent;
  /** While it is done. */
  during: VmStateName;
  /** When it is done, and when it is refused for good. */
  leave: VmEvent;
  fail: VmEvent;
  /** Where a VM is after it, and needs it no more. */
  after: readonly VmStateName[];
};

/**
 * What is done to VMs at their hypervisors: the call that does it, and the states before, while and after. Steps go by it
 * (activities/vms), and so does what every adapter promises (test/contracts).
 */
export const vmVerbs = {
  boot: {
    ...{ call: 'deploy', enter: 'boot', during: 'ACTIVE/BOOT' },
    ...{ leave: 'run', fail: 'fail_boot', after: ['ACTIVE/RUNNING'] },
  },
  /** No domain is left, for good. */
  remove: {
    ...{ call: 'destroy', enter: 'shutdown', during: 'ACTIVE/SHUTDOWN' },
    ...{ leave: 'done', fail: 'fail_shutdown', after: ['DONE'] },
  },
  /** The same of a VM that begins anew. */
  clear: {
    ...{ call: 'destroy', enter: 'shutdown', during: 'ACTIVE/SHUTDOWN' },
    ...{ leave: 'resubmit', fail: 'fail_shutdown', after: ['PENDING', 'DONE'] },
  },
  /** Its domain stays, and does not run. */
  poweroff: {
    ...{ call: 'poweroff', enter: 'power_off', during: 'ACTIVE/SHUTDOWN_POWEROFF' },
    ...{ leave: 'stop', fail: 'lose', after: ['POWEROFF'] },
  },
  /** It runs before and after: nothing but the hold says that it is not done yet. */
  reboot: {
    ...{ call: 'reboot', enter: 'run', during: 'ACTIVE/RUNNING' },
    ...{ leave: 'run', fail: 'lose', after: [] },
  },
  /** What it has in memory is saved on its host. */
  suspend: {
    ...{ call: 'suspend', enter: 'suspend', during: 'ACTIVE/SAVE_SUSPEND' },
    ...{ leave: 'suspended', fail: 'lose', after: ['SUSPENDED'] },
  },
  /** It is switched off, and leaves its host. */
  undeploy: {
    ...{ call: 'destroy', enter: 'undeploy', during: 'ACTIVE/SHUTDOWN_UNDEPLOY' },
    ...{ leave: 'undeployed', fail: 'lose', after: ['UNDEPLOYED'] },
  },
  /** From what was saved on its host. */
  restore: {
    ...{ call: 'resume', enter: 'restore', during: 'ACTIVE/BOOT_SUSPENDED' },
    ...{ leave: 'run', fail: 'suspended', after: ['ACTIVE/RUNNING'] },
  },
  /** To another host while it runs: as with all that move it, its place says whether it is done. */
  migrate: {
    ...{ call: 'migrate', enter: 'migrate', during: 'ACTIVE/MIGRATE' },
    ...{ leave: 'run', fail: 'lose', after: [] },
  },
  /** The same in three steps: it is saved, */
  save: {
    ...{ call: 'suspend', enter: 'save_migrate', during: 'ACTIVE/SAVE_MIGRATE' },
    ...{ leave: 'move', fail: 'lose', after: ['ACTIVE/PROLOG_MIGRATE', 'ACTIVE/BOOT_MIGRATE'] },
  },
  /** what was saved comes to the other host, */
  move: {
    ...{ call: 'move', enter: 'move', during: 'ACTIVE/PROLOG_MIGRATE' },
    ...{ leave: 'restart', fail: 'lose', after: ['ACTIVE/BOOT_MIGRATE'] },
  },
  /** and it goes on there. */
  restart: {
    ...{ call: 'resume', enter: 'restart', during: 'ACTIVE/BOOT_MIGRATE' },
    ...{ leave: 'run', fail: 'suspended', after: ['ACTIVE/RUNNING'] },
  },
  /** One that is switched off. */
  moveOff: {
    ...{ call: 'move', enter: 'move_off', during: 'ACTIVE/PROLOG_MIGRATE_POWEROFF' },
    ...{ leave: 'stop', fail: 'lose', after: [] },
  },
  /** One that is suspended. */
  moveSaved: {
    ...{ call: 'move', enter: 'move_saved', during: 'ACTIVE/PROLOG_MIGRATE_SUSPEND' },
    ...{ leave: 'suspended', fail: 'lose', after: [] },
  },
} as const satisfies Record<string, VerbRow>;

export type VmVerb = keyof typeof vmVerbs;

type VmStates = Pick<Vm, 'state' | 'lcm_state'>;

/** Whether a VM is in the state in which this is done to it. */
export const isDuring = (verb: VmVerb, vm: VmStates): boolean => vmStateName(vm) === vmVerbs[verb].during;

/** Whether this needs not be done to a VM any more. */
export function isAfter(verb: VmVerb, vm: VmStates): boolean {
  const after: readonly VmStateName[] = vmVerbs[verb].after;
  return after.includes(vmStateName(vm));
}
