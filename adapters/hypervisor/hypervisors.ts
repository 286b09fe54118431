import { Problem } from '../../domain/problems.js';
import type { Config } from '../../schemas/config.js';
import type { HypervisorKind } from '../../schemas/hosts/host.js';
import { givenSecret } from '../process/given-secret.js';
import { libvirtHypervisor } from './libvirt/libvirt.js';
import type { HostTarget, Hypervisor } from './port.js';
import { simulatedHypervisor } from './simulated/simulated.js';

export type Hypervisors = { of(host: Pick<HostTarget, 'vm_mad'>): Hypervisor };
type HypervisorConfig = Pick<Config, 'ARCUS_SIMULATOR_URL' | 'ARCUS_SIMULATOR_TOKEN' | 'ARCUS_SIMULATOR_TOKEN_FILE'>;

/** How each kind of hypervisor is reached, or undefined where the settings name none. A new kind is a line here. */
const adapters: {
  [K in HypervisorKind]: (config: HypervisorConfig, installation: string) => Hypervisor<K> | undefined;
} = {
  simulated: (
    { ARCUS_SIMULATOR_URL: url, ARCUS_SIMULATOR_TOKEN: token, ARCUS_SIMULATOR_TOKEN_FILE: file },
    installation,
  ) => (url === undefined ? undefined : simulatedHypervisor({ url, token: givenSecret(token, file) }, installation)),
  libvirt: (_, installation) => libvirtHypervisor(installation),
};

/** The adapter of each host, for this installation. Throws `backend_unavailable` for a kind that this process was not told how to reach. */
export function hypervisors(config: HypervisorConfig, installation: string): Hypervisors {
  const made = new Map<HypervisorKind, Hypervisor>();
  return {
    of({ vm_mad }) {
      const known = made.get(vm_mad) ?? adapters[vm_mad](config, installation);
      if (!known) throw new Problem('backend_unavailable', `This worker has no address for ${vm_mad} hypervisors.`);
      made.set(vm_mad, known);
      return known;
    },
  };
}
