import type { DomainReport } from '../../adapters/hypervisor/port.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import { MemoryHypervisor } from './memory-hypervisor.js';
import { simulatedHost } from './simulated-vm.js';
import type { World } from './world.js';

/** A domain of another installation that a look has found. */
export type PlantedWild = {
  host: number;
  deployId: string;
  name: string;
  look: () => Promise<unknown>;
  /** It, as that installation sees it. */
  theirs: () => Promise<DomainReport[]>;
  ends: () => Promise<void>;
  /** What its host says of what is taken of it. */
  books: () => Promise<{ used: Capacity; outside: Capacity; wilds: number; vms: number }>;
};

let last = 500;

export async function wildOn(
  world: World,
  hostname = 'host-1',
  does: 'runs' | 'is off' | 'is suspended' = 'runs',
  vm = ++last,
): Promise<PlantedWild> {
  const found = (await world.store.hosts.all()).find(({ name }) => name === hostname);
  if (!found) throw new Error(`there is no ${hostname}`);
  const stranger = new MemoryHypervisor('zone-b', world.hypervisor);
  const { signal } = new AbortController();
  const host = simulatedHost(found.name, found.total);
  const target = { id: vm, domain: `legacy-${vm}`, host, epoch: 4, hard: true };
  const made = { ...target, capacity: { cpu: 200, memory: 512 }, labels: { vm }, template: {} };
  const { deployId } = await stranger.deploy(made, signal);
  if (does === 'is off') await stranger.poweroff(target, signal);
  if (does === 'is suspended') await stranger.suspend(target, signal);
  const look = () => world.tick('monitorHosts');
  await look();
  return {
    ...{ host: found._id, deployId, look, name: `legacy-${vm}-zone-b` },
    theirs: async () => (await stranger.probe(host, signal)).domains.filter((one) => one.vm === vm),
    ends: () => stranger.destroy(target, signal),
    books: async () => {
      const now = await world.store.hosts.find(found._id);
      if (!now) throw new Error(`${hostname} is gone`);
      const { used, outside = { cpu: 0, memory: 0 }, strays, vms } = now;
      return { used, outside, wilds: strays?.wild_count ?? 0, vms: Object.keys(vms).length };
    },
  };
}
