import { simulatedHypervisor } from '../../adapters/hypervisor/simulated/simulated.js';
import { MemoryHypervisor } from '../support/memory-hypervisor.js';
import { simulatedHost } from '../support/simulated-vm.js';
import { SimulatorProcess } from '../support/simulator-process.js';
import { hypervisorContract } from './hypervisor-contract.js';

let hosts = 0;
const hostName = (): string => `host-${++hosts}`;

hypervisorContract('memory', async () => {
  const hypervisor = new MemoryHypervisor();
  return {
    hypervisor,
    stranger: new MemoryHypervisor('another', hypervisor),
    newHost: async (total) => simulatedHost(hostName(), total),
    setBootTime: async (milliseconds) => {
      hypervisor.bootMilliseconds = milliseconds;
    },
    cutOff: async ({ name }) => hypervisor.cutOff(name),
    reach: async ({ name }) => hypervisor.reach(name),
    stopGuest: async (_host, vm) => hypervisor.bringDown(vm, 'stopped'),
    close: async () => {},
  };
});

// Cut off by killing the process: what it finds afterwards is what it kept on disk.
hypervisorContract('simulated', async () => {
  const simulator = await SimulatorProcess.start();
  return {
    hypervisor: simulatedHypervisor(simulator.address, 'tests'),
    stranger: simulatedHypervisor(simulator.address, 'another'),
    newHost: async (total) => simulatedHost(hostName(), total),
    setBootTime: async (milliseconds) => {
      await simulator.send('PUT', '/settings', { boot_ms: milliseconds });
    },
    cutOff: async () => {
      await simulator.end('SIGKILL');
    },
    reach: () => simulator.startAgain(),
    stopGuest: async (host, vm) => {
      await simulator.send('PUT', `/hosts/${host.name}/vms/${vm}`, { state: 'stopped' });
    },
    close: () => simulator.dispose(),
  };
});
