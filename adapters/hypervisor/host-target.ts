import { allowance } from '../../domain/hosts/reserved.js';
import { Problem } from '../../domain/problems.js';
import type { Host, HypervisorKind } from '../../schemas/hosts/host.js';
import type { HostConnections, HostTarget } from './port.js';

/** What of a host's record its adapter is told: a kind that needs more of it names it here. */
type ReachedHost<K extends HypervisorKind> = Pick<Host, 'name' | 'total' | 'reserved' | 'libvirt'> & { vm_mad: K };

const connections: { [K in HypervisorKind]: (host: ReachedHost<K>) => HostConnections[K] } = {
  simulated: (host) => ({ total: allowance(host) }),
  libvirt: (host) => {
    if (!host.libvirt) throw new Problem('backend_unavailable', `${host.name} has no URI of a libvirt.`);
    return { total: allowance(host), ...host.libvirt };
  },
};

/** What an adapter needs to reach a host, of the host as it is stored. */
export const targetOf = <K extends HypervisorKind>(host: ReachedHost<K>): HostTarget<K> => ({
  name: host.name,
  vm_mad: host.vm_mad,
  connection: connections[host.vm_mad](host),
});
