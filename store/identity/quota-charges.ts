import type { Model } from 'mongoose';
import { added, exceeded, holdersOf, negated, nothing, quotaProblem } from '../../domain/identity/quotas.js';
import type { Amounts, KeptLimits } from '../../schemas/identity/amounts.js';
import type { Counts, Quota, QuotaHolder, QuotaHolderType } from '../../schemas/identity/quota.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { keyOf, unset } from './quota-balances.js';

/** Whose an object is; the names are told in refusals, where they are known. */
export type ChargedOwner = { uid: number; gid: number; uname?: string; gname?: string };

export type DefaultLimits = { user: KeptLimits & Counts; group: KeptLimits };

/** What is charged to users and groups, and given back: always both, in the transaction that writes what it is for. */
export function createQuotaCharges(
  models: Readonly<Record<QuotaHolderType, Model<Quota>>>,
  defaultLimits: (transaction?: Transaction) => Promise<DefaultLimits>,
) {
  /** Adds to what a holder uses; returns the quota as it is then. */
  async function add({ type, id }: QuotaHolder, amounts: Amounts, transaction: Transaction): Promise<Quota> {
    const { on = {}, ...kinds } = amounts;
    const more = [
      ...Object.entries(kinds),
      ...Object.entries(on).map(([key, amount]) => [`on.${key}`, amount] as const),
    ];
    const after = await models[type]
      .findOneAndUpdate(
        { _id: id },
        {
          $inc: Object.fromEntries(more.map(([measure, amount]) => [`used.${measure}`, amount])),
          $setOnInsert: { limits: unset },
        },
        { upsert: true, returnDocument: 'after', ...within(transaction) },
      )
      .lean<Quota>()
      .orFail()
      .exec();
    // What is used no more is not kept: somebody may come to use every image that there ever is.
    const gone = Object.keys(on).filter((key) => after.used.on?.[key] === 0);
    if (gone.length > 0)
      await models[type].updateOne(
        { _id: id },
        { $unset: Object.fromEntries(gone.map((key) => [`used.on.${key}`, ''])) },
        within(transaction),
      );
    return after;
  }

  /** Adds to each, in this order, and throws at the first that may not have so much. */
  async function addChecked(
    holders: readonly QuotaHolder[],
    amounts: Amounts,
    { uname, gname }: Pick<ChargedOwner, 'uname' | 'gname'>,
    transaction: Transaction,
  ): Promise<void> {
    if (holders.length === 0) return;
    const byDefault = await defaultLimits(transaction);
    for (const holder of holders) {
      const after = await add(holder, amounts, transaction);
      const before = { limits: after.limits, used: added(after.used, negated(amounts)) };
      const found = exceeded(holder, before, byDefault[holder.type], amounts);
      if (found) throw quotaProblem(found, holder.type === 'user' ? uname : gname);
    }
  }

  return {
    /**
     * Charges the user and the group of an object, in the transaction that writes the object with this charge in it.
     * Throws `quota_exceeded`, upon which the transaction writes nothing.
     */
    charge: (owner: ChargedOwner, amounts: Amounts, transaction: Transaction): Promise<void> =>
      addChecked(holdersOf(owner), amounts, owner, transaction),

    /**
     * Gives a charge back, in the transaction that takes it out of its object. `owner`: as the object is in that very
     * transaction.
     */
    async giveBack(owner: ChargedOwner, amounts: Amounts, transaction: Transaction): Promise<void> {
      for (const holder of holdersOf(owner)) await add(holder, negated(amounts), transaction);
    },

    /** Moves charges that objects carry to whom they have been given; nobody is asked whether he may have so much. */
    async moveUnchecked(
      from: ChargedOwner,
      to: ChargedOwner,
      charge: Amounts,
      transaction: Transaction,
    ): Promise<void> {
      if (from.uid === to.uid && from.gid === to.gid) return;
      for (const holder of holdersOf(to)) await add(holder, charge, transaction);
      for (const holder of holdersOf(from)) await add(holder, negated(charge), transaction);
    },

    /**
     * For whoever gives an object to another user or group, in the transaction that does: the charge that the object
     * carries (none: nothing is to be moved) goes with it. Who stays the same, user or group, is neither charged nor
     * asked. Throws `quota_exceeded` where the new one may not have so much.
     */
    async moveCharge(
      from: ChargedOwner,
      to: ChargedOwner,
      charge: Amounts | undefined,
      transaction: Transaction,
    ): Promise<void> {
      if (!charge) return;
      const [before, after] = [holdersOf(from), holdersOf(to)];
      const without = (some: readonly QuotaHolder[], others: readonly QuotaHolder[]) =>
        some.filter((holder) => !others.some((other) => keyOf(other) === keyOf(holder)));
      await addChecked(without(after, before), charge, to, transaction);
      for (const holder of without(before, after)) await add(holder, negated(charge), transaction);
    },

    /** Throws `quota_exceeded` as a charge would now; nothing is charged. */
    async refuseBeyond(owner: ChargedOwner, amounts: Amounts): Promise<void> {
      const byDefault = await defaultLimits();
      for (const holder of holdersOf(owner)) {
        const quota = await models[holder.type].findById(holder.id).lean<Quota>().exec();
        const found = exceeded(holder, quota ?? { limits: unset, used: nothing }, byDefault[holder.type], amounts);
        if (found) throw quotaProblem(found, holder.type === 'user' ? owner.uname : owner.gname);
      }
    },
  };
}
