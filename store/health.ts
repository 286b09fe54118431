import type { Connection } from 'mongoose';
import { brief, longest } from '../domain/brief.js';
import { type HealthVm, serviceHealth } from '../domain/service-health.js';
import type { LogEntry, Service } from '../schemas/service.js';
import type { Vm } from '../schemas/vm.js';
import { pushLog, stateEntry } from './service-log.js';
import type { ServiceStore } from './services.js';
import type { VmStore } from './vms.js';

const healthFields = { name: 1, state: 1, lcm_state: 1, reason: 1, wanted: 1, service: 1 } as const;
type Judged = Pick<Service, '_id' | 'state' | 'roles' | 'epoch' | 'health'>;

/** Others may write between reading and writing; after so many readings reconciliation does the rest. */
const readings = 4;
/** Services that are read and written together. */
const portion = 200;

/**
 * Whether services that were deployed are RUNNING or WARNING, from their VMs. Said by whoever has changed a VM, and again
 * by reconciliation. Each writing counts `health` up and filters on what it was when read, before the VMs were: what a
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

  /** The VMs of some roles that ended last, the latest first. */
  const endedOf = async (id: number, roles: readonly { name: string; missing: number }[]) => {
    const ended = await Promise.all(
      roles.map(({ name, missing }) =>
        vms.model
          .find({ 'service.id': id, 'service.role': name, state: 'DONE' }, { name: 1 })
          .hint('by_service')
          .sort({ ended_at: -1, _id: -1 })
          .limit(missing)
          .lean<Pick<Vm, '_id' | 'name'>[]>()
          .exec(),
      ),
    );
    return new Map(roles.map(({ name }, at) => [name, ended[at] ?? []]));
  };

  /** Returns whether what is written then goes with what was read. */
  const judge = async (ids: readonly number[]): Promise<boolean> => {
    const found = await services.model
      .find(
        { _id: { $in: [...ids] }, state: { $in: ['RUNNING', 'WARNING'] }, operation: null, wanted: null },
        { state: 1, roles: 1, epoch: 1, health: 1 },
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
      const its = all.get(service._id) ?? [];
      const short = serviceHealth(service, its)?.roles.filter(({ missing }) => missing > 0) ?? [];
      const health = serviceHealth(service, its, short.length > 0 ? await endedOf(service._id, short) : undefined);
      if (!health) continue;
      const roles = service.roles.map((role, at) => {
        const { state, reason } = health.roles[at] ?? role;
        return { ...role, state, reason: reason && brief(reason, longest.role) };
      });
      const changed = roles.filter(({ state, reason }, at) => {
        const before = service.roles[at];
        return state !== before?.state || reason !== before.reason;
      });
      if (changed.length === 0 && health.state === service.state) continue;
      const log = changed.map(({ name, state, reason }): LogEntry => {
        return { timestamp: now, severity: reason === null ? 'I' : 'E', message: `Role ${name} : ${reason ?? state}` };
      });
      if (health.state !== service.state) log.push(stateEntry(health.state, now));
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
      for (let at = 0; at < ids.length; at += portion) {
        const some = ids.slice(at, at + portion);
        for (let reading = 0; reading < readings && !(await judge(some)); reading++);
      }
    },

    /** Services that may be other than they are called: those in WARNING, and those of VMs with which something is amiss. */
    async doubtful(): Promise<number[]> {
      const [warned, amiss] = await Promise.all([
        services.model.find({ state: 'WARNING', operation: null }, { _id: 1 }).lean<Pick<Service, '_id'>[]>().exec(),
        vms.model
          .find(
            { lcm_state: { $in: ['UNKNOWN', 'PROLOG_FAILURE', 'BOOT_FAILURE', 'EPILOG_FAILURE'] } },
            { 'service.id': 1, _id: 0 },
          )
          .hint('amiss')
          .lean<{ service?: { id?: number } | null }[]>()
          .exec(),
      ]);
      return [...new Set([...warned.map(({ _id }) => _id), ...amiss.flatMap(({ service }) => service?.id ?? [])])];
    },
  };
}
export type Health = ReturnType<typeof createHealth>;
