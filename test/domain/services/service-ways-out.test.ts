import { describe, expect, it } from 'vitest';
import type { ResourceFacts, Work as WorkFacts } from '../../../domain/acts/facts.js';
import { type ActionName, nextActions } from '../../../domain/acts/next-actions.js';
import { departure } from '../../../domain/services/departure.js';
import { recoverable, rolesToRecover, rolesToRepair } from '../../../domain/services/roles-to-repair.js';
import { belongs, type HealthVm, serviceHealth } from '../../../domain/services/service-health.js';
import { nextRoleState, nextServiceState, type ServiceEvent } from '../../../domain/services/service-states.js';
import { abandonment, nextVmState, type VmEvent } from '../../../domain/vms/vm-events.js';
import { isVmFailure, isVmHealthy, storedVmState, type VmStateName } from '../../../domain/vms/vm-states.js';
import type { HostState } from '../../../schemas/hosts/host.js';
import type { Role, ServiceState } from '../../../schemas/services/service.js';
import { deployingService } from '../../support/deploying-service.js';
import { deadEnds, sayWalked, type Way, walk } from '../acts/ways-out.js';
import { offeredOf } from '../hosts/host-ways.js';

/** Somebody's: whose does not matter. */
const atWork: WorkFacts = { op: 'op', kind: null, state: 'running' };

type Work = 'deploy' | 'repair' | 'undeploy';
/** `there`: on the host that does not answer. What is not is on hosts that do, as far as it is on any. */
type SeenVm = { vm: VmStateName; there?: true };
/**
 * A service of one role: the states of its VMs in order, those that are DONE left out; and what the host is called that
 * has fallen silent with VMs of it.
 */
type Seen = {
  cardinality: number;
  service: ServiceState;
  role: ServiceState;
  vms: SeenVm[];
  work: Work | null;
  taken: boolean;
  host: Extract<HostState, 'ERROR' | 'OFFLINE'> | null;
};

const lcm = (vm: VmStateName) => storedVmState(vm).lcm_state;
const isMidway = (vm: VmStateName): boolean => abandonment(storedVmState(vm)) !== undefined || vm === 'PENDING';
const isAmiss = ({ vm }: SeenVm): boolean => isVmFailure(lcm(vm)) || vm === 'ACTIVE/UNKNOWN';
const order = ({ vm, there }: SeenVm): string => `${vm} ${there === true}`;
const sorted = (seen: Seen): Seen => {
  const vms = seen.vms.filter(({ vm }) => vm !== 'DONE').toSorted((one, other) => (order(one) < order(other) ? -1 : 1));
  // A host with nothing of the service on it is nothing to the service.
  return { ...seen, vms, host: vms.some(({ there }) => there) ? seen.host : null };
};

const on = (state: ServiceState, next: typeof nextServiceState, event: ServiceEvent): ServiceState =>
  next(state, event) ?? state;

/** One VM of those there are, after this. */
const moved = (seen: Seen, which: (vm: SeenVm) => boolean, event: VmEvent, name: string = event): Way<Seen>[] =>
  seen.vms.flatMap((one, at) => {
    const vm = which(one) ? nextVmState(one.vm, event) : undefined;
    return vm === undefined || vm === one.vm
      ? []
      : [{ name, to: sorted({ ...seen, vms: seen.vms.with(at, { ...one, vm }) }) }];
  });

/** Whether the host of a VM lets a step succeed: on one that is offline, what is left of a VM counts as gone. */
const isHindered = ({ host }: Seen, { there }: SeenVm, event: VmEvent): boolean =>
  there === true && (event === 'run' || (event === 'done' && host !== 'OFFLINE'));

function roleOf({ cardinality, role: state }: Seen): Role {
  const [role] = deployingService(1, 'op').roles;
  if (!role) throw new Error('it has no role');
  return { ...role, cardinality, state };
}

/** RUNNING or WARNING, by the product's own rule. */
function judged(seen: Seen): Seen {
  if (seen.work !== null) return seen;
  const vms = healthVms(seen.vms);
  expect(vms.every(belongs)).toBe(true);
  const roles = [roleOf(seen)];
  const health = serviceHealth({ state: seen.service, roles, body }, vms, new Date(0));
  return health ? { ...seen, service: health.state, role: health.roles[0]?.state ?? seen.role } : seen;
}

const body = { ready_status_gate: false };
const healthVms = (vms: readonly SeenVm[]): HealthVm[] =>
  vms.map(({ vm }, _id) => ({
    ...{ _id, name: `vm-${_id}`, ...storedVmState(vm), reason: null, wanted: null, user_template: {} },
    service: { id: 1, role: 'front', ordinal: _id },
  }));

/** What the product makes of it that somebody has terminated a VM, at whatever moment. */
function withoutOne(seen: Seen, at: number): Seen {
  const { service: state, cardinality, work } = seen;
  const vms = seen.vms.toSpliced(at, 1);
  const role = roleOf(seen);
  const roles = [role];
  const operation = work === null ? null : 'op';
  const gone = { _id: 9, capacity: { cpu: 1, memory: 1 }, operation: 'by hand', hold: null };
  const place = { service: { id: 1, role: role.name, ordinal: 9 } };
  const [by, others] = [{ by: 'alice', at: new Date(0) }, healthVms(vms)];
  const after = departure({ state, roles, body, operation, wanted: null }, { ...gone, ...place }, others, by);
  const [left] = after.roles;
  return sorted({
    ...seen,
    ...{ vms, service: after.state, role: left?.state ?? seen.role, cardinality: left?.cardinality ?? cardinality },
  });
}

/** The operation gets on: begins, takes the role, works on its VMs, settles the role, ends. */
function progress(seen: Seen): Way<Seen>[] {
  const { cardinality, work, service, role, vms, taken } = seen;
  if (work === null) return [];
  if (!taken) {
    const roleEvent = work === 'undeploy' ? 'undeploy' : 'deploy';
    // A repair has its roles alone: the service stays what its roles make of it.
    const ofService = work === 'repair' ? service : nextServiceState(service, work);
    const ofRole = nextRoleState(role, roleEvent);
    // What may not begin finds its guard unmatched, and ends.
    if (ofService === undefined || ofRole === undefined) return [ended(seen)];
    const begun = { ...seen, taken: true, service: ofService, role: ofRole };
    if (work === 'undeploy') return [{ name: 'take', to: begun }];
    const kept = vms.filter((vm) => !isAmiss(vm));
    const made = Array.from({ length: Math.max(0, cardinality - kept.length) }, (): SeenVm => ({ vm: 'PENDING' }));
    // A repair leaves what is lost on a silent host behind, to an operation that waits for that host.
    const stay = work === 'repair' ? vms.filter((vm) => !(vm.there && vm.vm === 'ACTIVE/UNKNOWN')) : vms;
    return [{ name: 'take', to: sorted({ ...begun, vms: [...stay, ...made] }) }];
  }
  const isLeaving = (one: SeenVm): boolean => work === 'undeploy' || isAmiss(one) || one.vm === 'ACTIVE/SHUTDOWN';
  const may = (event: VmEvent, which: (one: SeenVm) => boolean): Way<Seen>[] =>
    moved(seen, (one) => which(one) && !isHindered(seen, one, event), event);
  const steps = [
    ...may('shutdown', (one) => isLeaving(one) && one.vm !== 'ACTIVE/SHUTDOWN' && one.vm !== 'PENDING'),
    ...may('done', isLeaving),
    ...(work === 'undeploy'
      ? []
      : (['place', 'boot', 'run'] as const).flatMap((event) =>
          may(event, (one) => !isLeaving(one) && isMidway(one.vm)),
        )),
  ];
  return steps.length > 0 ? steps : [ended(seen)];
}

/** The operation ends at this moment, and settles what it had. */
function ended(seen: Seen): Way<Seen> {
  const { cardinality, work, service, role } = seen;
  const vms = seen.vms.map((one) => {
    const event = abandonment(storedVmState(one.vm));
    return { ...one, vm: event ? (nextVmState(one.vm, event) ?? one.vm) : one.vm };
  });
  const arrived =
    work === 'undeploy'
      ? vms.length === 0
      : vms.length === cardinality && vms.every(({ vm }) => isVmHealthy(storedVmState(vm)));
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
        ...seen,
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

/** Asked for again and again, and the same for all that is called so. */
const namesOf = new Map<string, string[]>();
function offeredOn(resource: ResourceFacts): string[] {
  const key = JSON.stringify(resource);
  const known = namesOf.get(key);
  if (known) return known;
  const facts = { about: 'resource', operation: null, after: null, mayManage: true, mayAdmin: false } as const;
  const names = nextActions({ ...facts, resource }).map(({ name }) => name);
  namesOf.set(key, names);
  return names;
}

function offers(seen: Seen): Way<Seen>[] {
  const { service: state, work: of, host } = seen;
  const going = of === 'undeploy' ? { hard: true, remove: true } : null;
  const work = of === null ? null : atWork;
  const roles = [{ ...roleOf(seen), name: 'role' }];
  const needed = recoverable.includes(state)
    ? rolesToRecover({ roles, body: { deployment: 'none' } })
    : rolesToRepair(roles);
  const amiss = needed.map((name) => ({ name, state: seen.role, work: null, amiss: true }) as const);
  const actions = offeredOn({ type: 'service', id: 1, state, work, going, roles: amiss });
  // Of VMs too many, such as one that was taken for lost and came back, people end some.
  const ended = seen.vms.flatMap(({ vm, there }, at): Way<Seen>[] => {
    const isOffered =
      work === null &&
      offeredOn({
        type: 'vm',
        id: 1,
        state: vm,
        work,
        going: null,
        unready: false,
        between: false,
        ofService: true,
        resched: false,
      }).includes('terminate');
    const isStuck = there && host !== 'OFFLINE';
    return isOffered && !isStuck ? [{ name: 'terminate', to: withoutOne(seen, at) }] : [];
  });
  const onHost = (host === null ? [] : offeredOf({ state: host, answers: false })).flatMap(
    ({ name, to }): Way<Seen>[] => (to.state === 'OFFLINE' ? [{ name, to: { ...seen, host: to.state } }] : []),
  );
  const onService = actions.flatMap((name): Way<Seen>[] => {
    const start = Object.entries(starts).find(([of]) => of === name)?.[1];
    return start && state !== 'DONE' ? [{ name, to: { ...seen, work: start(state), taken: false } }] : [];
  });
  return [...ended, ...onHost, ...onService];
}

/** A look at a host that does not answer says of what runs there that nobody knows; it comes by itself. */
const looks = (seen: Seen): Way<Seen>[] =>
  seen.work !== null || seen.host !== 'ERROR'
    ? []
    : moved(seen, ({ vm, there }) => there === true && vm === 'ACTIVE/RUNNING', 'lose').map(({ name, to }) => ({
        name,
        to: judged(to),
      }));

function accidents(seen: Seen): Way<Seen>[] {
  const { work, service } = seen;
  if (work !== null)
    return [
      ended(seen),
      ...(['fail_prolog', 'fail_boot', 'fail_shutdown'] as const).flatMap((event) => moved(seen, () => true, event)),
      ...terminated(seen),
    ];
  if (service === 'DONE') return [];
  const answers = ({ there }: SeenVm): boolean => !there;
  const seenAgain = (one: SeenVm): boolean => answers(one) && (one.vm === 'ACTIVE/UNKNOWN' || one.vm === 'POWEROFF');
  const ways = [
    ...moved(seen, (one) => answers(one) && one.vm === 'ACTIVE/RUNNING', 'stop'),
    ...moved(seen, (one) => answers(one) && one.vm === 'ACTIVE/RUNNING', 'lose'),
    ...moved(seen, seenAgain, 'run'),
  ];
  return [...ways.map(({ name, to }) => ({ name, to: judged(to) })), ...terminated(seen)];
}

/** Each of its VMs by hand, whatever is at work. */
const terminated = (seen: Seen): Way<Seen>[] =>
  seen.vms.map((_, at) => ({ name: 'terminated by hand', to: withoutOne(seen, at) }));

/** A host falls silent with all that is on it, or answers again: nobody can count on either. */
function turned(seen: Seen): Way<Seen>[] {
  if (seen.host !== null) {
    const vms = seen.vms.map(({ vm }) => ({ vm }));
    return [{ name: 'the host answers', to: sorted({ ...seen, vms, host: null }) }];
  }
  const vms = seen.vms.map(({ vm }) => (vm === 'PENDING' ? { vm } : { vm, there: true as const }));
  return [{ name: 'the host falls silent', to: sorted({ ...seen, vms, host: 'ERROR' }) }];
}

const isLeft = (one: SeenVm): boolean => isAmiss(one) || one.vm === 'ACTIVE/SHUTDOWN';
/** VMs that cannot be removed may pile up; as many as there are to be are as good as any number. */
const states = (cardinality: number, mayHappen: (seen: Seen) => Way<Seen>[], without: readonly string[] = []) =>
  walk<Seen>({
    from: { cardinality, service: 'PENDING', role: 'PENDING', vms: [], work: 'deploy', taken: false, host: null },
    happens: (seen) => mayHappen(seen).filter(({ to }) => to.vms.filter(isLeft).length <= cardinality),
    leadsOn: (seen) => [
      ...progress(seen),
      ...offers(seen).filter(({ name }) => !without.includes(name)),
      ...looks(seen),
    ],
  });
/** Two VMs that fail each in its way; and one, whose host may fail too: together they would be millions. */
type Kind = [cardinality: number, mayHappen: (seen: Seen) => Way<Seen>[]];
const ofVms: Kind = [2, accidents];
const ofHosts: Kind = [1, (seen) => [...accidents(seen), ...turned(seen)]];
const runs = ({ cardinality, service, work, vms }: Seen): boolean =>
  work === null && service === 'RUNNING' && vms.length >= cardinality && !vms.some(({ there }) => there);
const isWell = (seen: Seen): boolean => runs(seen) || (seen.work === null && seen.service === 'DONE');

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

describe.each<[string, Kind]>([
  ['VMs', ofVms],
  ['a VM on a host', ofHosts],
])('a service of %s that may fail', (of, machine) => {
  const found = states(...machine);
  sayWalked(`a service of ${of}`, found);

  it('has from every state that can come about, with its role, a way to RUNNING or DONE', () => {
    expect(deadEnds(found, isWell)).toEqual([]);
  });

  it('comes into all of its states that exist so far', () => {
    const seen = [...found.values()].map(({ state }) => state);
    expect([...new Set(seen.map(({ service }) => service))].sort()).toEqual(all);
    expect([...new Set(seen.map(({ role }) => role))].sort()).toEqual(all);
    expect(seen.length).toBeGreaterThan(1_000);
  });

  it('never calls a role RUNNING that lacks a VM, whoever has terminated which and when', () => {
    const wrong = [...found.values()].flatMap(({ state }) => {
      const { work, role, vms, cardinality } = state;
      return work === null && role === 'RUNNING' && (vms.length < cardinality || vms.some(isAmiss)) ? [state] : [];
    });
    expect(wrong).toEqual([]);
    const met = [...found.values()].map(({ state: { cardinality, service } }) => `${service} ${cardinality}`);
    for (let cardinality = machine[0]; cardinality >= 0; cardinality--)
      for (const service of ['RUNNING', 'UNDEPLOYING', 'FAILED_UNDEPLOYING', 'DEPLOYING'])
        expect(met).toContain(`${service} ${cardinality}`);
  });

  it('goes back to RUNNING without being ended', () => {
    expect(deadEnds(states(...machine, ['undeploy', 'delete']), runs)).toEqual([]);
  });

  it('would be stuck if nothing were offered', () => {
    expect(deadEnds(found, isWell, ['recover', 'repair', 'undeploy', 'delete'])).not.toEqual([]);
  });

  it('would have to be ended if repair were not offered', () => {
    const stuck = deadEnds(found, isWell, ['repair', 'undeploy', 'delete']);
    expect(stuck.some((text) => text.includes('"service":"WARNING"'))).toBe(true);
  });
});

describe('a service on a host that does not answer', () => {
  const found = states(...ofHosts);

  it.each(['ERROR', 'OFFLINE'])('is met in each of its states while that is %s', (host) => {
    const met = new Set([...found.values()].flatMap(({ state }) => (state.host === host ? [state.service] : [])));
    expect([...met].sort()).toEqual(all.filter((state) => state !== 'DONE' && state !== 'PENDING'));
  });

  it('could not be ended if the host could not be given up', () => {
    const stuck = deadEnds(found, isWell, ['offline']);
    expect(stuck.some((text) => text.includes('"service":"FAILED_UNDEPLOYING"'))).toBe(true);
  });
});
