import type { Capacity } from '../../schemas/common/capacity.js';
import type { DescribedHost } from '../hosts/host-attributes.js';
import type { StorageDemand } from './placement-datastores.js';
import type { Demand, PlannedHost } from './placement-demands.js';
import type { GroupDemand } from './placement-groups.js';
import { lacks, type Refusal } from './placement-refusals.js';
import type { Tied, Ties } from './placement-ties.js';

/** A host as a plan fills it; `taken`: how many VMs of this pass; `kept`: for the rest of groups whose first has come. */
export type Candidate = PlannedHost & { taken: number; kept: Capacity };

export const candidateOf = (host: DescribedHost, at: number, taken?: ReadonlyMap<number, number>): Candidate => ({
  ...host,
  at,
  free: { ...host.free },
  version: 0,
  taken: taken?.get(host.id) ?? 0,
  kept: { cpu: 0, memory: 0 },
});

/** What a VM asks of its host. */
export type Asked = {
  capacity: Capacity;
  /** Hosts that are taken only when no other will do. */
  avoid: readonly number[];
  demand: Demand;
  /** What its disks ask of a datastore; absent: it has none. */
  storage: StorageDemand | undefined;
  tied: Tied | undefined;
  ties: Ties;
  /** Of the first of those that are to be together; absent: it is alone, or goes where the others are. */
  group: GroupDemand | undefined;
  /** What is kept for it and those that it is together with. */
  claim: Claim | undefined;
  /** VMs that a host takes in one pass at most. */
  perHost: number;
};

/** Room that a host keeps for those that are together with one that is there. */
export type Claim = { host: Candidate; left: Capacity };

/** What is free for whoever asks: without what is kept for others. */
export function roomOn(host: Candidate, claim?: Claim): Capacity {
  const own = claim?.host === host ? claim.left : { cpu: 0, memory: 0 };
  return {
    cpu: host.free.cpu - host.kept.cpu + own.cpu,
    memory: host.free.memory - host.kept.memory + own.memory,
  };
}

const fits = (room: Capacity, { cpu, memory }: Capacity): boolean => room.cpu >= cpu && room.memory >= memory;

/** Takes room on the host; the first of a group has it keep room for the others, who then take of that. */
export function takeRoom(host: Candidate, { cpu, memory }: Capacity, claim: Claim | undefined): void {
  host.free.cpu -= cpu;
  host.free.memory -= memory;
  host.vms += 1;
  host.taken += 1;
  host.version += 1;
  if (claim?.host === host)
    keep(claim, { cpu: -Math.min(cpu, claim.left.cpu), memory: -Math.min(memory, claim.left.memory) });
}

/** Has a host keep room for all of a group. */
export function claimRoom(host: Candidate, capacity: Capacity): Claim {
  const claim: Claim = { host, left: { cpu: 0, memory: 0 } };
  keep(claim, capacity);
  return claim;
}

function keep({ host, left }: Claim, { cpu, memory }: Capacity): void {
  for (const sum of [host.kept, left]) {
    sum.cpu += cpu;
    sum.memory += memory;
  }
}

/** Whether it would take the VM, had it the room. */
export const isWilling = (host: Candidate, { demand, storage, tied, ties, group, perHost }: Asked): boolean =>
  host.taken < perHost &&
  demand.meets(host) &&
  (tied === undefined || ties.refuses(tied, host.id) === null) &&
  (group === undefined || group.refuses(host) === null) &&
  (storage === undefined || storage.refuses(host) === null);

const canTake = (host: Candidate, asked: Asked): boolean =>
  fits(roomOn(host, asked.claim), asked.capacity) && isWilling(host, asked) && !asked.group?.lacks(roomOn(host));

/** Why it does not take the VM; null: it could. */
export function refusalOf(host: Candidate, asked: Asked): Refusal | null {
  const { capacity, demand, storage, tied, ties, group, claim, perHost } = asked;
  if (host.state !== 'MONITORED') return { text: `is ${host.state}`, note: null };
  const refusal =
    demand.refuses(host) ??
    (tied ? ties.refuses(tied, host.id) : null) ??
    group?.refuses(host) ??
    storage?.refuses(host);
  if (refusal) return refusal;
  const lack = lacks(roomOn(host, claim), capacity) ?? group?.lacks(roomOn(host));
  if (lack) return lack;
  if (host.taken < perHost) return null;
  return { text: `has taken ${host.taken} VMs in this pass, as many as it may`, note: null };
}

/** The best of those that can take it. */
export function choose(candidates: readonly Candidate[], asked: Asked): Candidate | undefined {
  const { tied, ties, avoid, demand } = asked;
  const inRole = tied?.hosts === 'spread' ? 1 : tied?.hosts === 'pack' ? -1 : 0;
  const shared = (host: Candidate): number =>
    tied === undefined || inRole === 0 ? 0 : inRole * ties.ofRole(tied, host.id);
  let best: Candidate | undefined;
  let [bestAvoided, bestShared, bestRank] = [0, 0, 0];
  for (const host of candidates) {
    if (!canTake(host, asked)) continue;
    const [avoided, share, rank] = [avoid.includes(host.id) ? 1 : 0, shared(host), demand.rank(host)];
    const order =
      best === undefined ? -1 : avoided - bestAvoided || share - bestShared || bestRank - rank || byRoom(host, best);
    if (order >= 0) continue;
    best = host;
    [bestAvoided, bestShared, bestRank] = [avoided, share, rank];
  }
  return best;
}

/** Among equals: fewest VMs, most free CPU, most free memory, lowest id. */
const byRoom = (one: Candidate, other: Candidate): number =>
  one.vms - other.vms || other.free.cpu - one.free.cpu || other.free.memory - one.free.memory || one.id - other.id;
