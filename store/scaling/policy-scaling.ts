import type { PolicyWish } from '../../domain/scaling/scaling-plan.js';
import type { Transaction } from '../mongo/transaction.js';

/**
 * What is asked for when a policy has decided. `rest`: seconds of cooldown after it. `key`: of it one operation comes at most.
 * `claim`: in the transaction that admits it, whether it still may, and what is written with it.
 */
export type PolicyScaling = {
  service: number;
  role: string;
  cardinality: number;
  policy: PolicyWish & { rest?: number };
  key: string;
  claim: (operation: string, transaction: Transaction) => Promise<boolean>;
};
