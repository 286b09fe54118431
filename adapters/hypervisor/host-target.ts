import { allowance } from '../../domain/hosts/reserved.js';
import type { Host, HypervisorKind } from '../../schemas/hosts/host.js';
import type { HostConnections, HostTarget } from './port.js';

/** What of a host's record its adapter is told: a kind that needs more of it names it here. */
type ReachedHost<K extends HypervisorKind> = Pick<Host, 'name' | 'total' | 'reserved'> & { vm_mad: K };

const connections: { [K in HypervisorKind]: (host: ReachedHost<K>) => HostConnections[K] } = {
  simulated: (host) => ({ total: allowance(host) }),
};

/** What an adapter needs to reach a host, of the host as it is stored. */
export const targetOf = <K extends HypervisorKind>(host: ReachedHost<K>): HostTarget<K> => ({
  name: host.name,
  vm_mad: host.vm_mad,
  connection: connections[host.vm_mad](host),
});
