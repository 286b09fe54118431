import type { Capacity, HostState } from '../schemas/host.js';

/** A host as it was when it was read; `vms` is the number of VMs with a reservation on it. */
export type HostSnapshot = {
  id: number;
  name: string;
  state: HostState;
  free: Capacity;
  total: Capacity;
  vms: number;
};

/** A VM that needs a host. `avoid`: hosts taken only when no other fits, such as those where it failed before. */
export type PlacementWish = { vm: number; capacity: Capacity; avoid?: readonly number[] };

export type PlacementPlan = {
  placed: { vm: number; host: number }[];
  /** With the reason, a sentence for the owner of the VM. */
  unplaced: { vm: number; reason: string }[];
};

type Candidate = { id: number; free: Capacity; vms: number };

/**
 * Which VM goes where: one after the other in the order of the wishes, each on the enabled host with the fewest VMs
 * that can take it (OpenNebula's default policy, stripe), then on the one with most free CPU, memory, and lowest id.
 */
export function planPlacement(hosts: readonly HostSnapshot[], wishes: readonly PlacementWish[]): PlacementPlan {
  const candidates: Candidate[] = hosts
    .filter((host) => host.state === 'MONITORED')
    .map(({ id, free, vms }) => ({ id, free: { ...free }, vms }));
  const plan: PlacementPlan = { placed: [], unplaced: [] };
  for (const wish of wishes) {
    const host = choose(candidates, wish);
    if (host === undefined) {
      plan.unplaced.push({ vm: wish.vm, reason: whyUnplaced(hosts, candidates, wish.capacity) });
      continue;
    }
    host.free.cpu -= wish.capacity.cpu;
    host.free.memory -= wish.capacity.memory;
    host.vms += 1;
    plan.placed.push({ vm: wish.vm, host: host.id });
  }
  return plan;
}

function choose(candidates: readonly Candidate[], { capacity, avoid = [] }: PlacementWish): Candidate | undefined {
  let best: Candidate | undefined;
  for (const host of candidates) {
    if (host.free.cpu < capacity.cpu || host.free.memory < capacity.memory) continue;
    if (best === undefined || byPreference(host, best, avoid) < 0) best = host;
  }
  return best;
}

const byPreference = (a: Candidate, b: Candidate, avoid: readonly number[]): number =>
  Number(avoid.includes(a.id)) - Number(avoid.includes(b.id)) ||
  a.vms - b.vms ||
  b.free.cpu - a.free.cpu ||
  b.free.memory - a.free.memory ||
  a.id - b.id;

function whyUnplaced(hosts: readonly HostSnapshot[], enabled: readonly Candidate[], needs: Capacity): string {
  if (hosts.length === 0) return 'no host is registered';
  if (enabled.length === 0) return noneEnabled(hosts);
  const most = (size: (free: Capacity) => number) => Math.max(0, ...enabled.map((host) => size(host.free)));
  const cpu = most((free) => free.cpu);
  const memory = most((free) => free.memory);
  const cores = (hundredths: number) => String(hundredths / 100);
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
