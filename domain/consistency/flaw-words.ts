import type { Capacity } from '../../schemas/host.js';
import type { Amounts } from '../../schemas/quota.js';

export const capacity = ({ cpu, memory }: Capacity): string => `${cpu / 100} CPU and ${memory} MB`;
export const amounts = ({ services, vms: count, ...size }: Amounts): string =>
  `${services} services, ${vms(count)}, ${capacity(size)}`;
export const vms = (count: number): string => (count === 1 ? '1 VM' : `${count} VMs`);
