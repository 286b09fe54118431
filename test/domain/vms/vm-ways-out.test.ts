import { describe, expect, it } from 'vitest';
import type { Work as WorkFacts } from '../../../domain/acts/facts.js';
import { type ActionName, nextActions } from '../../../domain/acts/next-actions.js';
import { statesOf } from '../../../domain/vms/vm-action-states.js';
import { deviceActions } from '../../../domain/vms/vm-devices.js';
import { abandonment, nextVmState, type VmEvent } from '../../../domain/vms/vm-events.js';
import { vmMoves } from '../../../domain/vms/vm-moves.js';
import { recoveries } from '../../../domain/vms/vm-recover.js';
import { storedVmState, type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';
import { vmSwitches } from '../../../domain/vms/vm-switches.js';
import { type DeviceVerb, vmVerbs } from '../../../domain/vms/vm-verbs.js';
import { HostState } from '../../../schemas/hosts/host.js';
import { type VmSwitch, VmSwitch as VmSwitches } from '../../../schemas/operations/vm-action.js';
import type { RecoverAction } from '../../../schemas/vms/vm.js';
import { deadEnds, sayWalked, type Way, walk } from '../acts/ways-out.js';
import { offeredOf, probed, type SeenHost, turned } from '../hosts/host-ways.js';

/** Somebody's: whose does not matter. */
const atWork: WorkFacts = { op: 'op', kind: null, state: 'running' };

type Switch = (typeof vmSwitches)[VmSwitch]['verb'];
/** To another host, by what it does; `settle`: it was on its way before, and is looked for. */
const moves = {
  live: vmMoves.running.steps(true),
  cold: vmMoves.running.steps(false),
  off: vmMoves.off.steps(false),
  saved: vmMoves.suspended.steps(false),
} as const;
type Move = keyof typeof moves;
/** Its devices are changed. */
const changes: readonly DeviceVerb[] = Object.values(deviceActions).flatMap((row) => Object.values(row));
type Work = 'deploy' | 'terminate' | 'recreate' | 'settle' | 'saveDisk' | Move | Switch | DeviceVerb;
/** A VM, who is at work on it, and the host that it is on or was on last; `between`: or on another one; `stored`: something of it is kept away from hosts. */
type Seen = { vm: VmStateName; work: Work | null; host: SeenHost; between?: true; stored?: true };

const after = (vm: VmStateName, event: VmEvent): VmStateName[] => {
  const to = nextVmState(vm, event);
  return to === undefined ? [] : [to];
};

/** What an operation does next with the VM, in the order of its steps; null: it is done. */
function nextStep({ vm, work, stored }: Seen): VmEvent | null {
  if (isMove(work)) {
    const steps = moves[work];
    const at = steps.find((verb) => vmVerbs[verb].during === vm);
    return at ? vmVerbs[at].leave : steps[0] ? vmVerbs[steps[0]].enter : null;
  }
  if (isChange(work)) {
    const { enter, during, leave } = vmVerbs[work];
    return vm === during ? leave : enter;
  }
  if (work === 'saveDisk') return abandonment(storedVmState(vm)) ?? 'save_disk';
  if (work === 'store' && vm === 'ACTIVE/RUNNING') return 'save_stop';
  if (work === 'store' && vm === 'ACTIVE/SAVE_STOP') return 'store';
  if (isSwitch(work)) {
    const { enter, during, leave, after: ends } = vmVerbs[work];
    const through: readonly VmStateName[] = ends;
    return through.includes(vm) ? null : vm === during ? leave : enter;
  }
  if (work === 'deploy') {
    if (vm === 'PENDING') return stored ? 'fetch' : 'place';
    if (vm === 'ACTIVE/PROLOG') return 'boot';
    if (vm === 'ACTIVE/PROLOG_RESUME') return 'resume_stopped';
    if (vm === 'ACTIVE/BOOT' || vm === 'ACTIVE/BOOT_STOPPED' || vm === 'ACTIVE/BOOT_SUSPENDED') return 'run';
    if (vm === 'SUSPENDED') return 'restore';
    if (vm === 'UNDEPLOYED' || vm === 'STOPPED') return 'resubmit';
    if (vm === 'HOLD') return 'release';
    return vm === 'ACTIVE/RUNNING' ? null : 'retry';
  }
  if (vm === 'DONE') return null;
  const hasNoHost = vm === 'PENDING' || vm === 'HOLD' || vm === 'STOPPED';
  if (hasNoHost && stored) return 'epilog';
  if (work === 'recreate')
    return vm === 'ACTIVE/SHUTDOWN' || vm === 'ACTIVE/EPILOG' ? 'resubmit' : vm === 'PENDING' ? 'place' : 'shutdown';
  if (vm === 'PENDING' || vm === 'HOLD') return 'done';
  return vm === 'ACTIVE/SHUTDOWN' || vm === 'ACTIVE/EPILOG' ? 'done' : 'shutdown';
}

/** Steps that the host does not let succeed; on one that is offline what is left of a VM counts as gone. */
function isHindered({ vm, host: { state, answers } }: Seen, event: VmEvent): boolean {
  if (vm.includes('MIGRATE')) return !answers;
  if (event === 'place' || event === 'fetch') return state !== 'MONITORED' || !answers;
  if (vm === 'PENDING' || vm === 'HOLD' || vm === 'UNDEPLOYED' || vm === 'STOPPED' || vm === 'ACTIVE/EPILOG')
    return false;
  const switches =
    event === 'stop' ||
    event === 'suspended' ||
    event === 'undeployed' ||
    event === 'stored' ||
    event === 'resume_stopped';
  return event === 'run' || switches
    ? !answers
    : (event === 'done' || event === 'resubmit') && !answers && state !== 'OFFLINE';
}

/** An operation gets on by itself, or ends because what it did is done or cannot be done. */
function progress(seen: Seen): Way<Seen>[] {
  const { vm, work } = seen;
  if (work === null) return [];
  if (work === 'settle') {
    const [one] = seen.host.answers ? [seen.host] : seen.host.state === 'OFFLINE' ? [another] : [];
    return one ? [{ name: 'progress', to: { vm: 'ACTIVE/RUNNING', work: null, host: one } }] : [ending(seen)];
  }
  const event = nextStep(seen);
  if (event === null || nextVmState(vm, event) === undefined) return [ending(seen)];
  // What has no place waits for one, and nobody can count on another host.
  if (isHindered(seen, event)) return event === 'place' || event === 'fetch' ? [] : [ending(seen)];
  // Placed anew it is from then on deployed as any other.
  const last = isMove(work) ? (moves[work].at(-1) ?? 'migrate') : isChange(work) ? work : null;
  const isSaved = work === 'saveDisk' && event !== 'save_disk';
  const isLast = isSaved || (last !== null && vmVerbs[last].during === vm);
  return after(vm, event).map((to) => {
    const { between, stored, ...rest } = seen;
    const isKept =
      to === 'ACTIVE/EPILOG_STOP' ||
      (stored && to !== 'ACTIVE/RUNNING' && to !== 'DONE' && (event !== 'resubmit' || work === 'deploy'));
    const stays = to !== 'DONE' && to !== 'PENDING' && between ? { between } : {};
    return {
      name: 'progress',
      to: {
        ...rest,
        ...stays,
        ...(isKept && { stored: true as const }),
        vm: to,
        ...((event === 'place' || event === 'fetch') && deploys),
        ...(isLast && { work: null }),
      },
    };
  });
}

/** By which event a VM says that it is again what it is. */
const settled: { readonly [S in VmStateName]?: VmEvent } = {
  'ACTIVE/RUNNING': 'run',
  POWEROFF: 'stop',
  SUSPENDED: 'suspended',
};
const deploys = { work: 'deploy' } as const;
const another: SeenHost = { state: 'MONITORED', answers: true };

/** Its end at this moment, whatever the reason: what it was in the middle of has failed. */
function ending(seen: Seen): Way<Seen> {
  const event = abandonment(storedVmState(seen.vm));
  const vm = event ? (nextVmState(seen.vm, event) ?? seen.vm) : seen.vm;
  const between = isMove(seen.work) && vm === 'ACTIVE/UNKNOWN' ? ({ between: true } as const) : {};
  return { name: 'the operation ends', to: { ...seen, ...between, vm, work: null } };
}

const isMove = (work: Work | null): work is Move => work !== null && Object.hasOwn(moves, work);
const isChange = (work: Work | null): work is DeviceVerb => changes.some((verb) => verb === work);
const isSwitch = (work: Work | null): work is Switch =>
  work !== null &&
  !isMove(work) &&
  !isChange(work) &&
  !['deploy', 'terminate', 'recreate', 'settle', 'saveDisk'].includes(work);

const begun = (seen: Seen, does: Work): Seen => ({ ...seen, work: does });

const recoverActions = new Map<string, RecoverAction>([
  ['retry', 'retry'],
  ['recreate', 'recreate'],
  ['recover_success', 'success'],
  ['recover_failure', 'failure'],
]);

/** What people are offered, and what comes of it. */
function offers(seen: Seen): Way<Seen>[] {
  const { vm, work } = seen;
  const facts = { about: 'resource', operation: null, after: null, mayManage: true, mayAdmin: true } as const;
  const resource = {
    type: 'vm',
    id: 1,
    state: vm,
    work: work === null ? null : atWork,
    going: null,
    unready: false,
    between: seen.between === true,
    ofService: false,
    resched: false,
  } as const;
  const ofVm = nextActions({ ...facts, resource }).map(({ name }): Way<Seen>[] => {
    if (name === 'terminate') return [{ name, to: begun(seen, 'terminate') }];
    if (name === 'release') return [{ name, to: begun(seen, 'deploy') }];
    if (name === 'hold') return [{ name, to: { ...seen, vm: 'HOLD', work: null } }];
    if (name === 'migrate') return [{ name, to: begun(seen, 'settle') }];
    if (name === 'resume') return [{ name, to: begun(seen, 'deploy') }];
    const action = recoverActions.get(name);
    if (action === undefined) return [];
    const recovery = recoveries[vm][action];
    if (recovery.do === 'claim') return after(vm, recovery.event).map((to) => ({ name, to: { ...seen, vm: to } }));
    return recovery.do === 'nothing' ? [] : [{ name, to: begun(seen, recovery.do === 'stop' ? 'store' : recovery.do) }];
  });
  return [...ofVm.flat(), ...onHost(seen, offeredOf)];
}

const onHost = (seen: Seen, ways: (host: SeenHost) => Way<SeenHost>[]): Way<Seen>[] =>
  ways(seen.host).map(({ name, to }) => ({ name, to: { ...seen, host: to } }));

/** A look at a host that does not answer says of what runs there that nobody knows; it comes by itself. */
function looks({ vm, work, host }: Seen): Way<Seen>[] {
  const isLost = work === null && vm === 'ACTIVE/RUNNING' && !host.answers && host.state !== 'OFFLINE';
  return isLost ? after(vm, 'lose').map((to) => ({ name: 'it is looked for', to: { vm: to, work, host } })) : [];
}

/** What may go wrong, or right, without anybody's doing. */
function accidents(seen: Seen): Way<Seen>[] {
  const { vm, work, host } = seen;
  const found = work !== null || seen.between || !host.answers ? [] : (['run', 'stop', 'lose'] as const);
  const mayRun = vm === 'ACTIVE/UNKNOWN' || vm === 'POWEROFF' || vm === 'SUSPENDED';
  return [
    ...found
      .filter((event) => (event === 'run' ? mayRun : vm === 'ACTIVE/RUNNING'))
      .flatMap((event) => after(vm, event).map((to) => ({ name: event, to: { ...seen, vm: to } }))),
    ...(work === null ? [] : [ending(seen)]),
    ...onHost(seen, turned),
    // Its user switches it: nobody is told to.
    ...(work !== null || seen.between
      ? []
      : VmSwitches.options.flatMap((action) => {
          const { verb } = vmSwitches[action];
          return statesOf(action).includes(vm) ? [{ name: verb, to: begun(seen, verb) }] : [];
        })),
    // An administrator has it taken to another host.
    ...(work !== null || seen.between
      ? []
      : (['live', 'cold', 'off', 'saved'] as const).flatMap((move) => {
          const first = moves[move][0];
          return first && nextVmState(vm, vmVerbs[first].enter) ? [{ name: move, to: begun(seen, move) }] : [];
        })),
    // Its user changes its devices.
    ...(work !== null || seen.between || settled[vm] === undefined
      ? []
      : changes.flatMap((verb) =>
          vmVerbs[verb].leave === settled[vm] ? [{ name: verb, to: begun(seen, verb) }] : [],
        )),
    // Its user saves a disk of it.
    ...(work === null && !seen.between && statesOf('disk-saveas').includes(vm)
      ? [{ name: 'saveDisk', to: begun(seen, 'saveDisk') }]
      : []),
    // Another host takes it.
    ...(work !== null && work !== 'terminate' && vm === 'PENDING'
      ? [
          {
            name: 'placed',
            to: { vm: 'ACTIVE/PROLOG', work: 'deploy', host: { state: 'MONITORED', answers: true } },
          } as const,
        ]
      : []),
    // A run that is lost with its worker, and whose operation was lost too: a check of consistency finds it.
    ...(work === null || isMove(work) ? [] : [{ name: 'all is lost', to: { ...seen, work: null } }]),
  ];
}

const states = walk<Seen>({
  from: { vm: 'PENDING', work: 'deploy', host: { state: 'MONITORED', answers: true } },
  happens: accidents,
  // The host is not counted on to answer again.
  leadsOn: (seen) => [...progress(seen), ...offers(seen), ...looks(seen), ...onHost(seen, probed)],
});
sayWalked('a VM', states);
const isWell = ({ vm, work, host }: Seen): boolean =>
  work === null && ((vm === 'ACTIVE/RUNNING' && host.answers) || vm === 'DONE');

describe('a VM', () => {
  it('has from every state that can come about a way to RUNNING or DONE, of which each step is offered or comes by itself', () => {
    expect(deadEnds(states, isWell)).toEqual([]);
  });

  it('comes into every state of its table, with and without an operation, on hosts in every state, silent ones too', () => {
    const seen = [...states.values()].map(({ state }) => state);
    const met = new Set(seen.map(({ vm }) => vm));
    expect([...met].sort()).toEqual([...vmStateNames].sort());
    for (const state of HostState.options)
      for (const answers of [true, false])
        for (const vm of ['ACTIVE/RUNNING', 'ACTIVE/UNKNOWN', 'ACTIVE/BOOT_FAILURE', 'POWEROFF'])
          expect(
            seen.some((one) => one.vm === vm && one.host.state === state && one.host.answers === answers),
            `${vm} on a host that is ${state}`,
          ).toBe(true);
  });

  it.each<[string, (ActionName | 'progress' | 'it is probed')[]]>([
    ['a host that is gone for good could not be taken offline', ['offline']],
    ['a host that was disabled before it fell silent could not be enabled again', ['enable']],
    ['nobody looked at hosts', ['it is probed']],
    ['what is asked for did not get on', ['progress']],
    ['what waits for a place could not be ended', ['terminate']],
    ['nothing were offered', ['retry', 'resume', 'recreate', 'terminate', 'recover_success', 'recover_failure']],
  ])('would be stuck if %s', (_, without) => {
    expect(deadEnds(states, isWell, without)).not.toEqual([]);
  });
});
