import { describe, expect, it } from 'vitest';
import type { Work as WorkFacts } from '../../domain/acts/facts.js';
import { type ActionName, nextActions } from '../../domain/next-actions.js';
import { recoveries } from '../../domain/vm-recover.js';
import {
  abandonment,
  nextVmState,
  storedVmState,
  type VmEvent,
  type VmStateName,
  vmStateNames,
} from '../../domain/vm-states.js';
import type { RecoverAction } from '../../schemas/vm.js';
import { deadEnds, type Machine, reachable, type Way } from './ways-out.js';

/** Somebody's: whose does not matter. */
const atWork: WorkFacts = { op: 'op', kind: null, state: 'running' };

type Work = 'deploy' | 'terminate' | 'recreate';
/** `silent`: its host does not answer, and monitoring has said ERROR of it. */
type Seen = { vm: VmStateName; work: Work | null; host: 'answers' | 'silent' | 'offline' };

const after = (vm: VmStateName, event: VmEvent): VmStateName[] => {
  const to = nextVmState(vm, event);
  return to === undefined ? [] : [to];
};

/** What an operation does next with the VM, in the order of its steps; null: it is done. */
function nextStep({ vm, work }: Seen): VmEvent | null {
  if (work === 'deploy') {
    if (vm === 'PENDING') return 'place';
    if (vm === 'ACTIVE/PROLOG') return 'boot';
    if (vm === 'ACTIVE/BOOT') return 'run';
    return vm === 'ACTIVE/RUNNING' ? null : 'retry';
  }
  if (vm === 'DONE') return null;
  if (work === 'recreate') return vm === 'ACTIVE/SHUTDOWN' ? 'resubmit' : vm === 'PENDING' ? 'place' : 'shutdown';
  if (vm === 'PENDING') return 'done';
  return vm === 'ACTIVE/SHUTDOWN' || vm === 'ACTIVE/EPILOG' ? 'done' : 'shutdown';
}

/** Steps that only a host that answers lets succeed; on one that is offline what is left of a VM counts as gone. */
const needsHost = ({ host }: Seen, event: VmEvent): boolean =>
  event === 'run' ? host !== 'answers' : (event === 'done' || event === 'resubmit') && host === 'silent';

/** An operation gets on by itself, or ends because what it did is done or cannot be done. */
function progress(seen: Seen): Way<Seen>[] {
  const { vm, work } = seen;
  if (work === null) return [];
  const event = nextStep(seen);
  if (event === null || nextVmState(vm, event) === undefined) return [ending(seen)];
  if (vm !== 'PENDING' && needsHost(seen, event)) return [ending(seen)];
  return after(vm, event).map((to) => ({
    name: `${work}: ${event}`,
    // Placed anew it is on a host that answers, and from then on it is deployed as any other.
    to: event === 'place' ? { vm: to, work: 'deploy', host: 'answers' } : { ...seen, vm: to },
  }));
}

/** Its end at this moment, whatever the reason: what it was in the middle of has failed. */
function ending(seen: Seen): Way<Seen> {
  const event = abandonment(storedVmState(seen.vm));
  const vm = event ? (nextVmState(seen.vm, event) ?? seen.vm) : seen.vm;
  return { name: 'the operation ends', to: { ...seen, vm, work: null } };
}

const begun = (seen: Seen, does: 'deploy' | 'terminate' | 'recreate'): Seen => ({ ...seen, work: does });

const recoverActions = new Map<string, RecoverAction>([
  ['retry', 'retry'],
  ['recreate', 'recreate'],
  ['recover_success', 'success'],
  ['recover_failure', 'failure'],
]);

/** What people are offered, and what comes of it. */
function offers(seen: Seen): Way<Seen>[] {
  const { vm, work, host } = seen;
  const facts = { about: 'resource', operation: null, after: null, mayManage: true, mayAdmin: true } as const;
  const resource = {
    type: 'vm',
    id: 1,
    state: vm,
    work: work === null ? null : atWork,
    going: null,
    unready: false,
  } as const;
  const ofVm = nextActions({ ...facts, resource }).map(({ name }): Way<Seen>[] => {
    if (name === 'terminate') return [{ name, to: begun(seen, 'terminate') }];
    if (name === 'resume') return [{ name, to: begun(seen, 'deploy') }];
    const action = recoverActions.get(name);
    if (action === undefined) return [];
    const recovery = recoveries[vm][action];
    if (recovery.do === 'claim') return after(vm, recovery.event).map((to) => ({ name, to: { ...seen, vm: to } }));
    return recovery.do === 'nothing' ? [] : [{ name, to: begun(seen, recovery.do) }];
  });
  const state = { answers: 'MONITORED', silent: 'ERROR', offline: 'OFFLINE' } as const;
  const ofHost = nextActions({ ...facts, resource: { type: 'host', id: 1, state: state[host] } });
  const offline = ofHost.some(({ name }) => name === 'offline');
  return [...ofVm.flat(), ...(offline ? [{ name: 'offline', to: { ...seen, host: 'offline' } as const }] : [])];
}

/** What may go wrong, or right, without anybody's doing. */
function accidents(seen: Seen): Way<Seen>[] {
  const { vm, work, host } = seen;
  const monitored = work !== null ? [] : host === 'answers' ? (['run', 'stop', 'lose'] as const) : (['lose'] as const);
  const mayRun = vm === 'ACTIVE/UNKNOWN' || vm === 'POWEROFF';
  return [
    ...monitored
      .filter((event) => (event === 'run' ? mayRun : vm === 'ACTIVE/RUNNING'))
      .flatMap((event) => after(vm, event).map((to) => ({ name: event, to: { ...seen, vm: to } }))),
    ...(work === null ? [] : [ending(seen)]),
    ...(host === 'answers' ? [{ name: 'the host falls silent', to: { ...seen, host: 'silent' } as const }] : []),
    ...(host === 'silent' ? [{ name: 'the host answers', to: { ...seen, host: 'answers' } as const }] : []),
    // A run that is lost with its worker, and whose operation was lost too: a check of consistency finds it.
    ...(work === null ? [] : [{ name: 'all is lost', to: { ...seen, work: null } }]),
  ];
}

const machine = (without: readonly (ActionName | 'progress')[] = []): Machine<Seen> => ({
  from: { vm: 'PENDING', work: 'deploy', host: 'answers' },
  happens: accidents,
  // The host is not counted on to answer again.
  leadsOn: (seen) => [
    ...(without.includes('progress') ? [] : progress(seen)),
    ...offers(seen).filter(({ name }) => !without.some((one) => one === name)),
  ],
  isWell: ({ vm, work, host }) => work === null && ((vm === 'ACTIVE/RUNNING' && host === 'answers') || vm === 'DONE'),
});

describe('a VM', () => {
  it('has from every state that can come about a way to RUNNING or DONE, of which each step is offered or comes by itself', () => {
    expect(deadEnds(machine())).toEqual([]);
  });

  it('comes into every state of its table, with and without an operation, on hosts of every kind', () => {
    const states = [...reachable(machine()).values()];
    const never: VmStateName[] = ['ACTIVE/EPILOG', 'ACTIVE/EPILOG_FAILURE'];
    expect([...new Set(states.map(({ vm }) => vm))].sort()).toEqual(
      vmStateNames.filter((name) => !never.includes(name)).sort(),
    );
    for (const host of ['answers', 'silent', 'offline']) expect(states.some((seen) => seen.host === host)).toBe(true);
  });

  it.each<[string, (ActionName | 'progress')[]]>([
    ['a host that is gone for good could not be taken offline', ['offline']],
    ['what is asked for did not get on', ['progress']],
    ['nothing were offered', ['retry', 'resume', 'recreate', 'terminate', 'recover_success', 'recover_failure']],
  ])('would be stuck if %s', (_, without) => {
    expect(deadEnds(machine(without))).not.toEqual([]);
  });
});
