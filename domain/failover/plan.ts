import type { FailedOver } from '../../schemas/operations/failed-over.js';
import type { FailoverWish, HaAction } from '../../schemas/operations/ha-action.js';
import type { OperationState } from '../../schemas/operations/operation.js';
import { isOpen } from '../operation-states.js';
import { amissStates, type VmStateName } from '../vms/vm-states.js';
import { clauses } from '../words.js';

/** A VM that has, or had, its place on the host that has failed. */
export type LostVm = {
  id: number;
  state: VmStateName;
  reason: string | null;
  /** Where it is: on that host, or reserved there and on its way to it, on another one, or on none. */
  place: 'here' | 'coming' | 'elsewhere' | 'nowhere';
  /** The failover holds it. */
  ours: boolean;
  /** The operation that has it, or wants it, if that is another one. */
  busy: string | null;
  /** It was on its way: it is on one of two hosts. */
  between: boolean;
  /** Roles of its service below which it stands; VMs of no service have none. */
  after: readonly string[];
  /** `service/role`; null: it is of no service. */
  role: string | null;
  /** What whoever has it wants to become of it; null: as the policy of the host says. */
  wish: FailoverWish | null;
};

export type FailoverFacts = {
  vms: readonly LostVm[];
  known: Readonly<Record<string, FailedOver>>;
  action: HaAction;
  stopped: boolean;
  /** Whether the host is known to be off, or what it answers by now: then its VMs are started where they were. */
  host: 'off' | 'answers' | 'silent';
  /** How deployments are that were asked for VMs that fit nowhere; of one that is forgotten nothing is known. */
  deployments: ReadonlyMap<number, { op: string; state: OperationState }>;
};

/**
 * What is to be done now. clear: what there was of it is ended, and it begins anew; leave: it leaves the host with its disks; vacate: the same of
 * one that stays off; restart: it is started where it was; place: it is to have a host; boot: it has one; end: nothing is to be left of it.
 */
export type FailoverDeed = 'clear' | 'leave' | 'vacate' | 'restart' | 'place' | 'boot' | 'end';
type Said = Pick<FailedOver, 'outcome' | 'was' | 'op' | 'why'>;
export type FailoverPlan = {
  said: Map<number, Said>;
  deeds: Map<number, FailoverDeed>;
  /** So many have not come to an end. */
  open: number;
};

type Next = { deed: FailoverDeed } | Pick<Said, 'outcome' | 'why'>;

/** VMs of roles that others of their service stand on go first: nothing of a role is begun before those are through. */
export function planFailover(facts: FailoverFacts): FailoverPlan {
  const { vms, known } = facts;
  const said: FailoverPlan['said'] = new Map();
  const deeds: FailoverPlan['deeds'] = new Map();
  const nexts = new Map(vms.map((vm) => [vm.id, nextOf(vm, known[vm.id], facts)]));
  const unready = new Set(
    vms.flatMap(({ id, role }) => {
      const next = nexts.get(id);
      return role !== null && next && ('deed' in next || isOpenOutcome(next.outcome)) ? [role] : [];
    }),
  );
  for (const vm of vms) {
    const next = nexts.get(vm.id);
    if (!next) continue;
    const was = known[vm.id]?.was ?? (isOff(vm.state) ? 'off' : 'running');
    const deployment = facts.deployments.get(vm.id);
    const op = deployment?.op ?? known[vm.id]?.op ?? null;
    if (!('deed' in next)) {
      said.set(vm.id, { ...next, was, op });
      continue;
    }
    const before = starts(next.deed) ? vm.after.find((role) => unready.has(role)) : undefined;
    if (before !== undefined) {
      const why = `VMs of role ${before.slice(before.indexOf('/') + 1)} go first`;
      said.set(vm.id, { outcome: 'waits', was, op, why });
      continue;
    }
    deeds.set(vm.id, next.deed);
    said.set(vm.id, { outcome: 'under_way', was, op, why: null });
  }
  const open = [...said.values()].filter(({ outcome }) => isOpenOutcome(outcome)).length;
  return { said, deeds, open };
}

const isOff = (state: VmStateName): boolean => state === 'POWEROFF' || state === 'SUSPENDED';
const isOpenOutcome = (outcome: FailedOver['outcome']): boolean => outcome === 'waits' || outcome === 'under_way';
/** What has been ended waits for nobody to be started again; what is only begun does. */
const starts = (deed: FailoverDeed): boolean =>
  deed === 'clear' || deed === 'leave' || deed === 'restart' || deed === 'place';

function nextOf(vm: LostVm, known: FailedOver | undefined, facts: FailoverFacts): Next {
  const { state, place, busy, wish } = vm;
  const action = wish === null || wish === 'none' ? facts.action : wish;
  if (state === 'DONE') return { outcome: 'gone', why: null };
  const deployment = facts.deployments.get(vm.id);
  if (state === 'PENDING' && deployment && isOpen(deployment)) return { outcome: 'pending', why: vm.reason };
  if (busy !== null) return { outcome: 'waits', why: `operation ${busy} is at work on it` };
  if (place === 'coming') return { outcome: 'gone', why: null };
  if (place === 'here') return fromHost(vm, known, { ...facts, action });
  if (known === undefined) return { outcome: 'gone', why: null };
  if (known.outcome === 'stays' && (isFailure(state) || state === 'PENDING' || goes(state) || onTheWay.has(state)))
    return { outcome: 'stays', why: known.why };
  // Its disks go still: whoever has begun that goes on.
  if (goes(state))
    return vm.ours && action !== 'migrate' ? { deed: action === 'delete' ? 'end' : 'clear' } : isAt(state);
  if (state === 'PENDING' || state === 'HOLD')
    return known.was === 'off' || state === 'HOLD' ? recovered : { deed: 'place' };
  if (onTheWay.has(state)) return vm.ours ? { deed: 'boot' } : isAt(state);
  return isFailure(state) ? stays(vm) : recovered;
}

const goes = (state: VmStateName): boolean => state === 'ACTIVE/EPILOG';
/** Of one that has a place elsewhere, and does not run yet. */
const onTheWay: ReadonlySet<VmStateName> = new Set([
  ...(['ACTIVE/PROLOG', 'ACTIVE/BOOT', 'ACTIVE/PROLOG_RESUME', 'ACTIVE/BOOT_STOPPED'] as const),
]);
const recovered: Next = { outcome: 'recovered', why: null };

/** Of one that has its place on the host still. */
function fromHost(vm: LostVm, known: FailedOver | undefined, { action, stopped, host }: FailoverFacts): Next {
  const { state } = vm;
  if (known?.outcome === 'stays') return { outcome: 'stays', why: known.why };
  if (host === 'silent') return { outcome: 'waits', why: 'its host is not known to be off' };
  if (host === 'answers') return atHome(vm, known);
  if (vm.wish === 'none') return { outcome: 'stays', why: 'whoever has it wants it to stay (FAILOVER=none)' };
  if (action === 'delete') return isOff(state) && !stopped ? staysOff : { deed: 'end' };
  if (state === 'SUSPENDED') return { outcome: 'stays', why: 'what it had in memory is on that host' };
  // It was about to leave, and stay off.
  if (state === 'ACTIVE/SHUTDOWN_UNDEPLOY' && vm.ours && known?.was === 'off') return { deed: 'vacate' };
  if (state === 'POWEROFF') {
    if (known?.was !== 'running') return stopped ? { deed: 'vacate' } : staysOff;
    return { deed: action === 'recreate' ? 'clear' : 'leave' };
  }
  if (action === 'recreate') return { deed: 'clear' };
  // Who is to go with the disks that it has is never made anew: it would lose them. What is on one of two hosts may run on the other.
  if (leaving.has(state) && !vm.between) return { deed: 'leave' };
  return vm.between || isFailure(state) ? stays(vm) : isAt(state);
}

const staysOff: Next = { outcome: 'stays', why: 'it is off' };
/** States in which one can be started elsewhere as it is. */
const leaving: ReadonlySet<VmStateName> = new Set([
  ...(['ACTIVE/RUNNING', 'ACTIVE/UNKNOWN', 'ACTIVE/BOOT_FAILURE', 'ACTIVE/PROLOG_FAILURE', 'POWEROFF'] as const),
]);

/** Its host has been off, answers again, and has been looked at: what ran there is started again. */
function atHome(vm: LostVm, known: FailedOver | undefined): Next {
  const { state, ours } = vm;
  if (state === 'ACTIVE/RUNNING' || state === 'SUSPENDED') return recovered;
  if (state === 'POWEROFF') return known?.was === 'running' ? { deed: 'restart' } : recovered;
  if (ours && (state === 'ACTIVE/PROLOG' || state === 'ACTIVE/BOOT')) return { deed: 'boot' };
  // What runs there was found by the look that found its host: it was lost with the power. Under a higher epoch there is one of it in any case.
  if (state === 'ACTIVE/UNKNOWN') return { deed: 'restart' };
  if (state === 'ACTIVE/BOOT_FAILURE' || state === 'ACTIVE/PROLOG_FAILURE')
    return ours ? stays(vm) : { deed: 'restart' };
  return isFailure(state) ? stays(vm) : isAt(state);
}

/** Somebody is at work on it, or will say that it was given up. */
const isAt = (state: VmStateName): Next => ({ outcome: 'waits', why: `it is ${nameOf(state)}` });
const nameOf = (state: VmStateName): string => state.replace('ACTIVE/', '');
const isFailure = (state: VmStateName): boolean => amissStates.some((lcm) => state === `ACTIVE/${lcm}`);
const stays = ({ id, state, reason }: LostVm): Next => ({
  outcome: 'stays',
  why: `it is ${nameOf(state)}${reason === null ? '' : ` (${reason})`}: arcus vm why ${id} says what can be done`,
});

/** VMs that are told of in full. */
const told = 5;

/** Why a failover has failed; null: nothing has stayed that ran. */
export function whyNotRecovered(host: string, known: Readonly<Record<string, FailedOver>>): string | null {
  const all = Object.entries(known);
  const left = all.filter(
    ([, { outcome, was }]) => isOpenOutcome(outcome) || (outcome === 'stays' && was === 'running'),
  );
  if (left.length === 0) return null;
  const more = left.length > told ? [`${left.length - told} more`] : [];
  const said = left.slice(0, told).map(([vm, { why }]) => `VM ${vm}: ${why ?? 'it has not been recovered'}`);
  return `${left.length} of ${all.length} VMs of ${host} ${left.length === 1 ? 'is' : 'are'} not recovered: ${clauses([...said, ...more])}`;
}
