import {
  createPlanner,
  type HostSnapshot,
  type PlacementContext,
  type PlacementSettings,
  type PlacementWish,
  type PlannedKind,
} from './placement.js';
import { createGroups } from './placement-groups.js';

/** A VM that waits for a host. `since`: how long it has waited, or when it was last offered one, in milliseconds. */
export type Waiting = PlacementWish & { owner: number; service: number | null; since: number };

/** VMs that ask for the same. */
type Group = { key: string; wish: PlacementWish; vms: number };
type Entry = { vm: number; group: Group };
/** VMs that take turns with other lines of their owner: those of one service, or those that are of none. */
type Line = { key: string; since: number; entries: Entry[]; sinces: number[]; isSorted: boolean };
type Owner = { key: string; since: number; lines: Map<string, Line> };

/** Everybody who waits, grouped as read: by owner, service and wish. What is kept of a VM is two numbers. */
export function createQueue() {
  const owners = new Map<number, Owner>();
  const groups = new Map<string, Group>();
  return {
    owners,
    groups,
    /** In any order; cheapest when the oldest come first. */
    /** Returns the key of the group that it is in. */
    add({ vm, owner: uid, service, since, capacity, avoid, requirements, rank, storage, tied }: Waiting): string {
      const wish = { capacity, avoid, requirements, rank, storage, tied };
      const key = JSON.stringify(wish);
      const group = groups.get(key) ?? { key, wish: { vm, ...wish }, vms: 0 };
      groups.set(key, group);
      group.vms += 1;
      const owner: Owner = owners.get(uid) ?? { key: `user/${uid}`, since, lines: new Map() };
      owners.set(uid, owner);
      const name = service === null ? `${owner.key}/vms` : `service/${service}`;
      const line = owner.lines.get(name) ?? { key: name, since, entries: [], sinces: [], isSorted: true };
      owner.lines.set(name, line);
      if (since < (line.sinces.at(-1) ?? since)) line.isSorted = false;
      line.entries.push({ vm, group });
      line.sinces.push(since);
      line.since = Math.min(line.since, since);
      owner.since = Math.min(owner.since, since);
      return key;
    },
  };
}
export type Queue = ReturnType<typeof createQueue>;

export type Turns = {
  /** VMs that a host can take, in the order in which they were given one. */
  placed: { vm: number; host: number }[];
  /** Who was given one, and each of their lines, the last turn last: who comes first next time is told from it. */
  served: string[];
  /** By the key of a group, why hosts refuse it. */
  reasons: Map<string, string>;
};

/** When owners and lines had their last turn; who is not there never had one. */
type Served = ReadonlyMap<string, number>;

/**
 * Who of those that wait gets a host. Owners take turns, each turn one VM; within an owner services take turns, and within a
 * service those that have waited longest come first. Whoever had a turn longest ago begins. A turn is not used up by VMs
 * that no host takes: the next of the same owner is looked at, so that a VM waits only while nothing that is left will do.
 * Bit by bit: whoever takes it decides when to let others come in between.
 */
export function* planTurns(
  hosts: readonly HostSnapshot[],
  queue: Queue,
  settings?: PlacementSettings,
  context: PlacementContext & { served?: Served } = {},
): Generator<void, Turns> {
  const { served = new Map() } = context;
  const sizes = createGroups();
  for (const { wish, vms } of queue.groups.values()) sizes.add({ ...wish, vms });
  const kindOf = createPlanner(hosts, sizes, settings, context);
  const kinds = new Map<Group, PlannedKind>();
  for (const group of queue.groups.values()) {
    kinds.set(group, kindOf(group.wish));
    yield;
  }
  const turns: Turns = { placed: [], served: [], reasons: new Map() };
  const last = new Map<string, number>();

  /** Rounds over all that wait; then again over those for whom what others took has changed something. */
  for (let waiting = yield* ordered(queue, served), before = -1; before < turns.placed.length; ) {
    before = turns.placed.length;
    for (let active = waiting; active.length > 0; ) {
      const next = [];
      for (const owner of active) if (yield* takeTurn(owner)) next.push(owner);
      active = next;
    }
    waiting = yield* revived(waiting);
  }
  turns.served = [...last].sort(([, one], [, other]) => one - other).map(([key]) => key);
  for (const [{ key }, kind] of kinds) {
    if (kind.isOver()) turns.reasons.set(key, kind.reason());
    yield;
  }
  return turns;

  /** Gives one VM of an owner a host; false: none of them can have one. */
  function* takeTurn(owner: Taking): Generator<void, boolean> {
    for (let line = owner.lines[0]; line !== undefined; line = owner.lines[0]) {
      owner.lines.shift();
      const vm = yield* first(line);
      if (vm === null) continue;
      owner.lines.push(line);
      last.set(owner.key, turns.placed.length);
      last.set(line.key, turns.placed.length);
      return true;
    }
    return false;
  }

  /** The first of a line that a host takes. */
  function* first(line: Standing): Generator<void, number | null> {
    while (line.at < line.entries.length) {
      const entry = line.entries[line.at];
      line.at += 1;
      if (!entry) break;
      const kind = kinds.get(entry.group);
      if (!kind) continue;
      const place = kind.isOver() ? null : kind.place();
      if (place !== null) {
        turns.placed.push({ vm: entry.vm, host: place.host });
        return entry.vm;
      }
      if (kind.mayPass) line.aside.push(entry);
      yield;
    }
    return null;
  }

  /** Those that were refused, and for whom hosts have changed since. */
  function* revived(owners: readonly Taking[]): Generator<void, Taking[]> {
    const again: Taking[] = [];
    for (const owner of owners) {
      const lines: Standing[] = [];
      for (const line of owner.all) {
        const entries = line.aside;
        if (entries.length > 0) lines.push({ ...line, entries, at: 0, aside: [] });
        yield;
      }
      if (lines.length > 0) again.push({ ...owner, all: lines, lines: [...lines] });
    }
    return again;
  }
}

/** A line as turns go over it: `at` is the next to be looked at, `aside` those that may be looked at again. */
type Standing = { key: string; entries: readonly Entry[]; at: number; aside: Entry[] };
type Taking = { key: string; all: Standing[]; lines: Standing[] };

/** Who begins: whoever had a turn longest ago, then whoever has waited longest. */
function* ordered({ owners }: Queue, served: Served): Generator<void, Taking[]> {
  const byTurn = <T extends { key: string; since: number }>(some: Iterable<T>): T[] =>
    [...some].sort(
      (one, other) => (served.get(one.key) ?? 0) - (served.get(other.key) ?? 0) || one.since - other.since,
    );
  const taking: Taking[] = [];
  for (const { key, lines } of byTurn(owners.values())) {
    const all: Standing[] = [];
    for (const line of byTurn(lines.values())) {
      all.push({ key: line.key, entries: entriesOf(line), at: 0, aside: [] });
      yield;
    }
    taking.push({ key, all, lines: [...all] });
  }
  return taking;
}

/** Those that have waited longest first. */
function entriesOf({ entries, sinces, isSorted }: Line): readonly Entry[] {
  if (isSorted) return entries;
  const order = entries.map((_, at) => at).sort((one, other) => (sinces[one] ?? 0) - (sinces[other] ?? 0));
  return order.flatMap((at) => entries[at] ?? []);
}
