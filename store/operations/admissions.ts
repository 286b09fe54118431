import type { Connection, Model } from 'mongoose';
import { isSameOwnership } from '../../domain/identity/ownership.js';
import { Problem } from '../../domain/problems.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Operation } from '../../schemas/operations/operation.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';

/** How operations come to be, each once for its Idempotency-Key. */
export function createAdmissions(connection: Connection, operations: Model<Operation>) {
  /** The operation that was admitted under the same Idempotency-Key, if it asked for the same. */
  async function repeated({
    requester,
    idempotency_key,
    fingerprint,
  }: Pick<Operation, 'requester' | 'idempotency_key' | 'fingerprint'>) {
    if (idempotency_key === null) return undefined;
    const earlier = await operations
      .findOne({ 'requester.id': requester.id, idempotency_key })
      .lean<Operation>()
      .exec();
    if (!earlier) return undefined;
    if (earlier.fingerprint !== fingerprint)
      throw new Problem(
        'idempotency_key_reused',
        `The key "${idempotency_key}" was used for another request (operation ${earlier._id}). Use a new key for a new request.`,
      );
    return (await isKept(earlier)) ? earlier : undefined;
  }

  /**
   * Whether it is there for good. Who asks again may find what the first request has written and was never told of: a MongoDB
   * that commits nothing, or that is about to be outvoted, shows it all the same, and forgets it. A write that changes
   * nothing is answered once all before it is committed.
   */
  async function isKept({ _id, idempotency_key }: Pick<Operation, '_id' | 'idempotency_key'>): Promise<boolean> {
    const durably = { writeConcern: { w: 'majority' } } as const;
    return (await operations.updateOne({ _id }, { $set: { idempotency_key } }, durably)).matchedCount > 0;
  }

  /** The operation document and a guarded claim on its resource, in a transaction; null: the guard did not match. */
  async function admitIn(
    operation: Operation,
    claim: (transaction: Transaction) => Promise<Ownership | null>,
    transaction: Transaction,
  ): Promise<Operation | null> {
    // First, so that a request that comes twice at once is found by its key.
    await operations.create([operation], within(transaction));
    const owned = await claim(transaction);
    if (!owned) return null;
    if (isSameOwnership(owned, operation)) return operation;
    // Whoever admits has read it before others gave it away.
    const { uid, gid, permissions } = owned;
    const owner = { uid, gid, permissions };
    await operations.updateOne({ _id: operation._id }, { $set: owner }, within(transaction));
    return { ...operation, ...owner };
  }

  return {
    admitIn,

    /**
     * Admission: in one transaction, the operation document and a guarded claim on its resource. `claim` returns whose the
     * resource is then, or null when its guard did not match; then nothing is written, and `refusal` says why. An
     * Idempotency-Key seen before gives the operation of then.
     */
    async admit(
      operation: Operation,
      claim: (transaction: Transaction) => Promise<Ownership | null>,
      refusal: () => Promise<Problem>,
    ): Promise<{ operation: Operation; repeated: boolean }> {
      const earlier = await repeated(operation);
      if (earlier) return { operation: earlier, repeated: true };
      try {
        return await withTransaction(connection, async (transaction) => {
          const admitted = await admitIn(operation, claim, transaction);
          if (!admitted) throw new GuardLost();
          return { operation: admitted, repeated: false };
        });
      } catch (error) {
        if (error instanceof GuardLost) throw await refusal();
        const winner = isDuplicateKey(error) ? await repeated(operation) : undefined;
        if (winner) return { operation: winner, repeated: true };
        throw error;
      }
    },

    /** Whether an operation was admitted under this Idempotency-Key, whatever it asked for. */
    hasKey: async (requester: number, idempotency_key: string): Promise<boolean> =>
      (await operations.exists({ 'requester.id': requester, idempotency_key }).exec()) !== null,

    repeated,
  };
}
export type Admissions = ReturnType<typeof createAdmissions>;

class GuardLost extends Error {}
