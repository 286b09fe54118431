import { isArmed } from '../domain/failover/armed.js';
import { expectedRecovery } from '../domain/failover/due.js';
import { isSilent } from '../domain/hosts/host-states.js';
import { policyOwner } from '../domain/hosts/policy-owner.js';
import { type PollSettings, pollEvery } from '../domain/hosts/polls.js';
import { policyOf } from '../domain/hosts/shown-policy.js';
import { fateOf, seenOf } from '../domain/vms/zombies.js';
import type { Capacity } from '../schemas/common/capacity.js';
import { defaultCluster } from '../schemas/hosts/cluster.js';
import type { Host, HostResource } from '../schemas/hosts/host.js';
import { iso, isoOrNull, type Names, ownership } from './resources.js';

export const hostResource = (host: Host, names: Names, settings: PollSettings): HostResource => ({
  id: host._id,
  name: host.name,
  ...ownership(host),
  ...names(host),
  vm_mad: host.vm_mad,
  libvirt: host.libvirt ?? null,
  state: host.state,
  error: host.error,
  silent_since: isSilent(host) && host.state !== 'OFFLINE' ? isoOrNull(host.silent_since ?? null) : null,
  missed: host.missed ?? 0,
  fenced: host.fenced ? { at: iso(host.fenced.at), by: host.fenced.by } : null,
  ha: policyOf(host),
  ha_of: policyOwner(host),
  armed: isArmed(host),
  fence_test: testOf(host),
  expected_recovery: expectedRecovery(host, settings),
  next_look:
    host.state === 'OFFLINE' || host.last_monitored_at === null
      ? null
      : iso(new Date(host.last_monitored_at.getTime() + pollEvery(settings) * 1_000)),
  cluster_id: host.cluster_id ?? defaultCluster,
  attributes: host.attributes ?? {},
  reserved: { cpu: host.reserve?.cpu ?? null, memory: host.reserve?.memory ?? null },
  cpu: {
    total: host.total.cpu / 100,
    reserved: (host.reserved?.cpu ?? 0) / 100,
    used: host.used.cpu / 100,
    outside: (host.outside?.cpu ?? 0) / 100,
    free: (host.total.cpu - (host.reserved?.cpu ?? 0) - host.used.cpu - (host.outside?.cpu ?? 0)) / 100,
  },
  memory: {
    total: host.total.memory,
    reserved: host.reserved?.memory ?? 0,
    used: host.used.memory,
    outside: host.outside?.memory ?? 0,
    free: host.total.memory - (host.reserved?.memory ?? 0) - host.used.memory - (host.outside?.memory ?? 0),
  },
  vms: Object.keys(host.vms).map(Number),
  operation: host.operation ?? null,
  ...strayResources(host),
  created_at: iso(host.created_at),
  last_monitored_at: isoOrNull(host.last_monitored_at),
});

function testOf({ fence_test }: Host): HostResource['fence_test'] {
  if (!fence_test) return null;
  const { at, op, failed } = fence_test;
  return { at: iso(at), operation: op, passed: failed === null, failed };
}

/** Domains that should not be there, and what becomes of them. */
function strayResources(host: Host): Pick<HostResource, 'zombies' | 'wilds'> {
  const { zombies = [], wilds = [], zombie_count = 0, wild_count = 0 } = host.strays ?? {};
  const seen = seenOf(host);
  const sizeOf = ({ cpu, memory }: Capacity) => ({ cpu: cpu / 100, memory });
  return {
    zombies: {
      count: zombie_count,
      items: zombies.map((zombie) => {
        const { vm, state, capacity, epoch, deploy_id, reason, error, since } = zombie;
        const fate = fateOf(zombie, zombies, seen);
        return { vm, state, ...sizeOf(capacity), epoch, deploy_id, reason, fate, error, since: iso(since) };
      }),
    },
    wilds: {
      count: wild_count,
      items: wilds.map(({ name, state, capacity, deploy_id, installation }) => ({
        ...{ name, state, ...sizeOf(capacity), deploy_id },
        ...(installation !== undefined && { installation }),
      })),
    },
  };
}
