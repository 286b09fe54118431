import type { DebugAnswer, DebugStep } from '../../schemas/operations/debug-step.js';
import type { VmSwitch } from '../../schemas/operations/vm-action.js';
import type { DeviceAction, DeviceChange } from '../../schemas/operations/vm-devices.js';
import type { RecoverAction } from '../../schemas/vms/vm.js';
import { notOfImported, type VmActionName } from '../../schemas/vms/vm-actions.js';
import { nameOf } from '../operations/names.js';
import { statesOf, stateWord } from '../vms/vm-action-states.js';
import { debuggedIn } from '../vms/vm-debugging.js';
import { recoveries, statesThat } from '../vms/vm-recover.js';
import type { VmStateName } from '../vms/vm-states.js';
import { switchOf } from '../vms/vm-switches.js';
import type { FactsOf, OperationFacts, Work } from './facts.js';
import { type MayRetryOn, whereThere } from './retrying.js';
import { inTheWay, notFound, type Refusal, type Verdict, wrongState } from './verdict.js';

type Vm = FactsOf<'vm'>;

/** The states in which a VM is deployed once more: where it is, or where it fits. */
export const deployedAgainIn = statesThat('deploy', 'retry');

/** As the table of recoveries says; `delete` is the one that does not wait for whoever is at work. */
export function mayRecoverVm(vm: Vm, action: RecoverAction): Verdict {
  const { id, state, work } = vm;
  const recovery = recoveries[state][action];
  if (work && (action !== 'delete' || recovery.do === 'nothing')) return atWork(vm, work);
  if (vm.between && !endsIt.has(recovery.do)) return isBetween(vm);
  if (recovery.do === 'nothing') return wrongState(`VM ${id} cannot be recovered with ${action}: ${recovery.why}`);
  if (action === 'delete') return mayTerminate(vm, true);
  if (recovery.do === 'recreate' && vm.imported) return isImported(vm);
  return recovery.do === 'deploy' || recovery.do === 'stop' ? unlessOffline(vm) : 'may';
}

/** `at`: of which action; absent: of the one at which it stands. */
export type DebugWish = { answer: DebugAnswer; at?: Pick<DebugStep, 'session' | 'number'> };

/** One action of what failed: the one that is to be done next, and no other, in the failure that was seen. */
export function mayDebug(vm: Vm, { answer, at }: DebugWish): Verdict {
  const verdict = free(vm, debuggedIn);
  if (verdict !== 'may') return verdict;
  const { id, debugging } = vm;
  const current = debugging?.current ?? null;
  if (at && at.session !== debugging?.session)
    return wrongState(`VM ${id} has failed anew, or was tried as a whole, since this was seen: look at it again.`);
  if (current === null)
    return wrongState(
      `Every action of VM ${id} was done or skipped: say that it has succeeded (recover with success), or retry all of it.`,
    );
  if (at && at.number !== current)
    return wrongState(
      `Action ${at.number} of VM ${id} is not the one that is to be done next: that is action ${current}, ${debugging?.actions[current - 1]}.`,
    );
  return answer === 'run' ? unlessOffline(vm) : 'may';
}

/** What was said of it, or done to it, once more. */
export const mayClaim = (vm: Vm, claim: 'success' | 'failure'): Verdict => free(vm, statesThat('claim', claim));
export const mayDeployAgain = (vm: Vm): Verdict => asked(vm, deployedAgainIn);
export const maySwitch = (vm: Vm, action: VmSwitch): Verdict => ofOurs(vm, action) ?? asked(vm, statesOf(action));
export const mayChangeDevices = (vm: Vm, action: DeviceAction): Verdict => asked(vm, statesOf(action));
export const maySaveDisk = (vm: Vm): Verdict => free(vm, statesOf('disk-saveas'));
export const mayRestoreDisk = (vm: Vm): Verdict => free(vm, statesOf('disk-restore'));
export const mayResume = (vm: Vm): Verdict => asked(vm, statesOf('resume'));

/** Of one that waits for a host, its deployment ends for this. */
const waits = ({ work }: Vm): boolean => work?.kind === 'deployVm' && work.state === 'waiting';

export function mayHold(vm: Vm): Verdict {
  if (vm.state === 'HOLD' && !vm.work) return 'is so';
  if (vm.ofService) return wrongState(`VM ${vm.id} is of a service: put its role on hold, or terminate it.`);
  if (vm.state !== 'PENDING') return free(vm, statesOf('hold'));
  return vm.work && !waits(vm) ? atWork(vm, vm.work) : 'may';
}

export const mayReleaseVm = (vm: Vm): Verdict => free(vm, statesOf('release'));

export function mayDeployOn(vm: Vm): Verdict {
  if (vm.ofService && vm.state === 'PENDING')
    return wrongState(`VM ${vm.id} is of a service, which finds a host for it: requirements of its role say which.`);
  return waits(vm) && vm.state === 'PENDING' ? 'may' : free(vm, statesOf('deploy'));
}

/** A mark on it, whoever is at work: it is heeded when nobody is. */
export function mayResched(vm: Vm, wish: boolean): Verdict {
  const { id, state, resched } = vm;
  if (resched === wish) return 'is so';
  if (wish && vm.between && !vm.work) return isBetween(vm);
  if (wish && vm.imported) return isImported(vm);
  const states = statesOf(wish ? 'resched' : 'unresched');
  return states.includes(state) ? 'may' : isFor(id, state, states);
}

export function mayMigrate(vm: Vm): Verdict {
  if (vm.between) return vm.work ? atWork(vm, vm.work) : 'may';
  // Of one of which nobody knows, another host could run a second one.
  return ofOurs(vm, 'migrate') ?? asked(vm, statesOf('migrate'));
}

/** What it is to have: a deployment of it that waits for a host goes by that, too. */
export function mayResize(vm: Vm): Verdict {
  if (vm.ofService && vm.state !== 'DONE')
    return wrongState(
      `VM ${vm.id} is of a service, which is charged alike for all VMs of a role: its VM template says what they have.`,
    );
  return ofOurs(vm, 'resize') ?? unlessAtWork(vm, statesOf('resize'));
}

/** What it is made of when it starts next. */
export const mayConfigure = (vm: Vm): Verdict => ofOurs(vm, 'updateconf') ?? unlessAtWork(vm, statesOf('updateconf'));

/** One that waits for a host is in nobody's hands. */
const unlessAtWork = (vm: Vm, states: readonly VmStateName[]): Verdict =>
  vm.state === 'PENDING' && waits(vm) && !vm.ofService ? 'may' : free(vm, states);

/** Its name is nobody's business but its owner's. */
export const mayRename = ({ id, state }: Pick<Vm, 'id' | 'state'>): Verdict =>
  statesOf('rename').includes(state) ? 'may' : isGone(id);

/** What asks both hosts. */
const endsIt: ReadonlySet<string> = new Set(['nothing', 'terminate', 'recreate']);

const isBetween = ({ id }: Vm): Refusal =>
  wrongState(`VM ${id} is on one of two hosts, for its migration was given up: migrate it again, or terminate it.`);

/** What is done to VMs that Arcus has made alone; null: it is not that. */
const ofOurs = (vm: Vm, action: VmActionName): Refusal | null =>
  vm.imported && vm.state !== 'DONE' && notOfImported.includes(action) ? isImported(vm) : null;

const isImported = ({ id }: Vm): Refusal =>
  wrongState(
    `VM ${id} was imported: nothing is known of its disks, so it stays what its domain is, on its host. It can be switched off and on, and terminated.`,
  );

function free(vm: Vm, states: readonly VmStateName[]): Verdict {
  if (vm.work) return atWork(vm, vm.work);
  if (vm.between) return isBetween(vm);
  if (states.includes(vm.state)) return 'may';
  return isFor(vm.id, vm.state, states);
}

const isFor = (id: number, state: VmStateName, states: readonly VmStateName[]): Refusal =>
  wrongState(`VM ${id} is ${stateWord(state)}: this is for ${states.map(stateWord).join(', ')}.`);

const isGone = (id: number): Refusal => wrongState(`VM ${id} is DONE: nothing of it can be changed any more.`);

/** The same of what its host has to do: of one that is OFFLINE nothing is asked. */
function asked(vm: Vm, states: readonly VmStateName[]): Verdict {
  const verdict = free(vm, states);
  return verdict === 'may' ? unlessOffline(vm) : verdict;
}

function unlessOffline({ id, offline, state, imported }: Vm): Verdict {
  if (offline === undefined) return 'may';
  const recreated = recoveries[state].recreate.do === 'recreate' && !imported ? ', or recreate it on another one' : '';
  return wrongState(
    `VM ${id} is on host ${offline}: nothing is asked of it. Enable the host, if it answers; else terminate the VM${recreated}.`,
  );
}

/** Whatever is going on gives way to it, and it to a harder one. */
export function mayTerminate({ id, state, work, going }: Vm, hard: boolean): Verdict {
  if (state === 'DONE') return wrongState(`VM ${id} is DONE: it is gone already.`);
  if (going === null || work === null || (hard && !going.hard)) return 'may';
  const harder = going.hard ? '' : ', or cut its power with hard';
  return inTheWay(work, `VM ${id} is being terminated by operation ${work.op}. Wait for it${harder}.`);
}

/** A guest that runs may say so as often as it likes; it matters where somebody waits for it. */
export function mayReport({ id, state, unready }: Vm): Verdict {
  if (state === 'DONE') return isGone(id);
  return unready ? 'may' : 'is so';
}

const atWork = ({ id, going }: Vm, work: Work): Refusal =>
  inTheWay(
    work,
    `Operation ${work.op} is at work on VM ${id}. Wait for it${going ? '' : ' or cancel it'}; delete pre-empts it.`,
  );

export const vmRetries: MayRetryOn<'vm'> = {
  deployVm: whereThere('vm', mayDeployAgain),
  terminateVm: whereThere('vm', (vm, operation) => mayTerminate(vm, wasHard(operation))),
  recoverVm: whereThere('vm', (vm, operation) => mayClaim(vm, claimOf(operation))),
  performOnVm: whereThere('vm', (vm, operation) => {
    const action = switchOf(operation);
    return action === null ? notFound(nameOf(operation.resource)) : maySwitch(vm, action);
  }),
  migrateVm: whereThere('vm', mayMigrate),
  importVm: () => wrongState('What it was to import is wild again: import it from its host, as a new VM.'),
  changeDevices: whereThere('vm', (vm, operation) => {
    const change = changeOf(operation);
    return change === null ? notFound(nameOf(operation.resource)) : mayChangeDevices(vm, change.action);
  }),
  saveDisk: whereThere('vm', maySaveDisk),
  restoreDisk: whereThere('vm', maySaveDisk),
  debugVm: whereThere('vm', (vm, operation) => {
    const step = debugStepOf(operation);
    return step === null ? notFound(nameOf(operation.resource)) : mayDebug(vm, { answer: step.answer, at: step });
  }),
};

type WithInput = Pick<OperationFacts, 'input'>;

/** What a claim said of its VM. */
const claimOf = ({ input }: WithInput): 'success' | 'failure' => ('claim' in input ? input.claim : 'failure');

/** What a change of devices was to change. */
const changeOf = ({ input }: WithInput): DeviceChange | null => ('change' in input ? input.change : null);

/** What an action of a failed VM was answered. */
const debugStepOf = ({ input }: WithInput): DebugStep | null =>
  'session' in input ? { answer: input.answer, session: input.session, number: input.number } : null;

/** Whether a termination was to be a hard one. */
export const wasHard = ({ input }: WithInput): boolean => 'hard' in input && input.hard === true;
