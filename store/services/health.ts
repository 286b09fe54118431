import type { Connection } from 'mongoose';
import { portionsOf } from '../../domain/portions.js';
import {
  type HealthService,
  type HealthVm,
  judgedStates,
  serviceHealth,
} from '../../domain/services/service-health.js';
import { amissStates } from '../../domain/vms/vm-states.js';
import type { Service, ServiceState } from '../../schemas/services/service.js';
import type { VmStore } from '../vms/vms.js';
import { healthFields } from './health-fields.js';
import { healthEntries, pushLog } from './service-log.js';
import type { ServiceStore } from './services.js';

type Judged = HealthService & Pick<Service, '_id' | 'epoch' | 'health'>;

/** States that time, or what becomes of VMs, may end. */
const doubtfulStates: ServiceState[] = [
  ...(['WARNING', 'DEPLOYING', 'FAILED_DEPLOYING', 'SCALING', 'FAILED_SCALING', 'COOLDOWN'] as const),
];

/** Others may write between reading and writing; after so many readings reconciliation does the rest. */
const readings = 4;
/** Services that are read and written together. */
const portion = 200;

/**
 * Whether services that were deployed, and their roles, are RUNNING or WARNING, from their VMs. Said by whoever has changed
 * a VM, and again by reconciliation. Each writing counts `health` up and filters on what it was when read, before the VMs were: what a
 * slower one has seen is not written over what a later one saw.
 */
export function createHealth(connection: Connection, { services, vms }: { services: ServiceStore; vms: VmStore }) {
  const ofServices = (ids: readonly number[]) =>
    vms.model
      .find({ 'service.id': { $in: [...ids] }, state: { $ne: 'DONE' } }, healthFields)
      .hint('by_service')
      .sort({ _id: 1 })
      .lean<HealthVm[]>()
      .exec();

  /** Returns whether what is written then goes with what was read. */
  const judge = async (ids: readonly number[]): Promise<boolean> => {
    const found = await services.model
      .find(
        { _id: { $in: [...ids] }, state: { $in: [...judgedStates] }, operation: null, wanted: null },
        { state: 1, roles: 1, epoch: 1, health: 1, 'body.ready_status_gate': 1, 'body.deployment': 1 },
      )
      .lean<Judged[]>()
      .exec();
    if (found.length === 0) return true;
    const all = new Map<number, HealthVm[]>();
    for (const vm of await ofServices(found.map(({ _id }) => _id))) {
      const id = vm.service?.id ?? -1;
      all.set(id, [...(all.get(id) ?? []), vm]);
    }
    const now = new Date();
    const writes = [];
    for (const service of found) {
      const health = serviceHealth(service, all.get(service._id) ?? [], now);
      if (!health) continue;
      const roles = service.roles.map((role, at) => ({ ...role, ...health.roles[at] }));
      const log = healthEntries(service, health, now);
      if (log.length === 0) continue;
      const { _id, state, epoch } = service;
      writes.push({
        updateOne: {
          filter: { _id, state, epoch, operation: null, wanted: null, health: service.health ?? null },
          update: {
            $set: { state: health.state, roles },
            $inc: { health: 1 },
            $push: pushLog(log),
          },
        },
      });
    }
    if (writes.length === 0) return true;
    const { matchedCount } = await connection.collection<Service>('services').bulkWrite(writes, { ordered: false });
    return matchedCount === writes.length;
  };

  return {
    /** Says of these services what they are, unless an operation is at work on them. */
    async refresh(ids: readonly number[]): Promise<void> {
      for (const some of portionsOf(ids, portion))
        for (let reading = 0; reading < readings && !(await judge(some)); reading++);
    },

    /**
     * Services that may be other than they are called: those in WARNING, those whose deployment failed, those of which a
     * role was scaled and may rest, and those of VMs with which something is amiss.
     */
    async doubtful(): Promise<number[]> {
      const [warned, amiss] = await Promise.all([
        services.model
          .find({ state: { $in: doubtfulStates }, operation: null }, { _id: 1 })
          .lean<Pick<Service, '_id'>[]>()
          .exec(),
        vms.model
          .find({ lcm_state: { $in: [...amissStates] } }, { 'service.id': 1, _id: 0 })
          .hint('amiss_or_unknown')
          .lean<{ service?: { id?: number } | null }[]>()
          .exec(),
      ]);
      return [...new Set([...warned.map(({ _id }) => _id), ...amiss.flatMap(({ service }) => service?.id ?? [])])];
    },
  };
}
export type Health = ReturnType<typeof createHealth>;
