import type { Connection, Model } from 'mongoose';
import type { Sibling } from '../../domain/placement/placement-ties.js';
import { placeOf, placesOf } from '../../domain/vms/stays.js';
import { placedStates } from '../../domain/vms/vm-states.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { readAtOnce } from './work-vms.js';

type Seen = Pick<Vm, 'lcm_state' | 'left_behind' | 'service' | 'history' | 'moving'>;

/**
 * Where the VMs of services are, and which of them nobody has to be with any more: those that were left behind on a host
 * that does not answer, and those of which nothing is known on a host that its administrators have given up.
 */
export function createSiblings(connection: Connection, vms: Model<Vm>) {
  const isUnknown = ({ lcm_state }: Seen): boolean => lcm_state === 'UNKNOWN';

  async function givenUp(hosts: ReadonlySet<number>, transaction?: Transaction): Promise<Set<number>> {
    if (hosts.size === 0) return new Set();
    const found = await connection
      .collection<Host>('hosts')
      .find(
        { _id: { $in: [...hosts] }, $or: [{ state: 'OFFLINE' }, { fenced: { $ne: null } }] },
        { projection: { _id: 1 }, ...within(transaction) },
      )
      .toArray();
    return new Set(found.map(({ _id }) => _id));
  }

  return async (services: readonly number[], transaction?: Transaction): Promise<Sibling[]> => {
    if (services.length === 0) return [];
    const found = await vms
      .find(
        // One that is switched off keeps its place, and runs there again.
        { 'service.id': { $in: services }, state: { $in: [...placedStates] } },
        { lcm_state: 1, left_behind: 1, service: 1, moving: 1, history: { $slice: -1 } },
        within(transaction),
      )
      .hint('by_service')
      .batchSize(readAtOnce)
      .lean<Seen[]>()
      .exec();
    const gone = await givenUp(new Set(found.filter(isUnknown).flatMap((vm) => placeOf(vm)?.hid ?? [])), transaction);
    return found.flatMap((vm): Sibling[] => {
      if (!vm.service) return [];
      const { id: service, role } = vm.service;
      const isLeft = vm.left_behind !== undefined && vm.lcm_state !== 'RUNNING';
      return placesOf(vm).map(({ hid: host }) => {
        const isLost = isLeft || (isUnknown(vm) && gone.has(host));
        return { service, role, host, ...(isLost && { isLost }) };
      });
    });
  };
}
export type Siblings = ReturnType<typeof createSiblings>;
