import { brief, longest } from '../../domain/brief.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import type { Operation, Releasing } from '../../schemas/operations/operation.js';
import type { OperationKind, OperationOn } from '../../schemas/operations.js';
import type { Transaction } from '../mongo/transaction.js';
import type { Outcome } from './operations.js';

/** How it ended, and which VMs are to be let go of after that; null: none. */
export type Settlement = { outcome: Outcome; releasing: Releasing | null };

/** In the transaction that ends an operation: what becomes of its resource, and of the outcome by what is found there. */
export type Settle<K extends OperationKind> = (
  operation: Operation<K>,
  claimed: Outcome,
  transaction: Transaction,
) => Promise<Settlement>;
/** Of each kind of operation on a kind of thing: one that lacks its end does not compile. */
export type Settles<T extends OperatedKind> = { readonly [K in OperationOn<T>]: Settle<K> };

/** Of what an operation has nothing of. */
export const settleNothing = async (_operation: Operation, outcome: Outcome): Promise<Settlement> => ({
  outcome,
  releasing: null,
});

export const cancelled: Outcome = { state: 'cancelled', error: { code: 'cancelled', detail: 'cancelled' } };

export const reasonOf = (outcome: Outcome): string =>
  outcome.state === 'succeeded'
    ? 'its operation ended'
    : outcome.state === 'cancelled'
      ? 'cancelled'
      : brief(outcome.error.detail, longest.role);
