import type { Connection, Model } from 'mongoose';
import type { Member } from '../../domain/placement/placement-groups.js';
import { isReady } from '../../domain/vms/ready.js';
import { offStates } from '../../domain/vms/vm-states.js';
import { wishOf } from '../../domain/vms/vm-wish.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { waitingForCapacity } from './waiting-vms.js';
import { readAtOnce, readyFields, type WorkVm, workFields } from './work-vms.js';

const told = {
  name: 1,
  state: 1,
  lcm_state: 1,
  reason: 1,
  service: 1,
  'user_template.READY': 1,
  history: { $slice: -1 },
} as const;
export type ToldVm = Pick<
  Vm,
  '_id' | 'name' | 'state' | 'lcm_state' | 'reason' | 'service' | 'user_template' | 'history'
>;

/** What VMs of a service there are. */
export interface VmsOfService {
  /** Those of it, or of some of its roles, that are not DONE, in order of their ids. */
  ofService(id: number, roles?: readonly string[]): Promise<WorkVm[]>;
  /** Those of other roles that have to be where a role is, and of which it is not known what became of them. */
  unknownWith(id: number, role: string): Promise<WorkVm[]>;
  /** What is told of them: of those that are not DONE, and those that became so since a time. */
  toldSince(id: number, since: Date): Promise<ToldVm[]>;
  /** Whether some are switched off, and nobody is at work on them. */
  anySwitchedOff(service: number): Promise<boolean>;
  /** By role, the highest VM number that it has ever had; roles that never had a VM are left out. */
  lastOrdinals(service: number, roles: readonly string[]): Promise<Map<string, number>>;
  /** By role, how many run without having reported READY=YES. */
  unready(service: number, roles: readonly string[]): Promise<Map<string, number>>;
  /** What those of these services ask of hosts that wait for one and are to be together with others, each kind once. */
  waitingTogether(services: readonly number[]): Promise<(Member & { vms: number })[]>;
}

export const vmsOfService = (connection: Connection, vms: Model<Vm>): VmsOfService => ({
  ofService: (id, roles) =>
    vms
      .find({ 'service.id': id, ...(roles && { 'service.role': { $in: roles } }), state: { $ne: 'DONE' } }, workFields)
      // Left to choose, MongoDB may go through all VMs in order of their ids.
      .hint('by_service')
      .sort({ _id: 1 })
      .batchSize(readAtOnce)
      .lean<WorkVm[]>()
      .exec(),
  unknownWith: (id, role) =>
    vms
      .find(
        { 'service.id': id, lcm_state: 'UNKNOWN', 'placement.together': role, 'service.role': { $ne: role } },
        workFields,
      )
      .hint('amiss_or_unknown')
      .sort({ _id: 1 })
      .batchSize(readAtOnce)
      .lean<WorkVm[]>()
      .exec(),
  toldSince: (id, since) =>
    vms
      .find({ 'service.id': id, $or: [{ state: { $ne: 'DONE' } }, { ended_at: { $gte: since } }] }, told)
      .sort({ _id: 1 })
      .batchSize(readAtOnce)
      .lean<ToldVm[]>()
      .exec(),
  anySwitchedOff: async (service) =>
    (await vms.exists({ 'service.id': service, state: { $in: offStates }, operation: null, wanted: null }).exec()) !==
    null,
  lastOrdinals: (service, roles) => lastOrdinals(connection, service, roles),
  unready: (service, roles) => unready(connection, service, roles),
  waitingTogether: async (services) => (services.length === 0 ? [] : waitingTogether(vms, services)),
});

async function lastOrdinals(
  connection: Connection,
  service: number,
  roles: readonly string[],
): Promise<Map<string, number>> {
  const found = await connection
    .collection('vms')
    .aggregate<{ _id: string; last: number }>(
      [
        { $match: { 'service.id': service, 'service.role': { $in: [...roles] } } },
        { $group: { _id: '$service.role', last: { $max: '$service.ordinal' } } },
      ],
      { hint: 'by_service' },
    )
    .toArray();
  return new Map(found.map(({ _id, last }) => [_id, last]));
}

/** Documents that are read at once where they are many. */
const portion = 1_000;

async function unready(
  connection: Connection,
  service: number,
  roles: readonly string[],
): Promise<Map<string, number>> {
  const rows = connection
    .collection<Vm>('vms')
    .find<Pick<Vm, 'state' | 'lcm_state' | 'service' | 'user_template'>>(
      { 'service.id': service, 'service.role': { $in: [...roles] }, state: 'ACTIVE', lcm_state: 'RUNNING' },
      { projection: readyFields, hint: 'by_service', batchSize: portion },
    );
  const counts = new Map<string, number>();
  for await (const { service: place, user_template } of rows)
    if (place && !isReady(user_template)) counts.set(place.role, (counts.get(place.role) ?? 0) + 1);
  return counts;
}

async function waitingTogether(vms: Model<Vm>, services: readonly number[]): Promise<(Member & { vms: number })[]> {
  const kinds = await vms
    .aggregate<Pick<Vm, 'capacity' | 'service' | 'placement'> & { requirements?: string; vms: number }>(
      [
        {
          $match: {
            'service.id': { $in: services },
            ...waitingForCapacity,
            'placement.together.0': { $exists: true },
          },
        },
        {
          $group: {
            _id: {
              service: { id: '$service.id', role: '$service.role' },
              ...{ capacity: '$capacity', placement: '$placement' },
              requirements: '$user_template.SCHED_REQUIREMENTS',
            },
            vms: { $sum: 1 },
          },
        },
        { $replaceWith: { $mergeObjects: ['$_id', { vms: '$vms' }] } },
      ],
      { hint: 'by_service' },
    )
    .exec();
  return kinds.map(({ capacity, service, placement, requirements, vms: count }) => {
    const user_template = requirements === undefined ? {} : { SCHED_REQUIREMENTS: requirements };
    return { ...wishOf({ _id: -1, capacity, user_template, service, placement }), vms: count };
  });
}
