import type { Capacity } from '../../schemas/common/capacity.js';
import type { HostState } from '../../schemas/hosts/host.js';
import type { DescribedHost } from '../hosts/host-attributes.js';
import type { Group } from './placement-groups.js';
import { cores, groupRefusals, lacks, type Refused, refusalsText } from './placement-refusals.js';

/**
 * Why none of the hosts takes a VM that needs so much, a sentence for its owner. `refused`: the enabled ones, with the reason
 * of each; null: none of them refuses for anything but what it has free. `group`: what it waits together with.
 */
export function whyUnplaced(
  hosts: readonly DescribedHost[],
  enabled: readonly DescribedHost[],
  needs: Capacity,
  refused: readonly Refused[] | null,
  group?: Group,
): string {
  if (hosts.length === 0) return 'no host is registered';
  if (enabled.length === 0) return noneEnabled(hosts);
  // One that has no room for itself is told so: the others make no difference.
  const isGroup = group !== undefined && enabled.some(({ free }) => lacks(free, needs) === null);
  if (refused === null && isGroup)
    return `one of ${group.vms} VMs that are to be on one host: that ${lacksCapacity(enabled, group.capacity)}`;
  if (refused === null) return lacksCapacity(enabled, needs);
  const whom =
    enabled.length === 1 ? 'the one enabled host will not do' : `none of ${enabled.length} enabled hosts will do`;
  return `${whom}: ${refusalsText(groupRefusals(refused))}`;
}

function lacksCapacity(enabled: readonly DescribedHost[], needs: Capacity): string {
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

function noneEnabled(hosts: readonly DescribedHost[]): string {
  const counts = new Map<HostState, number>();
  for (const { state } of hosts) counts.set(state, (counts.get(state) ?? 0) + 1);
  const [only] = hosts;
  if (only && hosts.length === 1) return `the only host takes no VMs: it ${words[only.state][0]}`;
  const states = [...counts].map(([state, count]) => `${count} ${words[state][count === 1 ? 0 : 1]}`).join(', ');
  return `none of ${hosts.length} hosts takes VMs: ${states}`;
}

/** Why a host takes none, of one and of several. */
const words: Readonly<Record<HostState, readonly [one: string, several: string]>> = {
  INIT: ['has not answered yet (INIT)', 'have not answered yet (INIT)'],
  MONITORED: ['answers', 'answer'],
  ERROR: ['does not answer (ERROR)', 'do not answer (ERROR)'],
  DISABLED: ['is disabled', 'are disabled'],
  OFFLINE: ['is offline', 'are offline'],
};
