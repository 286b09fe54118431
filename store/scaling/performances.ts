import { openStates } from '../../domain/operation-states.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Performed } from '../../schemas/operations/vm-action.js';
import { ownershipFields } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';
import type { OperationStore } from '../operations/operations.js';
import type { ServiceStore } from '../services/services.js';

/** Actions on VMs of a service: they have neither it nor a role of it, and what they have come to stands in the operation. */
export const createPerformances = ({
  services,
  operations,
}: {
  services: ServiceStore;
  operations: OperationStore;
}) => ({
  /**
   * Admission of one, in its transaction: the service is not being removed. It is written to, so that whoever gives it away, or
   * is about to remove it, sees this operation. Returns whose it is; null: it is, or is gone.
   */
  admit: (id: number, transaction: Transaction): Promise<Ownership | null> =>
    services.model
      .findOneAndUpdate(
        { _id: id, wanted: null, state: { $ne: 'DONE' } },
        { $inc: { health: 1 } },
        { ...within(transaction), projection: ownershipFields },
      )
      .lean<Ownership>()
      .exec(),

  /** What has come of it at some VMs; what was said first of one stands. */
  async note(op: string, said: ReadonlyMap<number, Performed>): Promise<void> {
    if (said.size === 0) return;
    const fields = [...said].map(
      ([vm, performed]) => [`performed.${vm}`, { $ifNull: [`$performed.${vm}`, { $literal: performed }] }] as const,
    );
    await operations.model.updateOne({ _id: op }, [{ $set: Object.fromEntries(fields) }], { updatePipeline: true });
  },

  /** Those at work on a service. */
  openOn: (service: number) =>
    operations.model
      .find(
        { 'resource.type': 'service', 'resource.id': service, kind: 'performOnRole', state: { $in: openStates } },
        { workflow_id: 1 },
      )
      .lean<Pick<Operation, '_id' | 'workflow_id'>[]>()
      .exec(),
});
