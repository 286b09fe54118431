import type { Capacity, HostState } from '../schemas/host.js';
import type { PlacementRecord, RefusedHosts } from '../schemas/placement.js';
import type { DescribedHost } from './host-attributes.js';
import { createDemands, type Demand, type PlannedHost, type RankSettings, type Sees } from './placement-demands.js';
import { cores, groupRefusals, lacks, type Refusal, type Refused, refusalsText } from './placement-refusals.js';
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
export function planPlacement(
  hosts: readonly HostSnapshot[],
  wishes: readonly PlacementWish[],
  settings: PlacementSettings = striped,
  { siblings = [], taken }: PlacementContext = {},
): PlacementPlan {
  // In one order, so that records, too, are the same whatever order hosts come in.
  const candidates = hosts
    .filter(({ state }) => state === 'MONITORED')
    .sort((one, other) => one.id - other.id)
    .map((host, at) => candidateOf(host, at, taken));
  const demands = createDemands(settings);
  const plan: Plan = { ties: createTies(siblings), perHost: settings.perHost ?? Number.POSITIVE_INFINITY };
  const records = createRecords(hosts.length, candidates, plan);
  const reasons = new Map<string, { at: number; reason: string }>();
  const groups = groupSizes(wishes);
  const result: PlacementPlan = { placed: [], unplaced: [] };
  for (const wish of wishes) {
    const demand = demands.of(wish);
    const key = JSON.stringify({ ...wish, vm: null });
    const record = records.of(key, wish, demand);
    const at = result.placed.length;
    const known = reasons.get(key);
    // Nothing has moved since the same wish found no place.
    const host = known?.at === at ? undefined : choose(candidates, wish, demand, plan, groups);
    if (host === undefined) {
      const reason = known?.at === at ? known.reason : whyUnplaced(hosts, candidates, wish, demand, plan);
      reasons.set(key, { at, reason });
      result.unplaced.push({ vm: wish.vm, reason });
      continue;
    }
    host.free.cpu -= wish.capacity.cpu;
    host.free.memory -= wish.capacity.memory;
    host.vms += 1;
    host.taken += 1;
    host.version += 1;
    if (wish.tied) plan.ties.add({ service: wish.tied.service, role: wish.tied.role, host: host.id });
    result.placed.push({ vm: wish.vm, host: host.id, record: record(host.id) });
  }
  return result;
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

const canTake = (host: Candidate, { capacity, tied }: PlacementWish, demand: Demand, plan: Plan): boolean =>
  fits(host, capacity) &&
  host.taken < plan.perHost &&
  demand.meets(host) &&
  (tied === undefined || plan.ties.refuses(tied, host.id) === null);

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
type Groups = ReadonlyMap<string, Capacity>;
const groupOf = ({ service, together }: Tied): string => `${service}/${together.join()}`;

function groupSizes(wishes: readonly PlacementWish[]): Groups {
  const sizes = new Map<string, Capacity>();
  for (const { tied, capacity } of wishes) {
    if (!tied || tied.together.length === 0) continue;
    const sum = sizes.get(groupOf(tied)) ?? { cpu: 0, memory: 0 };
    sizes.set(groupOf(tied), { cpu: sum.cpu + capacity.cpu, memory: sum.memory + capacity.memory });
  }
  return sizes;
}

function choose(
  candidates: readonly Candidate[],
  wish: PlacementWish,
  demand: Demand,
  plan: Plan,
  groups: Groups,
): Candidate | undefined {
  const { tied, avoid } = wish;
  const group = tied && plan.ties.isFirst(tied) ? groups.get(groupOf(tied)) : undefined;
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

/** Why VMs went where they did, as of the first of their kind in a plan: the same for all, so that they are one write. */
function createRecords(hosts: number, candidates: readonly Candidate[], plan: Plan) {
  type Make = (host: number) => PlacementRecord;
  const known = new Map<string, Make>();
  const make = (wish: PlacementWish, demand: Demand): Make => {
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
  };
  return {
    of(key: string, wish: PlacementWish, demand: Demand): Make {
      const record = known.get(key) ?? make(wish, demand);
      known.set(key, record);
      return record;
    },
  };
}

function whyUnplaced(
  hosts: readonly HostSnapshot[],
  enabled: readonly Candidate[],
  wish: PlacementWish,
  demand: Demand,
  plan: Plan,
): string {
  if (hosts.length === 0) return 'no host is registered';
  if (enabled.length === 0) return noneEnabled(hosts);
  const willing = enabled.filter(
    (host) =>
      host.taken < plan.perHost &&
      demand.meets(host) &&
      (wish.tied === undefined || plan.ties.refuses(wish.tied, host.id) === null),
  );
  if (willing.length === enabled.length) return lacksCapacity(enabled, wish.capacity);
  const refused = enabled.flatMap((host): Refused[] => {
    const refusal = refusalOf(host, wish, demand, plan);
    return refusal ? [{ host: host.id, refusal }] : [];
  });
  const whom =
    enabled.length === 1 ? 'the one enabled host will not do' : `none of ${enabled.length} enabled hosts will do`;
  return `${whom}: ${refusalsText(groupRefusals(refused))}`;
}

function lacksCapacity(enabled: readonly Candidate[], needs: Capacity): string {
  const most = (size: (free: Capacity) => number) => Math.max(0, ...enabled.map((host) => size(host.free)));
  const cpu = most((free) => free.cpu);
  const memory = most((free) => free.memory);
  const freest = enabled.length === 1 ? 'the one enabled host' : `the freest of ${enabled.length} enabled hosts`;
  const tooMuchCpu = needs.cpu > cpu;
  const tooMuchMemory = needs.memory > memory;
  if (tooMuchCpu && !tooMuchMemory) return `needs ${cores(needs.cpu)} CPU; ${freest} has ${cores(cpu)}`;
  if (tooMuchMemory && !tooMuchCpu) return `needs ${needs.memory} MB of memory; ${freest} has ${memory}`;
  const wish = `needs ${cores(needs.cpu)} CPU and ${needs.memory} MB of memory on one host`;
  return enabled.length === 1
    ? `${wish}; ${freest} has ${cores(cpu)} CPU and ${memory} MB`
    : `${wish}; of ${enabled.length} enabled hosts the freest has ${cores(cpu)} CPU, the one with most memory ${memory} MB`;
}

function noneEnabled(hosts: readonly HostSnapshot[]): string {
  const counts = new Map<HostState, number>();
  for (const { state } of hosts) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  return hosts.length === 1
    ? `the only host is not enabled: ${states}`
    : `none of ${hosts.length} hosts is enabled: ${states}`;
}
