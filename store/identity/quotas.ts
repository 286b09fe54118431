import type { Connection } from 'mongoose';
import {
  amountIn,
  countLimit,
  holdersOf,
  isExempt,
  limitOn,
  limitsOf,
  nothing,
  quotaProblem,
} from '../../domain/identity/quotas.js';
import { openStates } from '../../domain/operation-states.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { recordOf } from '../../schemas/common/record-of.js';
import type { KeptLimits, Limits } from '../../schemas/identity/amounts.js';
import {
  type Counts,
  countedDefaults,
  type Quota,
  type QuotaHolder,
  type QuotaHolderType,
  quotaFields,
  unlimited,
} from '../../schemas/identity/quota.js';
import { type CountedKind, type ZoneCounted, zoneCounted } from '../../schemas/kinds.js';
import { type Index, modelOf } from '../mongo/model.js';
import { pageOf } from '../mongo/paging.js';
import { sessionOf, type Transaction, within, withTransaction } from '../mongo/transaction.js';
import { createTurns } from '../mongo/turns.js';
import { createQuotaBalances, keyOf, unset } from './quota-balances.js';
import { type ChargedOwner, createQuotaCharges, type DefaultLimits } from './quota-charges.js';

/** Which of what is counted is a user's. What zones share is the directory's, which counts it itself. */
const countedOf = (kind: ZoneCounted, uid: number): object =>
  kind === 'operations' ? { 'requester.id': uid, state: { $in: [...openStates] } } : { uid };

/** Of what carries a charge: from this what is used can be counted again. */
export const chargeIndex: Index = {
  fields: { uid: 1, gid: 1 },
  options: { name: 'by_charge', partialFilterExpression: { 'charge.vms': { $exists: true } } },
};

type SomeLimits = Partial<KeptLimits & Counts>;
type Defaults = { _id: QuotaHolderType; limits: SomeLimits };

const noLimits: Limits = limitsOf(() => unlimited);

/**
 * What users and groups may have, and what they use. A charge is kept in the object that it is for (a VM of its own, a
 * service) and in the quotas of that object's user and group, all written in one transaction: whoever ends in between
 * has written neither. What is used is therefore always the sum of the charges that the objects carry.
 */
export function createQuotaStore(connection: Connection) {
  const models = {
    user: modelOf<Quota>(connection, 'user_quotas', Number),
    group: modelOf<Quota>(connection, 'group_quotas', Number),
  };
  const takeTurns = createTurns();
  const defaults = modelOf<Defaults>(connection, 'quota_defaults', String);

  async function defaultLimits(transaction: Transaction | null = null): Promise<DefaultLimits> {
    const found = await defaults.find().session(sessionOf(transaction)).lean<Defaults[]>().exec();
    const of = (type: QuotaHolderType) => ({ ...noLimits, ...found.find(({ _id }) => _id === type)?.limits });
    return { user: { ...countedDefaults, ...of('user') }, group: of('group') };
  }

  /**
   * Within a transaction that makes one more of what is counted: how many the user may have; null: any number. It writes
   * the user's quota, so that of two that make one at the same time, one goes again and counts what the other has made.
   */
  async function claim(uid: number, kind: CountedKind, transaction: Transaction): Promise<number | null> {
    if (isExempt({ type: 'user', id: uid })) return null;
    const before = await models.user.findById(uid, { limits: 1 }).session(sessionOf(transaction)).lean<Quota>().exec();
    const limit = countLimit(kind, uid, before?.limits, (await defaultLimits(transaction)).user);
    if (limit === null) return null;
    await models.user.updateOne(
      { _id: uid },
      { $inc: { claims: 1 }, $setOnInsert: { limits: unset, used: nothing } },
      { upsert: true, ...within(transaction) },
    );
    return limit;
  }

  const countOf = (uid: number, kind: ZoneCounted, transaction?: Transaction, most?: number) =>
    connection.collection(kind).countDocuments(countedOf(kind, uid), {
      ...within(transaction),
      ...(most !== undefined && { limit: most }),
    });

  /** After one more was written, in the same transaction. Throws `quota_exceeded`, upon which nothing is. */
  async function demandRoom(
    { uid, uname }: Pick<ChargedOwner, 'uid' | 'uname'>,
    kind: ZoneCounted,
    transaction: Transaction,
  ): Promise<void> {
    const limit = await claim(uid, kind, transaction);
    if (limit === null || (await countOf(uid, kind, transaction, limit + 1)) <= limit) return;
    const has = (await countOf(uid, kind, transaction)) - 1;
    throw quotaProblem({ quota: kind, holder: { type: 'user', id: uid }, limit, used: has, asked: 1 }, uname);
  }

  return {
    models,
    defaultLimits,

    find: ({ type, id }: QuotaHolder) => models[type].findById(id).lean<Quota>().exec(),
    byIds: (type: QuotaHolderType, ids: readonly number[]) =>
      models[type]
        .find({ _id: { $in: [...ids] } })
        .sort({ _id: 1 })
        .lean<Quota[]>()
        .exec(),
    /** Those of everybody who has ever used anything or has limits of his own. `ids`: of these alone. */
    list: (type: QuotaHolderType, query: ListQuery, ids: readonly number[] | null) =>
      pageOf(models[type], ids === null ? {} : { _id: { $in: [...ids] } }, query, { ids: 'number', list: quotaFields }),

    /** Sets limits of one holder; returns the quota as it is then. */
    setLimits: ({ type, id }: QuotaHolder, limits: SomeLimits, transaction?: Transaction): Promise<Quota> =>
      models[type]
        .findOneAndUpdate(
          { _id: id },
          [
            {
              $set: {
                limits: { $mergeObjects: [unset, '$limits', limits] },
                used: { $ifNull: ['$used', nothing] },
              },
            },
          ],
          { upsert: true, returnDocument: 'after', updatePipeline: true, ...within(transaction) },
        )
        .lean<Quota>()
        .orFail()
        .exec(),
    async setDefaults(limits: Partial<Record<QuotaHolderType, SomeLimits>>, transaction?: Transaction): Promise<void> {
      for (const type of ['user', 'group'] as const)
        if (limits[type])
          await defaults.updateOne(
            { _id: type },
            [{ $set: { limits: { $mergeObjects: [noLimits, '$limits', limits[type]] } } }],
            { upsert: true, updatePipeline: true, ...within(transaction) },
          );
    },

    /** An edit of limits, as others are edited: by a transaction that begins by a write to what is edited. */
    edit: <R>({ type, id }: QuotaHolder, work: (present: Quota, transaction: Transaction) => Promise<R>): Promise<R> =>
      takeTurns([keyOf({ type, id })], () =>
        withTransaction(connection, async (transaction) => {
          const begun = { $inc: { edits: 1 }, $setOnInsert: { limits: unset, used: nothing } };
          const present = await models[type]
            .findOneAndUpdate({ _id: id }, begun, { upsert: true, returnDocument: 'after', ...within(transaction) })
            .lean<Quota>()
            .orFail()
            .exec();
          return work(present, transaction);
        }),
      ),
    /** The same of the default limits, which are edited together. */
    editDefaults: <R>(work: (present: DefaultLimits, transaction: Transaction) => Promise<R>): Promise<R> =>
      takeTurns(['defaults'], () =>
        withTransaction(connection, async (transaction) => {
          for (const _id of ['user', 'group'] as const)
            await defaults.updateOne(
              { _id },
              { $inc: { edits: 1 }, $setOnInsert: { limits: noLimits } },
              { upsert: true, ...within(transaction) },
            );
          return work(await defaultLimits(transaction), transaction);
        }),
      ),

    /** Runs a transaction that charges these owners after those that do so already: they write the same documents. */
    inTurn: <T>(owners: readonly Pick<ChargedOwner, 'uid' | 'gid'>[], transaction: () => Promise<T>): Promise<T> =>
      takeTurns([...new Set(owners.flatMap(holdersOf).map(keyOf))], transaction),

    claim,
    demandRoom,

    /**
     * How much more of what is measured so an owner and his group may use; null: any amount. Whoever uses it is charged all the
     * same.
     */
    async left(owner: ChargedOwner, measure: string): Promise<number | null> {
      const byDefault = await defaultLimits();
      const left = await Promise.all(
        holdersOf(owner).map(async ({ type, id }) => {
          const found = await models[type].findById(id).lean<Quota>().exec();
          const limit = limitOn(measure, found?.limits ?? unset, byDefault[type]);
          return limit === null ? null : Math.max(0, limit - (found ? amountIn(found.used, measure) : 0));
        }),
      );
      const bounds = left.filter((bound) => bound !== null);
      return bounds.length === 0 ? null : Math.min(...bounds);
    },

    /** How many users have of what this zone counts. */
    async counts(uids: readonly number[]): Promise<Map<number, Record<ZoneCounted, number>>> {
      const found = await Promise.all(
        uids.map(async (uid): Promise<[number, Record<ZoneCounted, number>]> => {
          const counts = new Map(
            await Promise.all(zoneCounted.map(async (kind) => [kind, await countOf(uid, kind)] as const)),
          );
          return [uid, recordOf(zoneCounted, (kind) => counts.get(kind) ?? 0)];
        }),
      );
      return new Map(found);
    },

    /** Makes something that is counted, if its owner may have one more. */
    makeCounted: <T>(
      owner: Pick<ChargedOwner, 'uid' | 'uname'>,
      kind: ZoneCounted,
      make: (transaction: Transaction) => Promise<T>,
    ): Promise<T> =>
      takeTurns([keyOf({ type: 'user', id: owner.uid })], () =>
        withTransaction(connection, async (transaction) => {
          const made = await make(transaction);
          await demandRoom(owner, kind, transaction);
          return made;
        }),
      ),

    /** Of a user or group that is removed, and has nothing any more. */
    forget: ({ type, id }: QuotaHolder, transaction: Transaction) =>
      models[type].deleteOne({ _id: id }, within(transaction)),

    ...createQuotaCharges(models, defaultLimits),
    ...createQuotaBalances(connection, models),
  };
}
export type QuotaStore = ReturnType<typeof createQuotaStore>;
