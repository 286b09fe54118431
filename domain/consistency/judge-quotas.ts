import { isSameAmounts, type QuotaBalance } from '../identity/quotas.js';
import { type Flaw, flaw } from './evidence.js';

/** Users and groups that are said to use something else than they are charged. */
export const judgeQuotas = (balances: readonly QuotaBalance[]): Flaw[] =>
  balances.filter(({ used, sum }) => !isSameAmounts(used, sum)).map((seen) => flaw('quota_drift', seen));
