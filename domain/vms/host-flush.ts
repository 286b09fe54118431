import type { Flushed } from '../../schemas/operations/flushed.js';
import type { OperationState } from '../../schemas/operations/operation.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { isOpen } from '../operation-states.js';
import { operationAtWork } from '../operations/at-work.js';
import { clauses } from '../words.js';
import type { VmStateName } from './vm-states.js';

/** A VM that has, or had, its place on the host that is flushed. */
export type FlushVm = {
  id: number;
  state: VmStateName;
  reason: string | null;
  /** Where it is: on the host, not there but on its way to it, on another one, or on none. */
  place: 'here' | 'coming' | 'elsewhere' | 'nowhere';
  /** Its migration was given up: it is on one of two hosts. */
  between: boolean;
  /** The operation that has it, or wants it. */
  busy: string | null;
  /** `service/role`; null: it is of no service. */
  role: string | null;
};

/** VMs of one role, wherever they are: those that run and that no operation has, and those that one has. */
export type RoleServing = { running: ReadonlySet<number>; busy: ReadonlySet<number> };

export type FlushFacts = {
  /** Those that have a reservation on the host, and those that the flush knows. */
  vms: readonly FlushVm[];
  flushed: Readonly<Record<string, Flushed>>;
  /** How the migrations that were asked for are; of one that is forgotten nothing is known. */
  moves: ReadonlyMap<string, { state: OperationState; detail: string | null }>;
  roles: ReadonlyMap<string, RoleServing>;
  /** The hypervisors of the host and of those where its VMs may go can migrate live. */
  live: boolean;
  /** So many VMs are on their way at once. */
  most: number;
};

type Said = Pick<Flushed, 'outcome' | 'live' | 'op' | 'why'>;
/** `ask`: whose turn it is now, the first of them first. `said`: what has become of each. `open`: so many have not come to an end. */
export type FlushPlan = {
  said: Map<number, Said>;
  ask: { vm: number; live: boolean; why: string | null }[];
  open: number;
};

/** What was asked for before is kept: of what live refused, a cold one is next. */
const waits = (why: string | null, known?: Flushed): Said => ({
  ...{ outcome: 'waits', why },
  ...{ live: known?.live ?? null, op: known?.op ?? null },
});

/**
 * What is to be done next of a flush. VMs that run go live where they can, those first; then those that do not run; then those that run and
 * cannot go live: they are down for a while, so of a role one after the other, and while another one of it runs, as long as one
 * is there that does or soon will.
 */
export function planFlush(facts: FlushFacts): FlushPlan {
  const { vms, flushed, most } = facts;
  const said = new Map<number, Said>();
  const able: { vm: FlushVm; live: boolean; why: string | null }[] = [];
  for (const vm of vms) {
    const next = nextOf(vm, flushed[vm.id], facts);
    if ('ask' in next) {
      able.push({ vm, live: next.ask, why: next.why });
      said.set(vm.id, waits(next.why, flushed[vm.id]));
    } else said.set(vm.id, next);
  }
  const underWay = [...said].filter(([, { outcome }]) => outcome === 'moving');
  const ask: FlushPlan['ask'] = [];
  const down = new Set(underWay.flatMap(([id, { live }]) => (live ? [] : [id])));
  for (const { vm, live, why } of able.toSorted((a, b) => rank(a) - rank(b) || a.vm.id - b.vm.id)) {
    if (underWay.length + ask.length >= most) break;
    if (interrupts({ vm, live })) {
      const waitsFor = whyNotYet(vm, facts, down);
      if (waitsFor !== null) {
        said.set(vm.id, waits(waitsFor, flushed[vm.id]));
        continue;
      }
      down.add(vm.id);
    }
    ask.push({ vm: vm.id, live, why });
  }
  const open = [...said.values()].filter(({ outcome }) => outcome === 'waits' || outcome === 'moving').length;
  return { said, ask, open };
}

const runs = ({ state }: FlushVm): boolean => state === 'ACTIVE/RUNNING';
const interrupts = ({ vm, live }: { vm: FlushVm; live: boolean }): boolean => runs(vm) && !live;
const rank = (one: { vm: FlushVm; live: boolean }): number => (one.live ? 0 : interrupts(one) ? 2 : 1);

/** Of one that would be down for a while: what has to come first. null: nothing. */
function whyNotYet({ id, role }: FlushVm, { roles, vms }: FlushFacts, down: ReadonlySet<number>): string | null {
  if (role === null) return null;
  const before = vms.find((other) => other.role === role && down.has(other.id));
  if (before) return `VM ${before.id} of its role goes first`;
  return whyUnserved(id, roles.get(role));
}

/** Why a VM of this role may not be down now: no other one serves, and one is about to. null: it may. */
export function whyUnserved(id: number, serving: RoleServing | undefined): string | null {
  const others = (ids: ReadonlySet<number> | undefined): number[] => [...(ids ?? [])].filter((other) => other !== id);
  if (others(serving?.running).length > 0) return null;
  const [soon] = others(serving?.busy);
  return soon === undefined ? null : `no other VM of its role runs, and an operation is at work on VM ${soon}`;
}

type Sibling = Pick<Vm, '_id' | 'state' | 'lcm_state' | 'operation' | 'wanted' | 'hold' | 'service'>;

export const roleOf = ({ service }: Pick<Sibling, 'service'>): string | null =>
  service ? `${service.id}/${service.role}` : null;

/** How the roles of these VMs are served. */
export function servingOf(siblings: readonly Sibling[]): Map<string, RoleServing> {
  const roles = new Map<string, { running: Set<number>; busy: Set<number> }>();
  for (const vm of siblings) {
    const role = roleOf(vm);
    if (role === null) continue;
    const its = roles.get(role) ?? { running: new Set(), busy: new Set() };
    roles.set(role, its);
    // One that waits for a host may do so for long.
    const isSought = vm.state === 'PENDING' || vm.state === 'HOLD';
    if (operationAtWork(vm) !== null && !isSought) its.busy.add(vm._id);
    else if (vm.lcm_state === 'RUNNING') its.running.add(vm._id);
  }
  return roles;
}

type Next = Said | { ask: boolean; why: string | null };

function nextOf(vm: FlushVm, known: Flushed | undefined, { moves, live }: FlushFacts): Next {
  const { id, state, place, busy, between } = vm;
  const move = known?.op ? moves.get(known.op) : undefined;
  const cold = known?.live === false ? known.why : null;
  if (place === 'elsewhere' || place === 'nowhere') {
    // Of a migration that has not ended its own last words are waited for.
    if (known?.op && move && isOpen(move)) return moving(known);
    const outcome = place === 'elsewhere' && state !== 'DONE' ? 'moved' : 'gone';
    return { outcome, live: known?.live ?? null, op: known?.op ?? null, why: cold };
  }
  if (known?.op && move && isOpen(move)) return moving(known);
  if (busy !== null) return waits(`operation ${busy} is at work on it`, known);
  // What is reserved for one that nobody brings here is no VM.
  if (place === 'coming') return { outcome: 'gone', live: null, op: null, why: null };
  if (known?.outcome === 'stays') return known;
  if (known?.op) {
    const why =
      move?.state === 'cancelled'
        ? 'its migration was cancelled'
        : (move?.detail ?? 'what became of its migration is not known');
    const isRefused = known.live === true && runs(vm) && move?.state === 'failed';
    if (isRefused) return { ask: false, why: `live: ${why}` };
    return { outcome: 'stays', live: known.live, op: known.op, why };
  }
  if (runs(vm)) return { ask: live, why: live ? null : 'its hypervisors do not migrate live' };
  if (state === 'POWEROFF' || state === 'SUSPENDED' || between) return { ask: false, why: null };
  const name = state.replace('ACTIVE/', '');
  const why = `it is ${name}${vm.reason === null ? '' : ` (${vm.reason})`}: arcus vm why ${id} says what can be done`;
  return { outcome: 'stays', live: null, op: null, why };
}

const moving = ({ live, op, why }: Flushed): Said => ({ outcome: 'moving', live, op, why });

/** VMs that are told of in full. */
const told = 5;

/** Why a flush has failed; null: nothing has stayed. */
export function whyNotFree(host: string, flushed: Readonly<Record<string, Flushed>>): string | null {
  const all = Object.entries(flushed);
  const left = all.filter(([, { outcome }]) => outcome !== 'moved' && outcome !== 'gone');
  if (left.length === 0) return null;
  const more = left.length > told ? [`${left.length - told} more`] : [];
  const said = left.slice(0, told).map(([vm, { why }]) => `VM ${vm}: ${why ?? 'it has not been moved'}`);
  return `${left.length} of ${all.length} VMs ${left.length === 1 ? 'stays' : 'stay'} on ${host}: ${clauses([...said, ...more])}`;
}
