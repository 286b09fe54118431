import type { Capacity } from '../../schemas/common/capacity.js';
import type { Reserve } from '../../schemas/hosts/cluster.js';
import type { Host } from '../../schemas/hosts/host.js';

/** What is kept back of a host, in hundredths of a core and MB: its own word, else its cluster's, else nothing. */
export const reservedOf = (total: Capacity, own: Reserve, cluster: Reserve): Capacity => ({
  cpu: amountOf(own.cpu ?? cluster.cpu ?? 0, total.cpu, 100),
  memory: amountOf(own.memory ?? cluster.memory ?? 0, total.memory, 1),
});

/** A part of the whole, or a number in units of so much. */
const amountOf = (wish: number | string, whole: number, unit: number): number =>
  Math.round(typeof wish === 'number' ? wish * unit : (Number(wish.slice(0, -1)) * whole) / 100) + 0;

/** What its hypervisor is to allow: more than there is where that may be overcommitted. */
export const allowance = ({ total, reserved }: Pick<Host, 'total' | 'reserved'>): Capacity => ({
  cpu: total.cpu - Math.min(0, reserved?.cpu ?? 0),
  memory: total.memory - Math.min(0, reserved?.memory ?? 0),
});
