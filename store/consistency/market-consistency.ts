import type { Connection } from 'mongoose';
import type { Evidence } from '../../domain/consistency/evidence.js';
import type { SeenApp } from '../../domain/consistency/judge-markets.js';
import { openStates } from '../../domain/operation-states.js';
import type { Marketplace } from '../../schemas/market/marketplace.js';
import type { AppStore } from '../market/apps.js';
import type { MarketplaceStore } from '../market/marketplaces.js';
import { sessionOf, within, withTransaction } from '../mongo/transaction.js';
import type { OperationStore } from '../operations/operations.js';
import type { ImageStore } from '../storage/images.js';

const ofApp = 'market_id state epoch operation wanted exports parts.key parts.bytes';

/** What a check of consistency reads of marketplaces and their apps, and changes of these. */
export function createMarketConsistency(
  connection: Connection,
  { apps, marketplaces, images, operations }: MarketStores,
) {
  const some = (filter: object, limit = 0) =>
    apps.model.find(filter, ofApp).sort({ _id: 1 }).limit(limit).lean<SeenApp[]>().exec();

  return {
    /** In order of ids, after one. */
    page: ({ after, limit }: { after: number | null; limit: number }) =>
      marketplaces.model
        .find(after === null ? {} : { _id: { $gt: after } }, 'name market_mad state')
        .sort({ _id: 1 })
        .limit(limit)
        .lean<AskedMarket[]>()
        .exec(),
    byIds: (ids: readonly number[]) => some({ _id: { $in: [...ids] } }),
    /** Those that are in a marketplace, in order of ids, after one. */
    inMarket: (market: number, { after, limit }: { after: number; limit: number }) =>
      some({ market_id: market, _id: { $gt: after } }, limit),

    // Repairs: each is one guarded change that filters on what was seen, and false where that is not there any more.

    async abandon({ app, market, ...seen }: Evidence['app_abandoned']): Promise<boolean> {
      const reason = `no operation was at work on it while it was ${seen.state}: found by a check of consistency`;
      const { modifiedCount } = await apps.model.updateOne(
        { _id: app, market_id: market, ...seen },
        { $set: { state: 'ERROR', reason, operation: null, wanted: null } },
      );
      return modifiedCount > 0;
    },

    async clearName({ app, op }: Evidence['app_operation_stale'], field: 'operation' | 'wanted'): Promise<boolean> {
      const { modifiedCount } = await apps.model.updateOne({ _id: app, [field]: op }, { $set: { [field]: null } });
      return modifiedCount > 0;
    },

    /** An export that has ended never goes on. */
    async forgetExport({ app, op }: Evidence['app_export_stale']): Promise<boolean> {
      const { modifiedCount } = await apps.model.updateOne({ _id: app, exports: op }, { $pull: { exports: op } });
      return modifiedCount > 0;
    },

    /** The app is written, too: of who begins to publish it again meanwhile, and this, one comes after the other. */
    forgetApp: ({ image, app, operation }: Evidence['image_app_stale']): Promise<boolean> =>
      withTransaction(connection, async (transaction) => {
        const found = await apps.find(app, transaction);
        if ((found?.operation ?? null) !== operation) return false;
        if (operation !== null) {
          const atWork = operations.model.exists({ _id: operation, state: { $in: openStates } });
          if (await atWork.session(sessionOf(transaction)).exec()) return false;
        }
        await apps.model.updateOne({ _id: app }, { $inc: { epoch: 1 } }, within(transaction));
        return (await images.endPublishing(image, app, transaction)).modifiedCount > 0;
      }),
  };
}
type MarketStores = { apps: AppStore; marketplaces: MarketplaceStore; images: ImageStore; operations: OperationStore };
type AskedMarket = Pick<Marketplace, '_id' | 'name' | 'market_mad' | 'state'>;
