import { describe, expect, it } from 'vitest';
import { mayRecover, mayScaleAgain, mayUndeploy } from '../../../domain/acts/service-acts.js';
import { Problem } from '../../../domain/problems.js';
import { scaledRole, whyNotScaled, withRole } from '../../../domain/scaling/scaling-end.js';
import { scalingPlan } from '../../../domain/scaling/scaling-plan.js';
import { staffing } from '../../../domain/scaling/staffing.js';
import { departure } from '../../../domain/services/departure.js';
import { type HealthVm, serviceHealth } from '../../../domain/services/service-health.js';
import { abandonment, nextVmState, type VmEvent } from '../../../domain/vms/vm-events.js';
import { isVmFailure, storedVmState, type VmStateName } from '../../../domain/vms/vm-states.js';
import type { Role, Service, ServiceState } from '../../../schemas/services/service.js';
import { deployingService } from '../../support/deploying-service.js';
import { deadEnds, sayWalked, type Way, walk } from '../acts/ways-out.js';

/** A role of at most so many VMs. */
const most = 2;
/** Its states, those of its VMs in order of their ids; whether it rests, and how far its operation is. */
type Seen = {
  state: ServiceState;
  of: ServiceState;
  cardinality: number;
  rests: boolean;
  vms: VmStateName[];
  work: 'admitted' | 'staffed' | null;
};

const now = new Date(1);
const healthVms = (vms: readonly VmStateName[]): HealthVm[] =>
  vms.map((vm, _id) => ({
    ...{ _id, name: `vm-${_id}`, ...storedVmState(vm), reason: null, wanted: null, user_template: {} },
    service: { id: 1, role: 'front', ordinal: _id },
  }));

function serviceOf({ state, of, cardinality, rests, work }: Seen): { service: Service; role: Role } {
  const made = deployingService(1, 'op');
  const [first] = made.roles;
  if (!first) throw new Error('a service has roles');
  const until = rests && { cooldown_until: new Date(2) };
  const role: Role = { ...first, state, cardinality, ...until, operation: work === null ? null : 'op' };
  return { service: { ...made, operation: null, state: of, roles: [role] }, role };
}

const as = (seen: Seen, change: Partial<Role>): Seen => {
  const { service } = serviceOf(seen);
  const after = withRole(service, 'front', change);
  return { ...seen, state: after.roles[0]?.state ?? seen.state, of: after.state };
};

function judged(seen: Seen): Seen {
  const health = serviceHealth(serviceOf(seen).service, healthVms(seen.vms), now);
  return health ? { ...seen, of: health.state, state: health.roles[0]?.state ?? seen.state } : seen;
}

const moved = (seen: Seen, which: (vm: VmStateName) => boolean, event: VmEvent): Way<Seen>[] =>
  seen.vms.flatMap((vm, at) => {
    const after = which(vm) ? nextVmState(vm, event) : undefined;
    if (after === undefined || after === vm) return [];
    const vms = after === 'DONE' ? seen.vms.toSpliced(at, 1) : seen.vms.with(at, after);
    return [{ name: event, to: { ...seen, vms } }];
  });

/** What people may ask for, by the product's own rules. */
function offers(seen: Seen): Way<Seen>[] {
  const { service, role } = serviceOf(seen);
  const work = seen.work === null ? null : { op: 'op', kind: 'scaleRole' as const, state: 'running' as const };
  const told = work || seen.state === 'FAILED_SCALING' ? [{ name: 'front', state: seen.state, work }] : [];
  const facts = { type: 'service', id: 1, state: seen.of, work: null, going: null, roles: told } as const;
  const begun = (cardinality: number): Seen => ({
    ...as(seen, { state: 'SCALING' }),
    cardinality,
    rests: false,
    work: 'admitted',
  });
  const scalings = Array.from({ length: most + 1 }, (_, cardinality) => cardinality).flatMap(
    (cardinality): Way<Seen>[] =>
      seen.work !== null || scalingPlan(service, role, { cardinality, force: true }, now) instanceof Problem
        ? []
        : [{ name: 'scale', to: begun(cardinality) }],
  );
  const recovers = mayRecover(facts) === 'may' && mayScaleAgain(facts, 'front') === 'may';
  expect(mayUndeploy(facts, { hard: null, remove: false })).toBe('may');
  return [...scalings, ...(recovers ? [{ name: 'recover', to: begun(seen.cardinality) }] : [])];
}

/** The operation ends at this moment. */
function ended(seen: Seen, given_up: string | null): Seen {
  const vms = seen.vms.map((vm): VmStateName => {
    const event = abandonment(storedVmState(vm));
    return event ? (nextVmState(vm, event) ?? vm) : vm;
  });
  const { role } = serviceOf(seen);
  const reason = given_up ?? whyNotScaled(role, healthVms(vms), { failure: null, gate: false });
  const after = scaledRole(role, { reason, cooldown: 1, now });
  return judged({ ...as({ ...seen, vms }, after), vms, rests: reason === null, work: null });
}

/** The operation gets on: staffs the role, works on its VMs, says what it came to. */
function progress(seen: Seen): Way<Seen>[] {
  if (seen.work === null) return [];
  const vms = healthVms(seen.vms).map((vm) => ({ ...vm, hold: null }));
  const plan = staffing(vms, seen.cardinality, 'op');
  const leaving = new Set([...plan.failed, ...plan.victims].map(({ _id }) => _id));
  if (seen.work === 'admitted') {
    const going = seen.vms.flatMap((vm, at): VmStateName[] =>
      !leaving.has(at) ? [vm] : vm === 'PENDING' ? [] : ['ACTIVE/SHUTDOWN'],
    );
    const made = Array.from({ length: plan.lacking }, (): VmStateName => 'PENDING');
    return [{ name: 'staff', to: { ...seen, vms: [...going, ...made], work: 'staffed' } }];
  }
  const steps = [
    ...moved(seen, (vm) => vm === 'ACTIVE/SHUTDOWN', 'done'),
    ...(['place', 'boot', 'run'] as const).flatMap((event) =>
      moved(seen, (vm) => ['PENDING', 'ACTIVE/PROLOG', 'ACTIVE/BOOT'].includes(vm), event),
    ),
  ];
  return steps.length > 0 ? steps : [{ name: 'ends', to: ended(seen, null) }];
}

function accidents(seen: Seen): Way<Seen>[] {
  const byHand = seen.vms.map((_, at): Way<Seen> => {
    const { service } = serviceOf(seen);
    const place = { service: { id: 1, role: 'front', ordinal: 9 } };
    const gone = { _id: 9, capacity: { cpu: 1, memory: 1 }, operation: 'by hand', hold: null, ...place };
    const vms = seen.vms.toSpliced(at, 1);
    const { roles, state: of } = departure(service, gone, healthVms(vms), { by: 'alice', at: now });
    const [left] = roles;
    return {
      name: 'by hand',
      to: { ...seen, vms, of, state: left?.state ?? seen.state, cardinality: left?.cardinality ?? 0 },
    };
  });
  if (seen.work !== null)
    return [
      { name: 'is lost', to: ended(seen, 'its run was lost') },
      ...(['fail_prolog', 'fail_boot', 'fail_shutdown'] as const).flatMap((event) => moved(seen, () => true, event)),
      ...byHand,
    ];
  const lost = [
    ...moved(seen, (vm) => vm === 'ACTIVE/RUNNING', 'lose'),
    ...moved(seen, (vm) => vm === 'ACTIVE/UNKNOWN', 'run'),
  ];
  return [...lost.map(({ name, to }) => ({ name, to: judged(to) })), ...byHand];
}

/** Time passes, and reconciliation looks. */
const looks = (seen: Seen): Way<Seen>[] =>
  seen.work === null && seen.rests ? [{ name: 'time', to: judged({ ...seen, rests: false }) }] : [];

/** A repair makes a role whole that is in WARNING: what it does has its own machine. */
const repairs = (seen: Seen): Way<Seen>[] =>
  seen.of === 'WARNING' && seen.work === null
    ? [
        {
          name: 'repair',
          to: judged({ ...seen, vms: Array.from({ length: seen.cardinality }, () => 'ACTIVE/RUNNING') }),
        },
      ]
    : [];

const states = walk<Seen>({
  from: { state: 'RUNNING', of: 'RUNNING', cardinality: 1, rests: false, vms: ['ACTIVE/RUNNING'], work: null },
  happens: (seen) =>
    accidents(seen).filter(
      ({ to }) =>
        to.vms.filter((vm) => isVmFailure(storedVmState(vm).lcm_state) || vm === 'ACTIVE/UNKNOWN').length <= most,
    ),
  leadsOn: (seen) => [...progress(seen), ...offers(seen), ...looks(seen), ...repairs(seen)],
});
const runs = ({ of, work }: Seen): boolean => of === 'RUNNING' && work === null;

describe('a role that is scaled, of which VMs fail, are lost and are terminated', () => {
  sayWalked('a role that is scaled', states);

  it('has from every state that can come about a way to RUNNING, without being ended', () => {
    expect(deadEnds(states, runs)).toEqual([]);
  });

  it('comes into each of the states of scaling, and its service with it', () => {
    const met = new Set([...states.values()].map(({ state }) => `${state.of} ${state.state}`));
    for (const state of ['SCALING', 'FAILED_SCALING', 'COOLDOWN', 'WARNING', 'RUNNING'])
      expect(met).toContain(`${state} ${state}`);
  });

  it('would be stuck in FAILED_SCALING if neither recovery nor scaling were offered', () => {
    const stuck = deadEnds(states, runs, ['recover', 'scale']);
    expect(stuck.some((text) => text.includes('FAILED_SCALING'))).toBe(true);
  });

  it('would rest for ever if nobody looked', () => {
    expect(deadEnds(states, runs, ['time', 'scale', 'recover']).some((text) => text.includes('COOLDOWN'))).toBe(true);
  });

  it('is never called RUNNING, or resting, while it lacks a VM', () => {
    const wrong = [...states.values()].flatMap(({ state }) =>
      state.work === null && ['RUNNING', 'COOLDOWN'].includes(state.state) && state.vms.length < state.cardinality
        ? [state]
        : [],
    );
    expect(wrong).toEqual([]);
  });
});
