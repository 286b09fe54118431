import type { Connection } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { Caller } from '../../domain/identity/caller.js';
import { defaultPermissions } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import {
  type MarketCapacity,
  type Marketplace,
  marketplaceFields,
  publicMarketplace,
} from '../../schemas/market/marketplace.js';
import { modelOf } from '../mongo/model.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from '../mongo/paging.js';
import { orTaken } from '../mongo/taken.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';

/** What a look at a marketplace came to. */
export type MarketLook = { id: number } & ({ capacity: MarketCapacity | null } | { error: string });

export function createMarketplaceStore(connection: Connection) {
  const marketplaces = modelOf<Marketplace>(connection, 'marketplaces', Number, [
    { fields: { name: 1 }, options: { unique: true } },
    ...pageIndexes(),
    ...sortIndexes(marketplaceFields),
  ]);
  return {
    model: marketplaces,
    find: (id: number, transaction?: Transaction) =>
      marketplaces.findById(id).session(sessionOf(transaction)).lean<Marketplace>().exec(),
    byIds: (ids: readonly number[]) =>
      marketplaces
        .find({ _id: { $in: [...ids] } })
        .lean<Marketplace[]>()
        .exec(),
    list: (caller: Caller, query: ListQuery) =>
      pageOf(marketplaces, visibleTo(caller, 'market'), query, { ids: 'number', list: marketplaceFields }),
    /** Throws Taken where there is one of this name. */
    insert: (marketplace: Marketplace, transaction: Transaction) =>
      orTaken(() => marketplaces.create([marketplace], within(transaction))),
    /** The same. */
    change: (
      id: number,
      change: Partial<Pick<Marketplace, 'name' | 'description' | 'state' | 'http' | 's3' | 'one'>>,
      transaction: Transaction,
    ) =>
      orTaken(() =>
        marketplaces
          .findOneAndUpdate({ _id: id }, { $set: change }, { returnDocument: 'after', ...within(transaction) })
          .lean<Marketplace>()
          .exec(),
      ),
    remove: (id: number, transaction: Transaction) => marketplaces.deleteOne({ _id: id }, within(transaction)),

    /** Those of which something is asked, those first at which nobody has looked for longest. */
    toMonitor: (most: number) =>
      marketplaces.find({ state: 'READY' }).sort({ monitored_at: 1, _id: 1 }).limit(most).lean<Marketplace[]>().exec(),
    /** What looks came to, in one write. One that was not answered leaves what an earlier look has found. */
    async looked(looks: readonly MarketLook[], at: Date): Promise<void> {
      if (looks.length === 0) return;
      await marketplaces.bulkWrite(
        looks.map((look) => ({
          updateOne: {
            filter: { _id: look.id },
            update: {
              $set: {
                ...('error' in look
                  ? { error: brief(look.error, longest.vm) }
                  : { error: null, capacity: look.capacity }),
                monitored_at: at,
              },
            },
          },
        })),
        { ordered: false },
      );
    },

    /** Makes the one that is always there. It belongs to the administrator; everybody may use it. */
    ensurePublic: () => {
      const { _id, ...named } = publicMarketplace;
      return marketplaces.updateOne(
        { _id },
        {
          $setOnInsert: {
            ...{ ...named, description: '', market_mad: 'one', state: 'DISABLED', one: { endpoint: null } },
            ...{ uid: 0, gid: 0, capacity: null, error: null, monitored_at: null, created_at: new Date() },
            permissions: {
              ...{ ...defaultPermissions, group: { use: true, manage: false, admin: false } },
              other: { use: true, manage: false, admin: false },
            },
          },
        },
        { upsert: true },
      );
    },
  };
}
export type MarketplaceStore = ReturnType<typeof createMarketplaceStore>;
