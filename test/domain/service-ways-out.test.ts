import { describe, expect, it } from 'vitest';
import type { Work as WorkFacts } from '../../domain/acts/facts.js';
import { type ActionName, nextActions } from '../../domain/next-actions.js';
import { belongs, serviceHealth } from '../../domain/service-health.js';
import { nextRoleState, nextServiceState, type ServiceEvent } from '../../domain/service-states.js';
import {
  abandonment,
  isVmFailure,
  isVmHealthy,
  nextVmState,
  storedVmState,
  type VmEvent,
  type VmStateName,
} from '../../domain/vm-states.js';
import type { ServiceState } from '../../schemas/service.js';
import { deployingService } from '../support/deploying-service.js';
import { deadEnds, type Machine, reachable, type Way } from './ways-out.js';

/** Somebody's: whose does not matter. */
const atWork: WorkFacts = { op: 'op', kind: null, state: 'running' };

type Work = 'deploy' | 'repair' | 'undeploy';
/** A service of one role with two VMs: their states in order, those that are DONE left out. */
type Seen = { service: ServiceState; role: ServiceState; vms: VmStateName[]; work: Work | null; taken: boolean };

const cardinality = 2;
const lcm = (vm: VmStateName) => storedVmState(vm).lcm_state;
const isMidway = (vm: VmStateName): boolean => abandonment(storedVmState(vm)) !== undefined || vm === 'PENDING';
const isAmiss = (vm: VmStateName): boolean => isVmFailure(lcm(vm)) || vm === 'ACTIVE/UNKNOWN';
const sorted = (seen: Seen): Seen => ({ ...seen, vms: seen.vms.filter((vm) => vm !== 'DONE').toSorted() });

const on = (state: ServiceState, next: typeof nextServiceState, event: ServiceEvent): ServiceState =>
  next(state, event) ?? state;

/** One VM of those there are, after this. */
const moved = (seen: Seen, which: (vm: VmStateName) => boolean, event: VmEvent, name: string = event): Way<Seen>[] =>
  seen.vms.flatMap((vm, at) => {
    const to = which(vm) ? nextVmState(vm, event) : undefined;
    return to === undefined ? [] : [{ name, to: sorted({ ...seen, vms: seen.vms.with(at, to) }) }];
  });

/** RUNNING or WARNING, by the product's own rule. */
function judged(seen: Seen): Seen {
  const [role] = deployingService(1, 'op').roles;
  if (!role || seen.work !== null) return seen;
  const vms = seen.vms.map((vm, _id) => ({
    ...{ _id, name: `vm-${_id}`, ...storedVmState(vm), reason: null, wanted: null },
    service: { id: 1, role: role.name, ordinal: _id },
  }));
  expect(vms.every(belongs)).toBe(true);
  const roles = [{ ...role, cardinality, state: seen.role }];
  const health = serviceHealth({ state: seen.service, roles }, vms);
  return health ? { ...seen, service: health.state, role: health.roles[0]?.state ?? seen.role } : seen;
}

/** The operation gets on: begins, takes the role, works on its VMs, settles the role, ends. */
function progress(seen: Seen): Way<Seen>[] {
  const { work, service, role, vms, taken } = seen;
  if (work === null) return [];
  if (!taken) {
    const roleEvent = work === 'undeploy' ? 'undeploy' : 'deploy';
    const begun = {
      ...seen,
      taken: true,
      service: on(service, nextServiceState, work),
      role: on(role, nextRoleState, roleEvent),
    };
    if (work === 'undeploy') return [{ name: 'take', to: begun }];
    const kept = vms.filter((vm) => !isAmiss(vm));
    const made = Array.from({ length: Math.max(0, cardinality - kept.length) }, (): VmStateName => 'PENDING');
    return [{ name: 'take', to: sorted({ ...begun, vms: [...vms, ...made] }) }];
  }
  const isLeaving = (vm: VmStateName): boolean => work === 'undeploy' || isAmiss(vm) || vm === 'ACTIVE/SHUTDOWN';
  const steps = [
    ...moved(seen, (vm) => isLeaving(vm) && vm !== 'ACTIVE/SHUTDOWN' && vm !== 'PENDING', 'shutdown'),
    ...moved(seen, (vm) => isLeaving(vm), 'done'),
    ...(work === 'undeploy'
      ? []
      : (['place', 'boot', 'run'] as const).flatMap((event) =>
          moved(seen, (vm) => !isLeaving(vm) && isMidway(vm), event),
        )),
  ];
  return steps.length > 0 ? steps : [ended(seen)];
}

/** The operation ends at this moment, and settles what it had. */
function ended(seen: Seen): Way<Seen> {
  const { work, service, role } = seen;
  const vms = seen.vms.map((vm) => {
    const event = abandonment(storedVmState(vm));
    return event ? (nextVmState(vm, event) ?? vm) : vm;
  });
  const arrived =
    work === 'undeploy'
      ? vms.length === 0
      : vms.length === cardinality && vms.every((vm) => isVmHealthy(storedVmState(vm)));
  const [up, down]: [ServiceEvent, ServiceEvent] =
    work === 'undeploy'
      ? ['undeployed', 'fail_undeploy']
      : work === 'repair'
        ? ['well', 'fail_repair']
        : ['deployed', 'fail_deploy'];
  const event = arrived && seen.taken ? up : down;
  const ofRole = event === 'well' ? 'deployed' : event;
  return {
    name: `ends: ${event}`,
    to: judged(
      sorted({
        service: on(service, nextServiceState, event),
        role: on(role, nextRoleState, ofRole),
        vms,
        work: null,
        taken: false,
      }),
    ),
  };
}

const starts: Partial<Record<ActionName, (state: ServiceState) => Work>> = {
  recover: (state) => (state === 'FAILED_UNDEPLOYING' ? 'undeploy' : 'deploy'),
  repair: () => 'repair',
  undeploy: () => 'undeploy',
  delete: () => 'undeploy',
};

function offers(seen: Seen): Way<Seen>[] {
  const { service: state, work } = seen;
  const going = work === 'undeploy' ? { hard: true, remove: true } : null;
  const actions = nextActions({
    ...{ about: 'resource', operation: null, after: null, mayManage: true, mayAdmin: false },
    resource: { type: 'service', id: 1, state, work: work === null ? null : atWork, going },
  });
  // Of VMs too many, such as one that was taken for lost and came back, people end some.
  const ended = seen.vms.flatMap((vm, at): Way<Seen>[] => {
    const facts = { about: 'resource', operation: null, after: null, mayManage: true, mayAdmin: false } as const;
    const resource = {
      type: 'vm',
      id: at,
      state: vm,
      work: work === null ? null : atWork,
      going: null,
      unready: false,
    } as const;
    const isOffered = work === null && nextActions({ ...facts, resource }).some(({ name }) => name === 'terminate');
    return isOffered ? [{ name: 'terminate', to: judged({ ...seen, vms: seen.vms.toSpliced(at, 1) }) }] : [];
  });
  return [
    ...ended,
    ...actions.flatMap((action) => {
      const start = Object.entries(starts).find(([name]) => name === action.name)?.[1];
      return start && state !== 'DONE'
        ? [{ name: action.name, to: { ...seen, work: start(state), taken: false } }]
        : [];
    }),
  ];
}

function accidents(seen: Seen): Way<Seen>[] {
  const { work, service } = seen;
  if (work !== null)
    return [
      ended(seen),
      ...(['fail_prolog', 'fail_boot', 'fail_shutdown'] as const).flatMap((event) => moved(seen, () => true, event)),
    ];
  if (service === 'DONE') return [];
  const seenAgain = (vm: VmStateName): boolean => vm === 'ACTIVE/UNKNOWN' || vm === 'POWEROFF';
  const ways = [
    ...moved(seen, (vm) => vm === 'ACTIVE/RUNNING', 'stop'),
    ...moved(seen, (vm) => vm === 'ACTIVE/RUNNING', 'lose'),
    ...moved(seen, seenAgain, 'run'),
    ...seen.vms.map((_, at) => ({ name: 'terminated by hand', to: { ...seen, vms: seen.vms.toSpliced(at, 1) } })),
  ];
  return ways.map(({ name, to }) => ({ name, to: judged(to) }));
}

const machine = (without: readonly ActionName[] = []): Machine<Seen> => ({
  from: { service: 'PENDING', role: 'PENDING', vms: [], work: 'deploy', taken: false },
  // VMs that cannot be removed may pile up; two at a time are as good as any number.
  happens: (seen) => accidents(seen).filter(({ to }) => to.vms.filter(isAmiss).length <= cardinality),
  leadsOn: (seen) => [...progress(seen), ...offers(seen).filter(({ name }) => !without.some((one) => one === name))],
  isWell: ({ service, work, vms }) =>
    work === null && (service === 'RUNNING' ? vms.length >= cardinality : service === 'DONE'),
});

describe('a service', () => {
  it('has from every state that can come about, with its role and VMs, a way to RUNNING or DONE', () => {
    expect(deadEnds(machine())).toEqual([]);
  });

  it('comes into all of its states that exist so far', () => {
    const states = [...reachable(machine()).values()];
    const of = (key: 'service' | 'role') => [...new Set(states.map((seen) => seen[key]))].sort();
    const all = [
      'DEPLOYING',
      'DONE',
      'FAILED_DEPLOYING',
      'FAILED_UNDEPLOYING',
      'PENDING',
      'RUNNING',
      'UNDEPLOYING',
      'WARNING',
    ];
    expect(of('service')).toEqual(all);
    expect(of('role')).toEqual(all);
    expect(states.length).toBeGreaterThan(100);
  });

  it('goes back to RUNNING without being ended, but where it is ended already', () => {
    const stuck = deadEnds({
      ...machine(['undeploy', 'delete']),
      isWell: ({ service, work }) => work === null && service === 'RUNNING',
    });
    const ofOthers = stuck.filter((text) => !/UNDEPLOYING|DONE|"undeploy"/.test(text));
    expect(ofOthers).toEqual([]);
  });

  it.each<[string, ActionName[]]>([['nothing were offered', ['recover', 'repair', 'undeploy', 'delete']]])(
    'would be stuck if %s',
    (_, without) => {
      expect(deadEnds(machine(without))).not.toEqual([]);
    },
  );

  it('would have to be ended if repair were not offered', () => {
    const stuck = deadEnds({ ...machine(['repair', 'undeploy', 'delete']) });
    expect(stuck.some((text) => text.includes('"service":"WARNING"'))).toBe(true);
  });
});
