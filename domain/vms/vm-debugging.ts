import type { DebugStep } from '../../schemas/operations/debug-step.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Debugging } from '../../schemas/vms/vm-debugging.js';
import { domainName } from '../operations/names.js';
import { diskAtFault } from './disk-fault.js';
import { placeOf } from './stays.js';
import { abandonment, nextVmState, type vmStates } from './vm-events.js';
import { recoveries } from './vm-recover.js';
import { storedVmState, type VmStateName, vmStateName, vmStateNames } from './vm-states.js';
import { type VmVerb, vmVerbs } from './vm-verbs.js';

/** Where a VM is when a verb is refused for good. */
type FailedBy<V extends VmVerb> = {
  [W in V]: (typeof vmVerbs)[W]['fail'] extends keyof (typeof vmStates)[(typeof vmVerbs)[W]['during']]
    ? (typeof vmStates)[(typeof vmVerbs)[W]['during']][(typeof vmVerbs)[W]['fail']]
    : never;
}[V];
/** Those that leave it in a *_FAILURE state then. */
type FailingVerb = { [V in VmVerb]: FailedBy<V> extends `${string}_FAILURE` ? V : never }[VmVerb];

/** What a retry that goes action by action consists of. Whoever adds a verb that fails so is asked how it is done by itself (activities/vms). */
export type DebugVerb = FailingVerb | 'clear' | 'remove';

/** One action. `disk`: of disks that are made, the one that it is about; absent: all, as before they were told apart. */
export type DebugDeed = { verb: DebugVerb; disk?: number };

const isVerb = (name: string): name is VmVerb => Object.hasOwn(vmVerbs, name);
const failedBy = (verb: VmVerb): VmStateName | undefined => nextVmState(vmVerbs[verb].during, vmVerbs[verb].fail);
const isFailing = (verb: VmVerb): verb is FailingVerb => failedBy(verb)?.endsWith('_FAILURE') === true;
const failing = Object.keys(vmVerbs).filter(isVerb).filter(isFailing);

/** A verb, and those that follow it before the VM is where it comes to rest. */
function withFollowing(first: FailingVerb): FailingVerb[] {
  const all = [first];
  for (let last: FailingVerb | undefined = first; last !== undefined; ) {
    const { during, leave }: { during: VmStateName; leave: (typeof vmVerbs)[FailingVerb]['leave'] } = vmVerbs[last];
    const next = nextVmState(during, leave);
    const rests = next === undefined || abandonment(storedVmState(next)) === undefined;
    last = rests ? undefined : failing.find((verb) => vmVerbs[verb].during === next && !all.includes(verb));
    if (last !== undefined) all.push(last);
  }
  return all;
}

/**
 * What has to be done at its host of a VM that failed, in order: what failed, and what follows it. Before a domain is made, what an
 * earlier try has left of it is removed. Where nothing of it had been done yet, or nothing fails so any more, that is all there is to do; where a claim
 * of success begins what follows, that comes with it. Disks are made one by one, so that the one that is amiss can be left out. `disks`: those that
 * it has in a datastore; null: it has none in any.
 */
export function debugDeeds(state: VmStateName, disks: readonly number[] | null): readonly DebugDeed[] {
  return debugVerbs(state, disks !== null).flatMap((verb): DebugDeed[] =>
    vmVerbs[verb].call === 'makeDisks' && disks && disks.length > 0
      ? disks.map((disk) => ({ verb, disk }))
      : [{ verb }],
  );
}

function debugVerbs(state: VmStateName, disks: boolean): readonly DebugVerb[] {
  if (!state.endsWith('_FAILURE')) return [];
  const failed = failing.find((verb) => failedBy(verb) === state && (disks || vmVerbs[verb].call !== 'makeDisks'));
  if (failed === undefined) return [recoveries[state].retry.do === 'terminate' ? 'remove' : 'clear'];
  if (recoveries[state].success.do === 'deploy') return [failed];
  return [...(vmVerbs[failed].call === 'deploy' ? ['clear' as const] : []), ...withFollowing(failed)];
}

/** The states in which there is something to go through. */
export const debuggedIn = vmStateNames.filter((state) => debugVerbs(state, true).length > 0);

type DebuggedVm = Pick<
  Vm,
  | '_id'
  | 'state'
  | 'lcm_state'
  | 'reason'
  | 'epoch'
  | 'history'
  | 'moving'
  | 'debugging'
  | 'stored'
  | 'datastore'
  | 'disks'
>;

const disksOf = ({ datastore, disks = [] }: Pick<Vm, 'datastore' | 'disks'>): number[] | null =>
  datastore ? disks.map(({ disk_id }) => disk_id) : null;

/** `DEPLOY simulated node-1 one-12`: what is asked of which host, or `MAKEDISK fs datastore-0 one-12 disk-1` of which datastore. */
function actionText(
  { verb, disk }: DebugDeed,
  vm: Pick<Vm, '_id' | 'history' | 'moving' | 'stored' | 'datastore'>,
): string {
  const { call } = vmVerbs[verb];
  const { datastore } = vm;
  if (datastore && disk !== undefined)
    return ['MAKEDISK', datastore.ds_mad, `datastore-${datastore.id}`, domainName(vm._id), `disk-${disk}`].join(' ');
  if (datastore && (call === 'makeDisks' || call === 'discard'))
    return [call.toUpperCase(), datastore.ds_mad, `datastore-${datastore.id}`, domainName(vm._id)].join(' ');
  const place = placeOf(vm);
  const to = vm.moving && call !== 'destroy' ? [vm.moving.hostname] : [];
  return [
    call.toUpperCase(),
    place?.vm_mad ?? vm.stored?.vm_mad ?? '-',
    place?.hostname ?? '-',
    ...to,
    domainName(vm._id),
  ].join(' ');
}

export type DebugAction = {
  number: number;
  action: string;
  state: 'pending' | 'failed' | 'succeeded' | 'skipped';
  error: string | null;
  operation: string | null;
  at: Date | null;
};

/** `begun`: somebody has answered already. `current` null: nothing is left to be done. */
export type Standing = {
  session: number;
  begun: boolean;
  current: number | null;
  leadsTo: string;
  actions: DebugAction[];
};

/** What failed of a VM, action by action, and where whoever goes through it stands; null: it has not failed. */
export function debuggingOf(vm: DebuggedVm): Standing | null {
  const state = vmStateName(vm);
  const deeds = debugDeeds(state, disksOf(vm));
  if (deeds.length === 0) return null;
  // What has come between, whatever it was, has begun anew.
  const kept = vm.debugging?.epoch === vm.epoch ? vm.debugging : null;
  const { session, done, failed } = kept ?? begun(vm.epoch);
  const atFault = diskAtFault(vm.reason);
  const actions = deeds.map((deed, at): DebugAction => {
    const what = { number: at + 1, action: actionText(deed, vm) };
    const answered = done[at];
    if (answered) return { ...what, state: answered.how, error: null, operation: answered.op, at: answered.at };
    if (at === done.length && failed)
      return { ...what, state: 'failed', error: failed.error, operation: failed.op, at: failed.at };
    // Disks are made in order: those before the one that failed are there, and nobody has come to those behind it.
    const isOfAnother = deed.disk !== undefined && atFault !== null && deed.disk !== atFault;
    const hasFailed = (failedBy(deed.verb) === state && !isOfAnother) || deeds.length === 1;
    const error = hasFailed ? vm.reason : null;
    return { ...what, state: hasFailed ? 'failed' : 'pending', error, operation: null, at: null };
  });
  const current = done.length < deeds.length ? done.length + 1 : null;
  return { session, begun: kept !== null, current, leadsTo: successOf(state), actions };
}

/** Where a VM is after a claim of success, or after what that begins. */
function successOf(state: VmStateName): string {
  const { success } = recoveries[state];
  const claimed = success.do === 'claim' ? nextVmState(state, success.event) : undefined;
  return (claimed ?? (success.do === 'terminate' ? 'DONE' : 'ACTIVE/RUNNING')).replace('ACTIVE/', '');
}

const begun = (epoch: number): Debugging => ({ session: epoch, epoch, done: [], failed: null });

/** Of a VM that an operation has which was let in to answer this: how far it is, and what is to be done. null: it has not failed. */
export function answeredIn(
  vm: Pick<Vm, 'state' | 'lcm_state' | 'epoch' | 'debugging' | 'datastore' | 'disks'>,
  { session, number }: Pick<DebugStep, 'session' | 'number'>,
): { deed: DebugDeed; so: Debugging } | null {
  const so = vm.debugging?.session === session ? vm.debugging : { ...begun(vm.epoch), session };
  const deed = debugDeeds(vmStateName(vm), disksOf(vm))[number - 1];
  return deed === undefined || so.done.length < number - 1 ? null : { deed, so };
}

/** Whether an operation has answered its action, and that was done, or skipped. */
export const hasAnswered = ({ debugging }: Pick<Vm, 'debugging'>, op: string): boolean =>
  debugging?.done.some((one) => one.op === op) === true;

/** What it comes to when the next action has succeeded, was skipped, or failed. */
export const after = (so: Debugging, how: 'succeeded' | 'skipped', op: string, at: Date): Debugging => ({
  ...{ ...so, failed: null },
  done: [...so.done, { how, op, at }],
});
export const afterFailure = (so: Debugging, error: string, op: string, at: Date): Debugging => ({
  ...so,
  failed: { error, op, at },
});
