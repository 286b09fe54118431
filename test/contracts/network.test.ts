import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';
import { linuxNetworks } from '../../adapters/network/linux/linux.js';
import { networks } from '../../adapters/network/networks.js';
import { Namespace, namespacesFault } from '../support/namespaces.js';
import { simulatedHost } from '../support/simulated-vm.js';
import { networkContract } from './network-contract.js';

networkContract('simulated', () => {
  const home = mkdtempSync(join(tmpdir(), 'arcus-networks-'));
  return {
    networks: networks({ ARCUS_HOME: home }, 'tests').of(simulatedHost('host/1')),
    close: () => rmSync(home, { recursive: true, force: true }),
  };
});

const fault = namespacesFault();
if (fault === null)
  networkContract('linux', () => {
    const host = new Namespace();
    return { networks: linuxNetworks(host.run, '0b4e-tests'), close: () => host.remove() };
  });
else it.skip(`networks of linux hosts: left out, for ${fault}`, () => {});
