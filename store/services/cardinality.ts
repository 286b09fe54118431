import type { Connection, QueryFilter } from 'mongoose';
import { added, chargeOfVm, negated, timesOver } from '../../domain/identity/quotas.js';
import { departure, isByHand } from '../../domain/services/departure.js';
import { belongs, type HealthVm, isDeparting } from '../../domain/services/service-health.js';
import { isVmHealthy } from '../../domain/vms/vm-states.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { LogEntry, Role, Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { QuotaStore } from '../identity/quotas.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { sessionOf, type Transaction, within, withTransaction } from '../mongo/transaction.js';
import { createTurns } from '../mongo/turns.js';
import type { VmHoldings } from '../vms/vm-holdings.js';
import { inParts } from '../vms/vm-parts.js';
import type { Departing } from '../vms/vm-transitions.js';
import { hasRoleThat } from './hands.js';
import { healthFields } from './health-fields.js';
import { healthEntries, pushLog } from './service-log.js';
import type { RoleStep } from './service-roles.js';
import type { ServiceStore } from './services.js';

/** Roles as whoever plans for them has read them. `step`: of one that the operation has alone, the step that plans. */
export type PlannedFor = {
  service: number;
  op: string;
  roles: readonly (Pick<Role, 'name' | 'cardinality'> & { step?: number })[];
};

/**
 * How many VMs roles have. All that changes it, or goes by it when VMs are made, writes the service, so that of two that
 * meet one goes again and sees what the other has done; what a service is charged changes in the same transaction.
 */
export function createCardinality(
  connection: Connection,
  { services, quotas, holdings }: { services: ServiceStore; quotas: QuotaStore; holdings: VmHoldings },
) {
  const takeTurns = createTurns();
  const native = <T extends { _id: unknown }>(name: string) => connection.collection<T>(name);

  const vmsOf = (filter: object, transaction: Transaction): Promise<HealthVm[]> =>
    native<Vm>('vms')
      .find(
        { ...filter, state: { $ne: 'DONE' } },
        { ...within(transaction), projection: healthFields, hint: 'by_service' },
      )
      .toArray();

  return {
    /** Runs transactions in which VMs of a service end one after the other: they write the same document. */
    inTurn: <T>(service: number, transaction: () => Promise<T>): Promise<T> =>
      takeTurns([String(service)], transaction),

    /** In the transaction in which a VM, as it was before, has become DONE: if by hand, its role has one place fewer. */
    async depart(vm: Departing, transaction: Transaction): Promise<void> {
      const { service: place } = vm;
      if (place === null || !isByHand(vm)) return;
      const service = await services.model
        .findOne({ _id: place.id, state: { $ne: 'DONE' } })
        .session(sessionOf(transaction))
        .lean<Service>()
        .exec();
      if (!service) return;
      const [operation, others] = [
        await native<Operation>('operations').findOne({ _id: vm.operation ?? '' }, within(transaction)),
        await vmsOf({ 'service.id': place.id }, transaction),
      ];
      const at = new Date();
      const by = operation?.requester.name ?? 'somebody';
      const after = departure(service, { ...vm, service: place }, others, { by, at });
      const entries: LogEntry[] = [
        { timestamp: at, severity: 'I', message: after.message },
        ...healthEntries(service, after, at),
      ];
      await services.model.updateOne(
        { _id: place.id },
        {
          $set: {
            ...{ state: after.state, roles: after.roles },
            ...(after.returned && service.charge && { charge: added(service.charge, negated(after.returned)) }),
          },
          // Whoever has judged its health by what was before writes nothing.
          $inc: { health: 1 },
          $push: pushLog(entries),
        },
        within(transaction),
      );
      if (after.returned) await quotas.giveBack(service, after.returned, transaction);
    },

    /**
     * Ends the work on a role whose failed VMs are gone: it goes on with those that run, and with what these are charged.
     * False when the guard did not match.
     */
    async skip(step: Omit<RoleStep, 'event'>, log: (before: number, after: number) => LogEntry): Promise<boolean> {
      const { service: id, role: name } = step;
      return withTransaction(connection, async (transaction) => {
        const service = await services.model.findById(id).session(sessionOf(transaction)).lean<Service>().exec();
        const role = service?.roles.find((candidate) => candidate.name === name);
        if (!service || !role) return false;
        const vms = await vmsOf({ 'service.id': id, 'service.role': name }, transaction);
        const staying = vms.filter((vm) => (belongs(vm) && isVmHealthy(vm)) || isDeparting(vm)).length;
        const cardinality = Math.min(role.cardinality, staying);
        const capacity = service.capacities?.[name];
        const fewer = role.cardinality - cardinality;
        const returned = capacity && timesOver(chargeOfVm(capacity), fewer);
        const charge = returned && service.charge && added(service.charge, negated(returned));
        const entry = log(role.cardinality, cardinality);
        const change = { cardinality, transaction, ...(charge && { charge }) };
        if (!(await services.leaveSmaller({ ...step, event: 'deployed' }, [entry], change))) return false;
        if (charge && returned) await quotas.giveBack(service, returned, transaction);
        return true;
      });
    },

    /**
     * Writes new VMs of roles, while each role still is to have as many as these were planned for. False: that has changed,
     * or another try has made some of them; what there is has to be read again.
     */
    insertWhile({ service, op, roles }: PlannedFor, made: readonly Vm[]): Promise<boolean> {
      const asPlanned = roles.map(({ name, cardinality, step }) =>
        hasRoleThat(op, { name, cardinality, ...(step !== undefined && { mark: { op, step } }) }),
      );
      return insertAll({ _id: service, $and: asPlanned }, made);
    },

    /**
     * Writes the first VMs of roles of a service that one operation has all of: of these nobody can have terminated any, so
     * it matters for none how many it is to have. False: another try has made some of them, or somebody wants the service.
     */
    insertFirst: ({ service, op }: Pick<PlannedFor, 'service' | 'op'>, made: readonly Vm[]): Promise<boolean> =>
      insertAll({ _id: service, operation: op }, made),
  };

  /** In parts, each whole or not at all, with the bits that the service has then: of a chmod that meets it one goes again. */
  async function insertAll(guard: QueryFilter<Service>, made: readonly Vm[]): Promise<boolean> {
    const insert = (part: Vm[]): Promise<boolean> =>
      withTransaction(connection, async (transaction) => {
        const service = await services.model
          .findOneAndUpdate(
            { ...guard, wanted: null },
            { $inc: { health: 1 } },
            { ...within(transaction), projection: { permissions: 1 } },
          )
          .lean<Pick<Service, 'permissions'>>()
          .exec();
        if (!service) return false;
        const { permissions } = service;
        await native<Vm>('vms').insertMany(
          part.map((vm) => ({ ...vm, permissions })),
          within(transaction),
        );
        await holdings.takeNew(part, transaction);
        return true;
      });
    try {
      for (const part of inParts(made)) if (!(await insert(part))) return false;
      return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return false;
    }
  }
}
export type Cardinality = ReturnType<typeof createCardinality>;
