import type { PolicyWish } from '../../domain/scaling/scaling-plan.js';
import type { DecidedBy } from '../../schemas/operations/inputs.js';
import type { PerformAction } from '../../schemas/scaling/actions.js';
import type { Transaction } from '../mongo/transaction.js';

/**
 * What is asked for when a policy has decided. `key`: of it one operation comes at most. `claim`: in the transaction that admits
 * it, whether it still may, and what is written with it.
 */
type ByPolicy = {
  service: number;
  role: string;
  key: string;
  claim: (operation: string, transaction: Transaction) => Promise<boolean>;
};

/** `rest`: seconds of cooldown after it. */
export type PolicyScaling = ByPolicy & { cardinality: number; policy: PolicyWish & { rest?: number } };

/** Something that is done to every VM of the role. */
export type PolicyPerforming = ByPolicy & { wish: PerformAction; by: DecidedBy };
