import { join } from 'node:path';
import { Problem } from '../../domain/problems.js';
import type { Config } from '../../schemas/config.js';
import type { HypervisorKind } from '../../schemas/hosts/host.js';
import type { HostTarget } from '../hypervisor/port.js';
import { linuxNetworks } from './linux/linux.js';
import { runHere } from './linux/run.js';
import type { HostNetworks, Networks } from './port.js';
import { simulatedNetworks } from './simulated/simulated.js';

type NetworkConfig = Pick<Config, 'ARCUS_HOME'>;

/** How the networks of hosts of each kind are made. A new kind is a line here. */
const adapters: {
  [K in HypervisorKind]: (host: HostTarget<K>, config: NetworkConfig, installation: string) => HostNetworks;
} = {
  simulated: ({ name }, { ARCUS_HOME: home }) =>
    simulatedNetworks(join(home, 'simulated-networks', encodeURIComponent(name))),
  libvirt: ({ name, connection }, _, installation) => {
    const { protocol, pathname } = new URL(connection.uri);
    if (pathname === '/session') return unwired;
    return protocol === 'qemu:' || protocol === 'qemu+unix:' ? ofThisMachine(installation) : elsewhere(name);
  },
};

const machines = new Map<string, HostNetworks>();

/** Those of this machine are one, however many hosts are on it. */
function ofThisMachine(installation: string): HostNetworks {
  const known = machines.get(installation) ?? linuxNetworks(runHere, installation);
  machines.set(installation, known);
  return known;
}

/** A user’s own libvirt may not change networks: guests reach others through QEMU itself, and nobody reaches them. */
const unwired: HostNetworks = {
  plug: async () => {},
  secure: async () => {},
  unplug: async () => {},
  found: async () => [],
};

/** A VM that has a NIC has it connected and filtered, or does not start. */
const elsewhere = (host: string): HostNetworks => ({
  ...unwired,
  async plug() {
    throw new Problem(
      'network_refused',
      `Arcus does not change networks of ${host} yet: of hosts of libvirt only of those on the machine of the worker.`,
    );
  },
});

/** The networks of each host, for one installation. */
export const networks = (config: NetworkConfig, installation: string): Networks => ({
  of: <K extends HypervisorKind>(host: HostTarget<K>) => adapters[host.vm_mad](host, config, installation),
});
