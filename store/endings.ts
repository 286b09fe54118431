import type { Connection } from 'mongoose';
import { isOpen } from '../domain/operation-states.js';
import type { OperatedKind } from '../schemas/kinds.js';
import { isFailover, isScaling, type Operation, type Releasing } from '../schemas/operations/operation.js';
import { type OperationKind, takesAway } from '../schemas/operations.js';
import type { Vm } from '../schemas/vms/vm.js';
import type { DocumentStore } from './documents.js';
import type { Failovers } from './failover/failovers.js';
import { hostEndings } from './failover/host-endings.js';
import type { Wilds } from './hosts/wilds.js';
import type { QuotaStore } from './identity/quotas.js';
import { appEndings, exportEnding } from './market/app-endings.js';
import type { AppStore } from './market/apps.js';
import { sessionOf, type Transaction, withTransaction } from './mongo/transaction.js';
import { cancelled, type Settle, type Settlement, type Settles, settleNothing } from './operations/ending.js';
import type { Outcome } from './operations/operations.js';
import { type Finish, scalingEndings } from './scaling/scaling-ending.js';
import type { Scalings } from './scaling/scalings.js';
import type { Health } from './services/health.js';
import type { EndingStores, Releases } from './services/releases.js';
import { serviceEndings } from './services/service-endings.js';
import type { ServiceNetworks } from './services/service-networks.js';
import type { ServiceTemplateStore } from './services/service-templates.js';
import { imageEndings } from './storage/image-endings.js';
import type { ImageStore } from './storage/images.js';
import type { Flushes } from './vms/flushes.js';
import { vmEndings } from './vms/vm-endings.js';
import type { VmHoldings } from './vms/vm-holdings.js';

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
    failovers,
    wilds,
    images,
    holdings,
    serviceNetworks,
    apps,
    vmTemplates,
    serviceTemplates,
  }: EndingStores & {
    quotas: QuotaStore;
    health: Health;
    releases: Releases;
    scalings: Scalings;
    flushes: Flushes;
    failovers: Failovers;
    wilds: Wilds;
    images: ImageStore;
    holdings: VmHoldings;
    serviceNetworks: ServiceNetworks;
    apps: AppStore;
    vmTemplates: DocumentStore<'vm_template'>;
    serviceTemplates: ServiceTemplateStore;
  },
) {
  const scalingEnds = scalingEndings({ scalings, releases });

  /** What becomes of what an operation was about. */
  const settles: { readonly [T in OperatedKind]: Settles<T> } = {
    service: {
      ...serviceEndings({ services, vms, releases, serviceNetworks }),
      scaleRole: scalingEnds.end,
      performOnRole: settleNothing,
    },
    vm: vmEndings({ vms, wilds, images, holdings, release: releases.releaseOne }),
    host: hostEndings({ flushes, failovers, releases }),
    image: { ...imageEndings(images), exportApp: exportEnding({ apps, images, vmTemplates, serviceTemplates }) },
    app: appEndings({ apps, images }),
    zone: { checkConsistency: settleNothing },
  };
  const settleOf: { readonly [K in OperationKind]: Settle<K> } = {
    ...settles.service,
    ...settles.vm,
    ...settles.host,
    ...settles.image,
    ...settles.app,
    ...settles.zone,
  };
  const settle = <K extends OperationKind>(operation: Operation<K>, ...end: [Outcome, Transaction]) =>
    settleOf[operation.kind](operation, ...end);

  /** After it: a service is judged again by its VMs, for one of them, or the service itself, was at work until now. */
  const told: Readonly<Record<OperatedKind, (ended: Operation) => Promise<void>>> = {
    service: async ({ kind, resource: { id } }) => {
      if (!takesAway(kind)) await health.refresh([id]);
    },
    vm: async ({ resource: { id } }) => {
      const vm = await vms.model.findById(id, { service: 1 }).lean<Pick<Vm, 'service'>>().exec();
      if (vm?.service) await health.refresh([vm.service.id]);
    },
    host: async (ended) => {
      const vms = isFailover(ended) ? Object.keys(ended.failed_over ?? {}).map(Number) : [];
      if (vms.length > 0) await health.refresh(await failovers.servicesOf(vms));
    },
    image: async () => {},
    app: async () => {},
    zone: async () => {},
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
      if (operation && !isOpen(operation)) await told[operation.resource.type](operation);
    },
  };

  async function endOpen(
    operation: Operation,
    claimed: Outcome,
    transaction: Transaction,
    last?: Finish,
  ): Promise<Operation | null> {
    if (!isOpen(operation)) return operation;
    const settlement: Settlement | null =
      last && isScaling(operation)
        ? await scalingEnds.finish(operation, last, transaction)
        : await settle(operation, claimed, transaction);
    if (!settlement) return operation;
    return operations.end(operation._id, settlement.outcome, transaction, settlement.releasing);
  }

  async function afterwards(ended: Operation | null): Promise<void> {
    if (!ended || isOpen(ended)) return;
    if (ended.releasing) await releases.finish(ended._id);
    await told[ended.resource.type](ended);
  }
}
export type Endings = ReturnType<typeof createEndings>;
