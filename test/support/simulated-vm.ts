import type { HostTarget, PlacedVm } from '../../adapters/hypervisor/port.js';

export const simulatedHost = (name: string, total = { cpu: 100_000, memory: 1_000_000 }): HostTarget<'simulated'> => {
  return { name, vm_mad: 'simulated', connection: { total } };
};

/** A small VM with a place to run. */
export function simulatedVm(
  id: number,
  host: HostTarget<'simulated'>,
  change: Partial<PlacedVm<'simulated'>> = {},
): PlacedVm<'simulated'> {
  return {
    id,
    domain: `one-${id}`,
    host,
    capacity: { cpu: 100, memory: 512 },
    epoch: 1,
    labels: { vm: id },
    template: {},
    ...change,
  };
}
