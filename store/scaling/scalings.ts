import type { Connection } from 'mongoose';
import { added, chargeOfVm, negated, timesOver } from '../../domain/identity/quotas.js';
import { Problem } from '../../domain/problems.js';
import { removalOf, whyNotAdded } from '../../domain/scaling/role-change.js';
import { recordId } from '../../domain/scaling/role-record.js';
import { isRemoved, settledSurplus, withRole } from '../../domain/scaling/scaling-end.js';
import { type ScalingWish, scalingPlan, scalingText } from '../../domain/scaling/scaling-plan.js';
import { rescheduled } from '../../domain/services/schedule.js';
import type { HealthVm } from '../../domain/services/service-health.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Amounts, VmSize } from '../../schemas/identity/amounts.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { LogEntry, Role, Schedule, Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { QuotaStore } from '../identity/quotas.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { healthFields } from '../services/health-fields.js';
import { healthEntries, pushLog, stateEntry } from '../services/service-log.js';
import { partFields, type ServicePart } from '../services/service-roles.js';
import type { ServiceStore } from '../services/services.js';

/** A step on a role that an operation has alone; its numbers rise within the operation. */
export type RoleWork = { service: number; role: string; op: string; step: number };

/**
 * How a role alone is at an operation's disposal. Every change of it reads the service and writes it in one transaction, and
 * raises `health`: of two that meet, one goes again and sees what the other has done, and whoever has judged by what was
 * before writes nothing.
 */
export function createScalings(
  connection: Connection,
  { services, quotas }: { services: ServiceStore; quotas: QuotaStore },
) {
  const find = (id: number, transaction: Transaction): Promise<Service | null> =>
    services.model.findById(id).session(sessionOf(transaction)).lean<Service>().exec();

  const vmsOf = (id: number, role: string, transaction: Transaction): Promise<HealthVm[]> =>
    connection
      .collection<Vm>('vms')
      .find(
        { 'service.id': id, 'service.role': role, state: { $ne: 'DONE' } },
        { ...within(transaction), projection: healthFields, hint: 'by_service' },
      )
      .toArray();

  /** Whether it is a scaling, and at nothing but a wait, for capacity or for reports. A repair that waits is at work on VMs, too. */
  const onlyWaits = async (op: string, transaction: Transaction): Promise<boolean> =>
    (await connection
      .collection<Operation>('operations')
      .findOne({ _id: op, kind: 'scaleRole', state: 'running', waiting_for: { $ne: null } }, within(transaction))) !==
    null;

  async function write(
    before: Service,
    after: Pick<Service, 'state' | 'roles'>,
    {
      log,
      transaction,
      ...more
    }: {
      log: readonly LogEntry[];
      charge?: Amounts;
      capacities?: Record<string, VmSize>;
      schedule?: Schedule;
      transaction: Transaction;
    },
  ): Promise<void> {
    await services.model.updateOne(
      { _id: before._id },
      {
        $set: { state: after.state, roles: after.roles, ...more },
        $inc: { health: 1 },
        $push: pushLog(log),
      },
      within(transaction),
    );
  }

  return {
    /**
     * Admission of a scaling, in its transaction: nothing else has the service or this role, and what is asked may be done
     * as the service is now. From then on the role is SCALING and has the cardinality that is wished for; VMs in addition
     * are charged. One that only waits gives way: its run finds the role in other hands. Throws `quota_exceeded`. Returns whose the service is; null: something is in the way.
     */
    async admit(
      { service: id, role: name, op, by }: Omit<RoleWork, 'step'> & { by?: string },
      wish: ScalingWish,
      transaction: Transaction,
      names: (owner: Ownership) => { uname?: string } = () => ({}),
    ): Promise<Ownership | null> {
      const service = await find(id, transaction);
      const role = service?.roles.find((candidate) => candidate.name === name);
      if (!service || !role || !isFree(service, role, wish.over)) return null;
      if (wish.over !== undefined && !(await onlyWaits(wish.over, transaction))) return null;
      if (wish.policy && wish.policy.from !== role.cardinality) return null;
      if (wish.removes && removalOf(service, role, [], true) instanceof Problem) return null;
      const now = new Date();
      const plan = scalingPlan(service, role, wish, now);
      if (plan instanceof Problem) return null;
      const { uid, gid, permissions } = service;
      const capacity = service.capacities?.[name];
      const charge = service.charge && capacity && timesOver(chargeOfVm(capacity), plan.charged);
      const { surplus: _gone, lowered: _old, removing: _kept, ...rest } = role;
      const scaling: Role = {
        ...rest,
        ...{ operation: op, state: 'SCALING', reason: null, cardinality: plan.to },
        ...(charge && plan.surplus > 0 && { surplus: plan.surplus }),
        ...(wish.removes && { removing: wish.removes }),
      };
      const roles = service.roles.map((each) => (each.name === name ? scaling : each));
      const after = withRole({ ...service, roles }, name, {});
      await write(service, after, {
        log: [
          { timestamp: now, severity: 'I', message: scalingText(name, plan, wish, by) },
          ...(after.state === service.state ? [] : [stateEntry(after.state, now)]),
        ],
        ...(charge && service.charge && { charge: added(service.charge, charge) }),
        transaction,
      });
      const owner = { uid, gid, permissions };
      if (charge && plan.charged > 0) await quotas.charge({ ...owner, ...names(owner) }, charge, transaction);
      return owner;
    },

    /**
     * Admission of a scaling that brings a new role, in its transaction: nothing else has the service, and it may have the role as
     * it is now. What that is charged, `capacity` of each VM, is written here; the quotas are charged by whoever admits it.
     * Returns whose the service is; null: something is in the way.
     */
    async add(
      id: number,
      role: Role,
      { capacity, charge, zone, by }: { capacity: VmSize; charge: Amounts; zone: string; by: string },
      transaction: Transaction,
    ): Promise<Ownership | null> {
      const service = await find(id, transaction);
      if (service?.operation !== null || service.wanted !== null || whyNotAdded(service, role)) return null;
      const now = new Date();
      const { uid, gid, permissions } = service;
      const after = withRole({ ...service, roles: [...service.roles, role] }, role.name, {});
      const held = role.state === 'HOLD' ? ', on hold' : '';
      const message = `Role ${role.name} is added, with ${role.cardinality} nodes${held}, by ${by}`;
      await write(service, after, {
        log: [
          { timestamp: now, severity: 'I', message },
          ...(after.state === service.state ? [] : [stateEntry(after.state, now)]),
        ],
        capacities: { ...service.capacities, [role.name]: capacity },
        ...(service.charge && { charge: added(service.charge, charge) }),
        ...(role.scheduled_policies?.length && {
          schedule: rescheduled(role, service.schedule ?? null, { zone, now }),
        }),
        transaction,
      });
      return { uid, gid, permissions };
    },

    /**
     * Takes a role for a step of the operation that has it alone. Returns the service with it; null: a later step has it, or
     * the operation has it no more, or somebody who pre-empts wants the service.
     */
    async enter({ service: id, role: name, op, step }: RoleWork): Promise<ServicePart | null> {
      // Read by the same call that takes it: a scaling is a few round trips, and this is one less.
      const taken = await connection.collection<ServicePart>('services').findOneAndUpdate(
        {
          ...{ _id: id, wanted: null },
          roles: {
            $elemMatch: {
              ...{ name, operation: op, state: 'SCALING' },
              $or: [{ 'mark.op': { $ne: op } }, { 'mark.step': { $lt: step } }],
            },
          },
        },
        { $set: { 'roles.$.mark': { op, step } }, $inc: { health: 1 } },
        { returnDocument: 'after', projection: partFields([name]) },
      );
      const part = taken ?? (await services.part(id, [name]));
      const role = part?.roles[0];
      const isOurs = role?.operation === op && role.mark?.op === op && role.mark.step === step;
      return part?.wanted === null && isOurs && role.state === 'SCALING' ? part : null;
    },

    /**
     * In the transaction that ends an operation on a role: the role is nobody's any more. `change`: what becomes of it, from
     * what there is of it; null: it stays the operation's. Returns the service as it was; null: it is gone.
     */
    async leave(
      { service: id, role: name, op }: Omit<RoleWork, 'step'>,
      change: (role: Role, vms: readonly HealthVm[], service: Service) => Partial<Role> | null,
      transaction: Transaction,
    ): Promise<Service | null> {
      const service = await find(id, transaction);
      const role = service?.roles.find((candidate) => candidate.name === name);
      if (!service || role?.operation !== op) return service;
      const vms = await vmsOf(id, name, transaction);
      const after = change(role, vms, service);
      if (after) await settle(service, role, vms, { ...after, operation: null }, transaction);
      return service;
    },
  };

  async function settle(
    service: Service,
    role: Role,
    vms: readonly HealthVm[],
    change: Partial<Role>,
    transaction: Transaction,
  ): Promise<void> {
    const { surplus, returned } = settledSurplus(service, role.name, vms);
    const charge = returned && service.charge && { charge: added(service.charge, negated(returned)) };
    if (returned) await quotas.giveBack(service, returned, transaction);
    if (change.operation === null && isRemoved({ ...role, ...change }, vms))
      return drop(service, role.name, { ...charge, transaction });
    const lastOrdinal = Math.max(-1, ...vms.map((vm) => vm.service?.ordinal ?? -1));
    const after = withRole(service, role.name, {
      ...change,
      last_vmname: Math.max(role.last_vmname, lastOrdinal + 1),
      ...((role.surplus ?? 0) > 0 && { surplus }),
    });
    await write(service, after, {
      log: healthEntries(service, after, new Date()),
      ...charge,
      transaction,
    });
  }

  /** A role is no more: nothing that is kept of it is. */
  async function drop(
    service: Service,
    name: string,
    { transaction, ...charge }: { charge?: Amounts; transaction: Transaction },
  ): Promise<void> {
    const now = new Date();
    const left = { ...service, roles: service.roles.filter((role) => role.name !== name) };
    const after = withRole(left, name, {});
    const { [name]: _gone, ...capacities } = service.capacities ?? {};
    const { schedule } = service;
    await write(service, after, {
      log: [
        { timestamp: now, severity: 'I', message: `Role ${name} is removed` },
        ...(after.state === service.state ? [] : [stateEntry(after.state, now)]),
      ],
      ...charge,
      ...(service.capacities && { capacities }),
      ...(schedule && { schedule: rescheduled({ name }, schedule, { zone: schedule.zone, now }) }),
      transaction,
    });
    await connection
      .collection<{ _id: string }>('elasticity')
      .deleteOne({ _id: recordId(service._id, name) }, within(transaction));
  }
}
export type Scalings = ReturnType<typeof createScalings>;

/** Whether an operation on this role alone may be admitted, as far as others are at work but for `over`. */
const isFree = ({ operation, wanted }: Service, role: Role, over?: string): boolean =>
  operation === null && wanted === null && (role.operation ?? null) === (over ?? null);
