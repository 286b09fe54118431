import type { VmSwitch } from '../../schemas/operations/vm-action.js';
import type { RecoverAction } from '../../schemas/vms/vm.js';
import { migratable } from '../vms/vm-moves.js';
import { recoveries, resumable, statesThat } from '../vms/vm-recover.js';
import type { VmStateName } from '../vms/vm-states.js';
import { vmSwitches } from '../vms/vm-switches.js';
import type { FactsOf, Work } from './facts.js';
import { inTheWay, type Refusal, type Verdict, wrongState } from './verdict.js';

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
  return action === 'delete' ? mayTerminate(vm, true) : 'may';
}

/** What was said of it, or done to it, once more. */
export const mayClaim = (vm: Vm, claim: 'success' | 'failure'): Verdict => free(vm, statesThat('claim', claim));
export const mayDeployAgain = (vm: Vm): Verdict => free(vm, deployedAgainIn);
export const maySwitch = (vm: Vm, action: VmSwitch): Verdict => free(vm, vmSwitches[action].states);
export const mayResume = (vm: Vm): Verdict => free(vm, resumable);

/** States of VMs that may be deployed to a host that is named. */
export const deployable: readonly VmStateName[] = ['PENDING', 'HOLD', 'UNDEPLOYED'];

/** Of one that waits for a host, its deployment ends for this. */
const waits = ({ work }: Vm): boolean => work?.kind === 'deployVm' && work.state === 'waiting';

export function mayHold(vm: Vm): Verdict {
  if (vm.state === 'HOLD' && !vm.work) return 'is so';
  if (vm.ofService) return wrongState(`VM ${vm.id} is of a service: put its role on hold, or terminate it.`);
  if (vm.state !== 'PENDING') return free(vm, ['PENDING']);
  return vm.work && !waits(vm) ? atWork(vm, vm.work) : 'may';
}

export const mayReleaseVm = (vm: Vm): Verdict => free(vm, ['HOLD']);

export function mayDeployOn(vm: Vm): Verdict {
  if (vm.ofService && vm.state === 'PENDING')
    return wrongState(`VM ${vm.id} is of a service, which finds a host for it: requirements of its role say which.`);
  return waits(vm) && vm.state === 'PENDING' ? 'may' : free(vm, deployable);
}

/** A mark on it, whoever is at work: it is heeded when nobody is. */
export function mayResched({ id, state, resched }: Vm, wish: boolean): Verdict {
  if (resched === wish) return 'is so';
  if (!wish || state === 'ACTIVE/RUNNING' || state === 'ACTIVE/UNKNOWN') return 'may';
  return wrongState(`VM ${id} is ${shortName(state)}: this is for RUNNING, UNKNOWN.`);
}

export function mayMigrate(vm: Vm): Verdict {
  if (vm.between) return vm.work ? atWork(vm, vm.work) : 'may';
  return free(vm, onTheirHost);
}

/** Of one of which nobody knows, another host could run a second one. */
const onTheirHost = migratable.filter((state) => state !== 'ACTIVE/UNKNOWN');
/** What asks both hosts. */
const endsIt: ReadonlySet<string> = new Set(['nothing', 'terminate', 'recreate']);

const isBetween = ({ id }: Vm): Refusal =>
  wrongState(`VM ${id} is on one of two hosts, for its migration was given up: migrate it again, or terminate it.`);

function free(vm: Vm, states: readonly VmStateName[]): Verdict {
  if (vm.work) return atWork(vm, vm.work);
  if (vm.between) return isBetween(vm);
  if (states.includes(vm.state)) return 'may';
  return wrongState(`VM ${vm.id} is ${shortName(vm.state)}: this is for ${states.map(shortName).join(', ')}.`);
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
  if (state === 'DONE') return wrongState(`VM ${id} is DONE: nothing of it can be changed any more.`);
  return unready ? 'may' : 'is so';
}

const atWork = ({ id, going }: Vm, work: Work): Refusal =>
  inTheWay(
    work,
    `Operation ${work.op} is at work on VM ${id}. Wait for it${going ? '' : ' or cancel it'}; delete pre-empts it.`,
  );

const shortName = (state: VmStateName): string => state.replace('ACTIVE/', '');
