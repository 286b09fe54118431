import type { Capacity } from '../schemas/host.js';
import type { PlacementRecord, RefusedHosts } from '../schemas/placement.js';
import { atOnce } from './bit-by-bit.js';
import type { DescribedHost } from './host-attributes.js';
import { createDemands, type Demand, type PlannedHost, type RankSettings, type Sees } from './placement-demands.js';
import { whyUnplaced } from './placement-reasons.js';
import { groupRefusals, lacks, type Refusal, type Refused } from './placement-refusals.js';
import { createTies, type Sibling, type Tied, type Ties } from './placement-ties.js';

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
  tied?: Tied | undefined;
};

export type PlacementSettings = RankSettings & {
  /** VMs that a host takes in one pass at most; absent: any number. */
  perHost?: number | undefined;
};

export type PlacementContext = {
  /** VMs of the services of the wishes that have their place. */
  siblings?: readonly Sibling[];
  /** VMs that hosts have taken in this pass before. */
  taken?: ReadonlyMap<number, number>;
};

export type PlacementPlan = {
  placed: { vm: number; host: number; record: PlacementRecord }[];
  /** With the reason, a sentence for the owner of the VM. */
  unplaced: { vm: number; reason: string }[];
};

/** OpenNebula's default. */
export const striped: PlacementSettings = { policy: 'stripe' };

type Candidate = PlannedHost & { taken: number };
type Plan = { ties: Ties; perHost: number };

/**
 * Which VM goes where: one after the other in the order of the wishes, each on the enabled host that meets its requirements
 * and has the highest rank, then on the one with fewest VMs, most free CPU, memory, and lowest id. The same for the same
 * hosts and wishes, always.
 */
export const planPlacement = (...given: Parameters<typeof planning>): PlacementPlan => atOnce(planning(...given));

/** The same, bit by bit: whoever takes it decides when to let others come in between. */
export function* planning(
  hosts: readonly HostSnapshot[],
  wishes: readonly PlacementWish[],
  settings: PlacementSettings = striped,
  context: PlacementContext = {},
): Generator<void, PlacementPlan> {
  const groups = createGroups();
  for (const { tied, capacity } of wishes) groups.add(tied, capacity, 1);
  const kindOf = createPlanner(hosts, groups, settings, context);
  const kinds = new Map<string, { kind: PlannedKind; record: (host: number) => PlacementRecord }>();
  const result: PlacementPlan = { placed: [], unplaced: [] };
  for (const wish of wishes) {
    const key = JSON.stringify({ ...wish, vm: null });
    const known = kinds.get(key) ?? knownOf(kindOf(wish));
    kinds.set(key, known);
    const host = known.kind.place();
    if (host === null) result.unplaced.push({ vm: wish.vm, reason: known.kind.reason() });
    else result.placed.push({ vm: wish.vm, host, record: known.record(host) });
    yield;
  }
  return result;
}

const knownOf = (kind: PlannedKind) => ({ kind, record: kind.record() });

/** All VMs of a plan that ask for the same. */
export type PlannedKind = {
  /** Gives one of them a host; null: none takes it. */
  place(): number | null;
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
  { siblings = [], taken }: PlacementContext = {},
): (wish: PlacementWish) => PlannedKind {
  // In one order, so that records, too, are the same whatever order hosts come in.
  const candidates = hosts
    .filter(({ state }) => state === 'MONITORED')
    .sort((one, other) => one.id - other.id)
    .map((host, at) => candidateOf(host, at, taken));
  const demands = createDemands(settings);
  const plan: Plan = { ties: createTies(siblings), perHost: settings.perHost ?? Number.POSITIVE_INFINITY };
  /** Hosts in the order in which they have taken VMs. */
  const takers: Candidate[] = [];

  return (wish) => {
    const { capacity, tied } = wish;
    const demand = demands.of(wish);
    let refusedAt: number | null = null;
    let told: { at: number; reason: string } | undefined;
    const worthAsking = (): readonly Candidate[] => {
      if (refusedAt === null) return candidates;
      return demand.moves && refusedAt < takers.length ? [...new Set(takers.slice(refusedAt))] : [];
    };
    /** null: nothing is refused but for what there is free. */
    const refusals = (): Refused[] | null =>
      candidates.every((host) => isWilling(host, wish, demand, plan))
        ? null
        : candidates.flatMap((host): Refused[] => {
            const refusal = refusalOf(host, wish, demand, plan);
            return refusal ? [{ host: host.id, refusal }] : [];
          });
    return {
      place() {
        const asked = worthAsking();
        const host = asked.length === 0 ? undefined : choose(asked, wish, demand, plan, groups);
        refusedAt = host === undefined ? takers.length : null;
        if (host === undefined) return null;
        host.free.cpu -= capacity.cpu;
        host.free.memory -= capacity.memory;
        host.vms += 1;
        host.taken += 1;
        host.version += 1;
        takers.push(host);
        if (tied) plan.ties.add({ service: tied.service, role: tied.role, host: host.id });
        return host.id;
      },
      isOver: () => refusedAt !== null && (!demand.moves || refusedAt === takers.length),
      mayPass: demand.moves,
      reason() {
        if (told?.at !== takers.length)
          told = { at: takers.length, reason: whyUnplaced(hosts, candidates, capacity, refusals()) };
        return told.reason;
      },
      record: () => recordOf(hosts.length, candidates, wish, demand, plan),
    };
  };
}

/** Why each host refuses a VM now; those left out could take it. `sees`: of which hosts the reader may know attributes. */
export function explainPlacement(
  hosts: readonly HostSnapshot[],
  wish: PlacementWish,
  siblings: readonly Sibling[] = [],
  sees?: Sees,
): { candidates: number; refused: RefusedHosts[] } {
  const demand = createDemands(striped, sees).of(wish);
  const plan: Plan = { ties: createTies(siblings), perHost: Number.POSITIVE_INFINITY };
  const refused = hosts.flatMap((host, at): Refused[] => {
    const refusal = refusalOf(candidateOf(host, at), wish, demand, plan);
    return refusal ? [{ host: host.id, refusal }] : [];
  });
  return { candidates: hosts.length - refused.length, refused: groupRefusals(refused) };
}

const candidateOf = (host: HostSnapshot, at: number, taken?: ReadonlyMap<number, number>): Candidate => ({
  ...host,
  at,
  free: { ...host.free },
  version: 0,
  taken: taken?.get(host.id) ?? 0,
});

const fits = ({ free }: Candidate, { cpu, memory }: Capacity): boolean => free.cpu >= cpu && free.memory >= memory;

/** Whether it would take the VM, had it the room. */
const isWilling = (host: Candidate, { tied }: PlacementWish, demand: Demand, plan: Plan): boolean =>
  host.taken < plan.perHost && demand.meets(host) && (tied === undefined || plan.ties.refuses(tied, host.id) === null);

const canTake = (host: Candidate, wish: PlacementWish, demand: Demand, plan: Plan): boolean =>
  fits(host, wish.capacity) && isWilling(host, wish, demand, plan);

function refusalOf(host: Candidate, wish: PlacementWish, demand: Demand, plan: Plan): Refusal | null {
  if (host.state !== 'MONITORED') return { text: `is ${host.state}`, note: null };
  const refusal = demand.refuses(host) ?? (wish.tied ? plan.ties.refuses(wish.tied, host.id) : null);
  if (refusal) return refusal;
  const lack = lacks(host.free, wish.capacity);
  if (lack) return lack;
  if (host.taken < plan.perHost) return null;
  return { text: `has taken ${host.taken} VMs in this pass, as many as it may`, note: null };
}

/** What all VMs of a plan need that are to be together: whoever comes first looks for a host that has room for all. */
export function createGroups() {
  const sizes = new Map<string, Capacity>();
  return {
    add(tied: Tied | undefined, { cpu, memory }: Capacity, vms: number): void {
      if (!tied || tied.together.length === 0) return;
      const sum = sizes.get(groupOf(tied)) ?? { cpu: 0, memory: 0 };
      sizes.set(groupOf(tied), { cpu: sum.cpu + vms * cpu, memory: sum.memory + vms * memory });
    },
    of: (tied: Tied): Capacity | undefined => sizes.get(groupOf(tied)),
  };
}
type Groups = ReturnType<typeof createGroups>;
const groupOf = ({ service, together }: Tied): string => `${service}/${together.join()}`;

function choose(
  candidates: readonly Candidate[],
  wish: PlacementWish,
  demand: Demand,
  plan: Plan,
  groups: Groups,
): Candidate | undefined {
  const { tied, avoid } = wish;
  const group = tied && plan.ties.isFirst(tied) ? groups.of(tied) : undefined;
  const inRole = tied?.hosts === 'spread' ? 1 : tied?.hosts === 'pack' ? -1 : 0;
  const roughly = (host: Candidate): number =>
    (avoid?.includes(host.id) ? 2 : 0) + (group && !fits(host, group) ? 1 : 0);
  const shared = (host: Candidate): number =>
    tied === undefined || inRole === 0 ? 0 : inRole * plan.ties.ofRole(tied, host.id);
  let best: Candidate | undefined;
  let [bestRough, bestShared, bestRank] = [0, 0, 0];
  for (const host of candidates) {
    if (!canTake(host, wish, demand, plan)) continue;
    const [rough, share, rank] = [roughly(host), shared(host), demand.rank(host)];
    const order =
      best === undefined ? -1 : rough - bestRough || share - bestShared || bestRank - rank || byRoom(host, best);
    if (order >= 0) continue;
    best = host;
    [bestRough, bestShared, bestRank] = [rough, share, rank];
  }
  return best;
}

/** Among equals: fewest VMs, most free CPU, most free memory, lowest id. */
const byRoom = (one: Candidate, other: Candidate): number =>
  one.vms - other.vms || other.free.cpu - one.free.cpu || other.free.memory - one.free.memory || one.id - other.id;

/** How many of the other candidates, and of the reasons of those that refuse, are recorded. */
const mostOthers = 3;
const mostReasons = 5;

/** The first so many of those with the highest ranks: nearly all are looked at once and passed over. */
function highest(ranks: ReadonlyMap<number, number>, count: number): [host: number, rank: number][] {
  const best: [number, number][] = [];
  for (const [host, rank] of ranks) {
    const last = best[count - 1];
    if (last !== undefined && rank <= last[1]) continue;
    const at = best.findIndex(([, other]) => rank > other);
    best.splice(at < 0 ? best.length : at, 0, [host, rank]);
    best.length = Math.min(best.length, count);
  }
  return best;
}

/** Why a VM goes where it does: the same for all of a kind, so that they are one write. */
function recordOf(
  hosts: number,
  candidates: readonly Candidate[],
  wish: PlacementWish,
  demand: Demand,
  plan: Plan,
): (host: number) => PlacementRecord {
  const ranks = new Map<number, number>();
  const refused: Refused[] = [];
  for (const host of candidates) {
    const refusal = refusalOf(host, wish, demand, plan);
    if (refusal) refused.push({ host: host.id, refusal });
    else ranks.set(host.id, demand.rank(host));
  }
  const best = highest(ranks, mostOthers + 1);
  const groups = groupRefusals(refused).slice(0, mostReasons);
  return (chosen) => ({
    rank_by: demand.rankBy,
    rank: (ranks.get(chosen) ?? 0) + 0,
    candidates: ranks.size,
    hosts,
    others: best
      .filter(([host]) => host !== chosen)
      .slice(0, mostOthers)
      .map(([host, rank]) => ({ host, rank: rank + 0 })),
    refused: groups,
  });
}
