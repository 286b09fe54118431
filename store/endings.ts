import type { Connection } from 'mongoose';
import { brief, longest } from '../domain/brief.js';
import { isOpen } from '../domain/operation-states.js';
import { leftWaiting } from '../domain/placement/left-waiting.js';
import { type ArrivingVm, arrivedRoles, vmArrived } from '../domain/services/arrival.js';
import type { HealthVm } from '../domain/services/service-health.js';
import { endStay } from '../domain/vms/stays.js';
import { abandonment } from '../domain/vms/vm-events.js';
import type { OperatedKind } from '../schemas/kinds.js';
import {
  isPerformance,
  isScaling,
  isUndeployment,
  type Operation,
  type Releasing,
} from '../schemas/operations/operation.js';
import { isOn, takesAway } from '../schemas/operations.js';
import type { Role } from '../schemas/services/service.js';
import type { Vm } from '../schemas/vms/vm.js';
import type { Wilds } from './hosts/wilds.js';
import type { QuotaStore } from './identity/quotas.js';
import { sessionOf, type Transaction, within, withTransaction } from './mongo/transaction.js';
import type { Outcome } from './operations/operations.js';
import { type Finish, type Settlement, scalingEndings } from './scaling/scaling-ending.js';
import type { Scalings } from './scaling/scalings.js';
import { hasRole, isAtWorkOn } from './services/hands.js';
import type { Health } from './services/health.js';
import { healthFields } from './services/health-fields.js';
import type { EndingStores, Releases } from './services/releases.js';
import { judged, reasonOf, serviceEnds, whyShort } from './services/service-ending.js';
import { settleImage } from './storage/image-endings.js';
import type { ImageStore } from './storage/images.js';
import type { Flushes } from './vms/flushes.js';
import { stateAfter } from './vms/vm-transitions.js';

/** How an operation ends on one kind of thing. */
type EndOf = {
  /** In the transaction that ends it: what becomes of its resource, and of the outcome by what is found there. */
  settle: (operation: Operation, outcome: Outcome, transaction: Transaction) => Promise<Settlement>;
  /** After it: a service is judged again by its VMs, for one of them, or the service itself, was at work until now. */
  told: (ended: Operation) => Promise<void>;
};

const cancelled: Outcome = { state: 'cancelled', error: { code: 'cancelled', detail: 'cancelled' } };

/**
 * How operations end. One transaction writes the operation, its resource, and what that is charged. A run asks for it at
 * its end; reconciliation does where a run was lost. VMs that an operation on a service holds are let go of afterwards, by
 * whoever ended it or by the next that comes by: nothing waits for a dead run.
 */
export function createEndings(
  connection: Connection,
  {
    operations,
    services,
    vms,
    quotas,
    health,
    releases,
    scalings,
    flushes,
    wilds,
    images,
  }: EndingStores & {
    quotas: QuotaStore;
    health: Health;
    releases: Releases;
    scalings: Scalings;
    flushes: Flushes;
    wilds: Wilds;
    images: ImageStore;
  },
) {
  const scalingEnds = scalingEndings({ scalings, releases });

  /** What becomes of what an operation was about, and how else its end is told there. */
  const ends: Record<OperatedKind, EndOf> = {
    service: {
      settle: (operation, ...end) =>
        isPerformance(operation)
          ? settleNothing(operation, ...end)
          : isScaling(operation)
            ? scalingEnds.end(operation, ...end)
            : settleService(operation, ...end),
      told: async ({ kind, resource: { id } }) => {
        if (!takesAway(kind)) await health.refresh([id]);
      },
    },
    vm: {
      settle: settleVm,
      told: async ({ resource: { id } }) => {
        const vm = await vms.model.findById(id, { service: 1 }).lean<Pick<Vm, 'service'>>().exec();
        if (vm?.service) await health.refresh([vm.service.id]);
      },
    },
    host: {
      settle: async ({ _id, resource }, outcome, transaction) => {
        await flushes.end(resource.id, _id, transaction);
        return { outcome, releasing: null };
      },
      told: async () => {},
    },
    image: {
      settle: async (operation, outcome, transaction) => ({
        outcome: await settleImage(images, operation, outcome, transaction),
        releasing: null,
      }),
      told: async () => {},
    },
    zone: { settle: settleNothing, told: async () => {} },
  };

  return {
    /**
     * Ends an operation with this outcome, but for three cases: a deployment whose roles do not all run has failed, whatever
     * its run says; one that was cancelled when everything was there already has succeeded; and one that failed at a VM that
     * somebody else wants is cancelled, as he has it.
     * `last`: what the last step of a scaling has to say; where it is not heard, nothing ends.
     * Returns the operation as it is then; one that had ended already keeps its outcome.
     */
    async end(op: string, claimed: Outcome, last?: Finish): Promise<Operation | null> {
      const inTransaction = () =>
        withTransaction(connection, async (transaction) => {
          const operation = await operations.model
            .findById(op)
            .session(sessionOf(transaction))
            .lean<Operation>()
            .exec();
          return operation && endOpen(operation, claimed, transaction, last);
        });
      // Only a scaling has a last step that says something: it is not read twice.
      const seen = last ? null : await operations.find(op);
      // What a service was charged goes back to quotas that the others of its owner write, too.
      const ended = await (seen?.kind === 'undeployService' ? quotas.inTurn([seen], inTransaction) : inTransaction());
      await afterwards(ended);
      return ended;
    },

    /**
     * Ends as cancelled an operation that has no run to end it, if state and run are still those that the caller has seen.
     * Returns the operation as it is then.
     */
    async endCancelled(seen: Pick<Operation, '_id' | 'state' | 'run_id'>): Promise<Operation | null> {
      const ended = await withTransaction(connection, async (transaction) => {
        const operation = await operations.model
          .findById(seen._id)
          .session(sessionOf(transaction))
          .lean<Operation>()
          .exec();
        if (operation?.state !== seen.state || operation.run_id !== seen.run_id) return operation;
        return endOpen(operation, cancelled, transaction);
      });
      await afterwards(ended);
      return ended;
    },

    /**
     * Makes an operation accepted again, so that a new run can claim it, if state and run are still those that the caller
     * has seen: a caller that was frozen meanwhile must not take the holds of the run that came after. The old run's
     * holds are let go of: whatever it still does matches nothing, and the new run takes them anew.
     */
    async reopen(seen: Pick<Operation, '_id' | 'state' | 'run_id'>): Promise<boolean> {
      const releasing: Releasing = { since: new Date(), given_up: null, left: null };
      const { modifiedCount } = await operations.model.updateOne(
        { _id: seen._id, state: seen.state, run_id: seen.run_id },
        { $set: { state: 'accepted', run_id: null, waiting_for: null, releasing } },
      );
      if (modifiedCount === 0) return false;
      await releases.finish(seen._id);
      return true;
    },

    /** What whoever has ended an operation, or let it go on as a new run, may not have come to. */
    async afterwards(op: string): Promise<void> {
      await releases.finish(op);
      const operation = await operations.find(op);
      if (operation && !isOpen(operation)) await ends[operation.resource.type].told(operation);
    },
  };

  async function endOpen(
    operation: Operation,
    claimed: Outcome,
    transaction: Transaction,
    last?: Finish,
  ): Promise<Operation | null> {
    if (!isOpen(operation)) return operation;
    const settlement =
      last && isScaling(operation)
        ? await scalingEnds.finish(operation, last, transaction)
        : await ends[operation.resource.type].settle(operation, claimed, transaction);
    if (!settlement) return operation;
    return operations.end(operation._id, settlement.outcome, transaction, settlement.releasing);
  }

  async function afterwards(ended: Operation | null): Promise<void> {
    if (!ended || isOpen(ended)) return;
    if (ended.releasing) await releases.finish(ended._id);
    await ends[ended.resource.type].told(ended);
  }

  /** What has not been given its domain when its import ends is no VM: it has nothing of its own. */
  async function endImported({ _id: op, resource }: Operation, transaction: Transaction): Promise<void> {
    const vm = await vms.model
      .findOne({ _id: resource.id, operation: op, wanted: null, hold: null, state: { $ne: 'DONE' } })
      .session(sessionOf(transaction))
      .lean<Vm>()
      .exec();
    if (!vm?.adopts) return;
    await wilds.giveBack(vm.adopts.hid, vm._id, vm.adopts.wild, transaction);
    if (vm.lcm_state !== 'SHUTDOWN') await vms.transition([{ vm, event: 'shutdown' }], transaction);
    const at = new Date();
    const set = {
      ...{ reason: 'its import was given up', deploy_id: null, ended_at: at },
      history: endStay(vm.history, 'error', at),
    };
    const closing = { ...vm, state: 'ACTIVE', lcm_state: 'SHUTDOWN' } as const;
    await vms.transition([{ vm: closing, event: 'done', set }], transaction);
  }

  async function settleVm(operation: Operation, claimed: Outcome, transaction: Transaction): Promise<Settlement> {
    const { _id: op, resource } = operation;
    await releases.releaseOne(op, reasonOf(claimed), transaction);
    if (operation.kind === 'importVm') await endImported(operation, transaction);
    const vm = await vms.model
      .findById(resource.id, {
        state: 1,
        lcm_state: 1,
        moving: 1,
        device_change: 1,
        snapshots: 1,
        adopts: 1,
        debugging: 1,
        wanted: 1,
        history: { $slice: -1 },
      })
      .session(sessionOf(transaction))
      .lean<ArrivingVm & Pick<Vm, 'wanted'>>()
      .exec();
    await vms.model.updateOne({ _id: resource.id, operation: op }, { $set: { operation: null } }, within(transaction));
    await vms.model.updateOne({ _id: resource.id, wanted: op }, { $set: { wanted: null } }, within(transaction));
    if (claimed.state === 'cancelled' && vm && vmArrived(vm, operation))
      return { outcome: { state: 'succeeded' }, releasing: null };
    // Nobody looks for a host for it any more.
    if (claimed.state !== 'succeeded') await vms.leave(resource.id, op, leftWaiting(operation, claimed), transaction);
    // Its steps have given way to whoever wants the VM; the cancel that says so may be on its way yet.
    const gaveWay = claimed.state === 'failed' && typeof vm?.wanted === 'string' && vm.wanted !== op;
    return { outcome: gaveWay ? cancelled : claimed, releasing: null };
  }

  async function settleService(operation: Operation, outcome: Outcome, transaction: Transaction): Promise<Settlement> {
    const { _id: op, resource, kind } = operation;
    if (!isOn('service', kind) || kind === 'scaleRole' || kind === 'performOnRole')
      throw new Error(`${kind} has neither all of a service nor some of its roles`);
    const { afterwards, arrived } = serviceEnds[kind];
    const undeploys = takesAway(kind);
    const isCancelled = outcome.state === 'cancelled';
    // A run has said of each role what that came to when its work on it ended. What has become of VMs since counts, too.
    const looked =
      isCancelled || !undeploys ? await allOf(resource.id, { op, given_up: reasonOf(outcome) }, transaction) : [];
    let said = outcome;
    const before = await services.finish(
      resource.id,
      op,
      (service) => {
        const isOurs = service.roles.map((role) => hasRole(service, role, op));
        const ours = (roles: readonly Role[]): Role[] => roles.filter((_, at) => isOurs[at]);
        const found = isCancelled ? arrivedRoles(service, looked, operation.kind) : service.roles;
        const roles = service.roles.map((role, at) => (isOurs[at] ? (found[at] ?? role) : role));
        const settled = { ...service, roles };
        const has = (at: number): boolean => isOurs[at] === true;
        if (isCancelled && isAtWorkOn(service, op) && arrived(service, roles, has)) said = { state: 'succeeded' };
        const after = judged(settled, afterwards(settled, said, op), looked);
        if (said.state === 'succeeded' && !arrived(service, after.roles, has))
          said = whyShort({ ...settled, roles: ours(roles) }, op, ours(after.roles));
        return after;
      },
      transaction,
    );
    const goes = removes(operation) || (undeploys && before?.body.automatic_deletion === true);
    if (before?.operation === op && said.state === 'succeeded' && goes) await services.remove(resource.id, transaction);
    // Whoever is about to take the service over makes untrue what those that wait for a host would be told.
    const isWanted = typeof before?.wanted === 'string' && before.wanted !== op;
    const left = said.state === 'succeeded' || isWanted ? null : leftWaiting(operation, said);
    return {
      outcome: said,
      releasing: await releases.toRelease(op, { given_up: reasonOf(outcome), left }, transaction),
    };
  }

  /** As they are once those that the operation holds in the middle of a step have said that this was given up. */
  async function allOf(
    service: number,
    { op, given_up }: { op: string; given_up: string },
    transaction: Transaction,
  ): Promise<HealthVm[]> {
    const found = await vms.model
      .find({ 'service.id': service, state: { $ne: 'DONE' } }, { ...healthFields, 'hold.op': 1 }, within(transaction))
      .hint('by_service')
      .lean<(HealthVm & { hold: { op: string } | null })[]>()
      .exec();
    return found.map((vm) => {
      const event = vm.hold?.op === op ? abandonment(vm) : undefined;
      return event ? { ...vm, ...stateAfter(vm, event), reason: vm.reason ?? brief(given_up, longest.vm) } : vm;
    });
  }
}
export type Endings = ReturnType<typeof createEndings>;

/** Of what an operation has nothing of. */
const settleNothing: EndOf['settle'] = async (_operation, outcome) => ({ outcome, releasing: null });

const removes = (operation: Operation): boolean => isUndeployment(operation) && operation.input.remove;
