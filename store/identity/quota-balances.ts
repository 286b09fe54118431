import type { Connection, Model } from 'mongoose';
import { added, holdersOf, isSameAmounts, limitsOf, nothing, type QuotaBalance } from '../../domain/identity/quotas.js';
import { type Amounts, quotaKinds } from '../../schemas/identity/amounts.js';
import { asDefault, type Quota, type QuotaHolder, type QuotaHolderType } from '../../schemas/identity/quota.js';
import { chargedKinds, kinds } from '../../schemas/kinds.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { atOneMoment, sessionOf, type Transaction, within } from '../mongo/transaction.js';

type Owned = { uid: number; gid: number };

export const unset: Quota['limits'] = limitsOf(() => asDefault);

/** Whether what holders are said to use is the sum of the charges that objects carry; and how it is made so again. */
export function createQuotaBalances(connection: Connection, models: Readonly<Record<QuotaHolderType, Model<Quota>>>) {
  /** What the charges of objects add up to, by holder; of one alone, if it is named. */
  async function sums(transaction: Transaction, only?: QuotaHolder): Promise<Map<string, QuotaBalance>> {
    const found = new Map<string, QuotaBalance>();
    const owner = only && { [only.type === 'user' ? 'uid' : 'gid']: only.id };
    for (const kind of chargedKinds) {
      const rows = connection.collection(kinds[kind].collection).aggregate<{ _id: Owned } & Amounts>(
        [
          { $match: { 'charge.vms': { $exists: true }, ...owner } },
          {
            $group: {
              _id: { uid: '$uid', gid: '$gid' },
              ...amountsFrom((kind) => ({ $sum: `$charge.${kind}` })),
            },
          },
        ],
        within(transaction),
      );
      const single = connection
        .collection(kinds[kind].collection)
        .aggregate<{ _id: Owned & { key: string }; amount: number }>(
          [
            { $match: { 'charge.vms': { $exists: true }, 'charge.on': { $exists: true }, ...owner } },
            { $project: { uid: 1, gid: 1, on: { $objectToArray: '$charge.on' } } },
            { $unwind: '$on' },
            { $group: { _id: { uid: '$uid', gid: '$gid', key: '$on.k' }, amount: { $sum: '$on.v' } } },
            // Groups come in any order, and a flaw is what two looks see alike.
            { $sort: { _id: 1 } },
          ],
          within(transaction),
        );
      for await (const { _id, ...sum } of rows) put(_id, sum);
      const on = new Map<string, { owned: Owned; on: Record<string, number> }>();
      for await (const { _id, amount } of single) {
        const { uid, gid, key } = _id;
        const its = on.get(`${uid}/${gid}`) ?? { owned: { uid, gid }, on: {} };
        its.on[key] = amount;
        on.set(`${uid}/${gid}`, its);
      }
      for (const { owned, on: its } of on.values()) put(owned, { ...nothing, on: its });
    }
    return found;

    function put(owned: Owned, sum: Amounts): void {
      for (const holder of holdersOf(owned)) {
        if (only && keyOf(only) !== keyOf(holder)) continue;
        const known = found.get(keyOf(holder)) ?? { holder, used: nothing, sum: nothing };
        found.set(keyOf(holder), { ...known, sum: added(known.sum, sum) });
      }
    }
  }

  return {
    /** What each holder is said to use, and what the charges add up to. Both are seen at one moment. */
    balances: (): Promise<QuotaBalance[]> =>
      atOneMoment(connection, async (transaction) => {
        const found = await sums(transaction);
        for (const type of ['user', 'group'] as const)
          for await (const { _id: id, used } of models[type]
            .find()
            .session(sessionOf(transaction))
            .lean<Quota[]>()
            .cursor()) {
            const holder = { type, id };
            found.set(keyOf(holder), { ...(found.get(keyOf(holder)) ?? { holder, sum: nothing }), used });
          }
        return [...found.values()];
      }),

    /**
     * Sets what a holder uses to the sum of the charges, if both still are as they were seen. Whatever changes a charge
     * changes what is used by as much: where that is as it was, so is the sum.
     */
    async recount({ holder, ...seen }: QuotaBalance): Promise<boolean> {
      const model = models[holder.type];
      const { used, sum } = await atOneMoment(connection, async (transaction) => {
        const present = await model.findById(holder.id).session(sessionOf(transaction)).lean<Quota>().exec();
        return { used: present?.used, sum: (await sums(transaction, holder)).get(keyOf(holder))?.sum ?? nothing };
      });
      if (!isSameAmounts(used ?? nothing, seen.used) || !isSameAmounts(sum, seen.sum)) return false;
      const isAsSeen = used
        ? {
            ...Object.fromEntries(quotaKinds.map((kind) => [`used.${kind}`, used[kind] ?? null])),
            'used.on': used.on ?? null,
          }
        : { used: { $exists: false } };
      try {
        const { matchedCount, upsertedCount } = await model.updateOne(
          { _id: holder.id, ...isAsSeen },
          { $set: { used: sum }, $setOnInsert: { limits: unset } },
          { upsert: used === undefined },
        );
        return matchedCount + upsertedCount > 0;
      } catch (error) {
        // Somebody has begun to use something.
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
  };
}

export const keyOf = ({ type, id }: QuotaHolder): string => `${type}/${id}`;

const amountsFrom = <T>(of: (kind: (typeof quotaKinds)[number]) => T): Record<string, T> =>
  Object.fromEntries(quotaKinds.map((kind) => [kind, of(kind)]));
