import type { Capacity } from '../../schemas/common/capacity.js';
import type { PlacementRecord, RefusedHosts } from '../../schemas/placement/placement.js';
import { atOnce } from '../bit-by-bit.js';
import type { DescribedHost } from '../hosts/host-attributes.js';
import type { DescribedDatastore } from '../storage/datastore-attributes.js';
import {
  type Asked,
  type Candidate,
  type Claim,
  candidateOf,
  choose,
  claimRoom,
  isWilling,
  refusalOf,
  roomOn,
  takeRoom,
} from './placement-candidates.js';
import { createStorageDemands, type StorageWish } from './placement-datastores.js';
import { createDemands, type RankSettings, type Sees } from './placement-demands.js';
import { createGroupDemands, createGroups, type Group, type Groups, type Member } from './placement-groups.js';
import { whyUnplaced } from './placement-reasons.js';
import { recordOf } from './placement-record.js';
import { groupRefusals, type Refused } from './placement-refusals.js';
import { createTies, type Sibling, type Tied } from './placement-ties.js';

/** A host as it was when it was read; `total` is what VMs may reserve, `vms` the number of those with a reservation. */
export type HostSnapshot = DescribedHost;

/** A VM that needs a host. `avoid`: hosts taken only when no other fits, such as those where it failed before. */
export type PlacementWish = {
  vm: number;
  capacity: Capacity;
  avoid?: readonly number[];
  /** SCHED_REQUIREMENTS and SCHED_RANK. */
  requirements?: string | undefined;
  rank?: string | undefined;
  /** What its disks ask of a datastore; absent: it has none. */
  storage?: StorageWish | undefined;
  tied?: Tied | undefined;
};

export type PlacementSettings = RankSettings & {
  /** VMs that a host takes in one pass at most; absent: any number. */
  perHost?: number | undefined;
};

export type PlacementContext = {
  /** VMs of the services of the wishes that have their place. */
  siblings?: readonly Sibling[];
  /** All VMs of those services that wait for a host and are to be together with others, the wishes among them. */
  waiting?: readonly Member[] | undefined;
  /** System datastores; absent: there are none. */
  datastores?: readonly DescribedDatastore[] | undefined;
  /** VMs that hosts have taken in this pass before. */
  taken?: ReadonlyMap<number, number>;
};

export type PlacementPlan = {
  /** `datastore`: of those that have disks. */
  placed: { vm: number; host: number; datastore?: number; record: PlacementRecord }[];
  /** With the reason, a sentence for the owner of the VM. */
  unplaced: { vm: number; reason: string }[];
};

/** OpenNebula's default. */
export const striped: PlacementSettings = { policy: 'stripe' };

/**
 * Which VM goes where: one after the other in the order of the wishes, each on the enabled host that meets its requirements
 * and has the highest rank, then on the one with fewest VMs, most free CPU, memory, and lowest id. The first of those that
 * are to be together goes only where all of them can. The same for the same hosts and wishes, always.
 */
export const planPlacement = (...given: Parameters<typeof planning>): PlacementPlan => atOnce(planning(...given));

/** The same, bit by bit: whoever takes it decides when to let others come in between. */
export function* planning(
  hosts: readonly HostSnapshot[],
  wishes: readonly PlacementWish[],
  settings: PlacementSettings = striped,
  context: PlacementContext = {},
): Generator<void, PlacementPlan> {
  const kindOf = createPlanner(hosts, createGroups(context.waiting ?? wishes), settings, context);
  const kinds = new Map<string, { kind: PlannedKind; record: (host: number) => PlacementRecord }>();
  const result: PlacementPlan = { placed: [], unplaced: [] };
  for (const wish of wishes) {
    const key = JSON.stringify({ ...wish, vm: null });
    const known = kinds.get(key) ?? knownOf(kindOf(wish));
    kinds.set(key, known);
    const place = known.kind.place();
    if (place === null) result.unplaced.push({ vm: wish.vm, reason: known.kind.reason() });
    else result.placed.push({ vm: wish.vm, ...place, record: known.record(place.host) });
    yield;
  }
  return result;
}

const knownOf = (kind: PlannedKind) => ({ kind, record: kind.record() });

/** All VMs of a plan that ask for the same. */
export type PlannedKind = {
  /** Gives one of them a host, and its disks a datastore that this reaches; null: none takes it. */
  place(): { host: number; datastore?: number } | null;
  /** Whether it was refused, and nothing can have come about since. */
  isOver(): boolean;
  /** Whether hosts that refuse may take one when they have taken others. */
  mayPass: boolean;
  /** Why hosts refuse, as the plan is now. */
  reason(): string;
  /** Why one goes where it goes, as the plan is now. */
  record(): (host: number) => PlacementRecord;
};

/**
 * A plan as it grows. What is refused once is refused from then on, for hosts only fill up; where the requirement speaks
 * of what VMs change, the hosts that have taken one since are asked again. So wishes that nobody can meet cost one look
 * at the hosts, however many VMs have them.
 */
export function createPlanner(
  hosts: readonly HostSnapshot[],
  groups: Groups,
  settings: PlacementSettings = striped,
  { siblings = [], datastores, taken }: PlacementContext = {},
): (wish: PlacementWish) => PlannedKind {
  // In one order, so that records, too, are the same whatever order hosts come in.
  const candidates = hosts
    .filter(({ state }) => state === 'MONITORED')
    .sort((one, other) => one.id - other.id)
    .map((host, at) => candidateOf(host, at, taken));
  const demands = createDemands(settings);
  const storages = createStorageDemands(datastores);
  const ties = createTies(siblings, statesOf(hosts));
  const groupDemands = createGroupDemands(demands, ties);
  const perHost = settings.perHost ?? Number.POSITIVE_INFINITY;
  const claims = new Map<Group, Claim>();
  /** Hosts in the order in which they have taken VMs. */
  const takers: Candidate[] = [];

  return ({ capacity, tied, avoid = [], requirements, rank, storage: disks }) => {
    const demand = demands.of({ requirements, rank });
    const storage = disks && storages.of(disks);
    const its = groups.of(tied);
    /** The group of one that is the first of it. */
    const groupNow = () => (its && tied && ties.isFirst(tied) ? its : undefined);
    const askedNow = (): Asked => {
      const group = groupNow();
      const claim = its && claims.get(its);
      return { capacity, avoid, demand, storage, tied, ties, group: group && groupDemands.of(group), claim, perHost };
    };
    let refusedAt: number | null = null;
    let told: { at: number; reason: string } | undefined;
    const worthAsking = (): readonly Candidate[] => {
      if (refusedAt === null) return candidates;
      return demand.moves && refusedAt < takers.length ? [...new Set(takers.slice(refusedAt))] : [];
    };
    const whyNow = (): string => {
      const asked = askedNow();
      const refused = candidates.every((host) => isWilling(host, asked)) ? null : refusalsOf(candidates, asked);
      const enabled = candidates.map((host) => ({ ...host, free: roomOn(host, asked.claim) }));
      return whyUnplaced(hosts, enabled, capacity, refused, groupNow());
    };
    return {
      place() {
        const some = worthAsking();
        const host = some.length === 0 ? undefined : choose(some, askedNow());
        refusedAt = host === undefined ? takers.length : null;
        if (host === undefined) return null;
        const group = groupNow();
        if (group && tied) {
          claims.set(group, claimRoom(host, group.capacity));
          ties.expect(tied.service, group.roles, host.id);
        }
        takeRoom(host, capacity, its && claims.get(its));
        takers.push(host);
        if (tied) ties.add({ service: tied.service, role: tied.role, host: host.id });
        const datastore = storage?.take(host);
        return { host: host.id, ...(datastore !== undefined && { datastore }) };
      },
      isOver: () => refusedAt !== null && (!demand.moves || refusedAt === takers.length),
      mayPass: demand.moves,
      reason() {
        if (told?.at !== takers.length) told = { at: takers.length, reason: whyNow() };
        return told.reason;
      },
      record: () => recordOf(hosts.length, candidates, askedNow()),
    };
  };
}

const statesOf = (hosts: readonly HostSnapshot[]) => new Map(hosts.map(({ id, state }) => [id, state]));

const refusalsOf = (hosts: readonly Candidate[], asked: Asked): Refused[] =>
  hosts.flatMap((host): Refused[] => {
    const refusal = refusalOf(host, asked);
    return refusal ? [{ host: host.id, refusal }] : [];
  });

/** Why each host refuses a VM now; those left out could take it. `sees`: of which hosts the reader may know attributes. */
export function explainPlacement(
  hosts: readonly HostSnapshot[],
  { capacity, tied, avoid = [], requirements, rank, storage: disks }: PlacementWish,
  { siblings = [], waiting = [], datastores }: PlacementContext = {},
  sees?: Sees,
): { candidates: number; refused: RefusedHosts[] } {
  const demands = createDemands(striped, sees);
  const ties = createTies(siblings, statesOf(hosts));
  const its = tied && ties.isFirst(tied) ? createGroups(waiting).of(tied) : undefined;
  const group = its && createGroupDemands(demands, ties).of(its);
  const demand = demands.of({ requirements, rank });
  const storage = disks && createStorageDemands(datastores).of(disks);
  const refused = refusalsOf(
    hosts.map((host, at) => candidateOf(host, at)),
    { capacity, avoid, demand, storage, tied, ties, group, claim: undefined, perHost: Number.POSITIVE_INFINITY },
  );
  return { candidates: hosts.length - refused.length, refused: groupRefusals(refused) };
}
