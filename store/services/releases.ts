import type { Connection } from 'mongoose';
import { portionsOf } from '../../domain/portions.js';
import { abandonment } from '../../domain/vms/vm-events.js';
import type { Operation, Releasing } from '../../schemas/operations/operation.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { sessionOf, type Transaction } from '../mongo/transaction.js';
import type { OperationStore } from '../operations/operations.js';
import { type GuardedVm, type VmChange, writeChanges } from '../vms/vm-guards.js';
import type { VmMove } from '../vms/vm-transitions.js';
import type { VmStore } from '../vms/vms.js';
import type { ServiceStore } from './services.js';

export type EndingStores = { operations: OperationStore; services: ServiceStore; vms: VmStore };

/** VMs that are let go of, or told, by one write. */
export const releasedAtOnce = 500;

type HeldVm = GuardedVm & Pick<Vm, 'reason'>;
const heldFields = {
  ...{ state: 1, lcm_state: 1, epoch: 1, hold: 1, charge: 1, service: 1, operation: 1, reason: 1 },
} as const;

type Task = Pick<Operation, 'resource' | 'role' | 'releasing'> & { input?: { roles?: string[] } };

/**
 * How VMs are let go of that an operation holds. A service has thousands of them: no transaction writes them all. That of
 * an operation's end says so in the operation's document; they follow in portions, each guarded by what was read. Whoever
 * wants to take what an operation has left does that first, and reconciliation does what nobody has.
 */
export function createReleases(connection: Connection, { operations, services, vms }: EndingStores) {
  const taskOf = (op: string): Promise<Task | null> =>
    operations.model.findById(op, { resource: 1, role: 1, releasing: 1, 'input.roles': 1 }).lean<Task>().exec();

  const heldBy = (op: string, transaction: Transaction | null = null): Promise<HeldVm[]> =>
    vms.model
      .find({ 'hold.op': op }, heldFields)
      .session(sessionOf(transaction))
      .limit(releasedAtOnce)
      .lean<HeldVm[]>()
      .exec();

  async function letGo(
    held: readonly HeldVm[],
    { given_up, left }: Omit<Releasing, 'since'>,
    transaction?: Transaction,
  ): Promise<void> {
    const moves: VmMove[] = [];
    const others: VmChange[] = [];
    for (const vm of held) {
      const event = given_up === null ? undefined : abandonment(vm);
      if (event) moves.push({ vm, event, set: { reason: vm.reason ?? given_up }, release: true });
      else others.push({ vm, $set: { hold: null, ...(left !== null && vm.state === 'PENDING' && { reason: left }) } });
    }
    await vms.transition(moves, transaction);
    if (others.length > 0) await writeChanges(connection, others, transaction);
  }

  /** VMs that wait for a host and that nobody holds: nobody looks for one any more, unless somebody has begun to. */
  async function tellThoseLeft(
    op: string,
    { service, role, roles }: { service: number; role: string | undefined; roles: readonly string[] | undefined },
    { since, left }: Releasing,
  ): Promise<void> {
    const isLeft = {
      ...({ state: 'PENDING', hold: null, reason: { $ne: left } } as const),
      ...(role !== undefined && { 'service.role': role }),
      ...(roles && { 'service.role': { $in: [...roles] } }),
    };
    const ofRole = role !== undefined && { roles: { $elemMatch: { name: role, operation: null } } };
    const found = await vms.model
      .find({ 'service.id': service, ...isLeft }, { _id: 1 })
      .hint('by_service')
      .lean<Pick<Vm, '_id'>[]>()
      .exec();
    const ids = found.map(({ _id }) => _id);
    for (const some of portionsOf(ids, releasedAtOnce)) {
      const isFree = await services.model.exists({ _id: service, operation: null, wanted: null, ...ofRole });
      if (!isFree || !(await operations.model.exists({ _id: op, 'releasing.since': since }))) return;
      // VMs of a role that is in other hands by now are theirs to tell of.
      const [now] = await services.atWorkOn([service]);
      const others = now?.roles.map(({ name }) => ({ 'service.role': name })) ?? [];
      const free = others.length > 0 ? { $nor: others } : {};
      await vms.model.updateMany({ _id: { $in: some }, ...isLeft, ...free }, { $set: { reason: left } });
    }
  }

  return {
    /** The VM of an operation on a VM alone is let go of in the transaction that ends it. */
    async releaseOne(op: string, given_up: string, transaction: Transaction): Promise<void> {
      await letGo(await heldBy(op, transaction), { given_up, left: null }, transaction);
    },

    /** What an operation still holds, inside the transaction after which it is let go of; null: nothing is left to do. */
    async toRelease(op: string, texts: Omit<Releasing, 'since'>, transaction: Transaction): Promise<Releasing | null> {
      const some = await vms.model.exists({ 'hold.op': op }).session(sessionOf(transaction));
      return some || texts.left !== null ? { since: new Date(), ...texts } : null;
    },

    /**
     * Lets go of what an operation has left, if anything is left to do. Said again, or by several at once, it goes on with
     * what there is. VMs are read before it is asked whether they are still to be let go of: a run that goes on takes
     * them anew only after they all were, so that none of its holds is taken for one that was left.
     */
    async finish(op: string): Promise<void> {
      for (;;) {
        const held = await heldBy(op);
        const task = await taskOf(op);
        if (!task?.releasing) return;
        const { releasing, resource, role, input } = task;
        if (held.length > 0) {
          await letGo(held, releasing);
          continue;
        }
        if (releasing.left !== null && resource.type === 'service')
          await tellThoseLeft(op, { service: resource.id, role, roles: input?.roles }, releasing);
        await operations.model.updateOne(
          { _id: op, 'releasing.since': releasing.since },
          { $unset: { releasing: '' } },
        );
      }
    },
  };
}
export type Releases = ReturnType<typeof createReleases>;
