import type { Connection, Model } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { Caller } from '../../domain/identity/caller.js';
import { appStatesBefore } from '../../domain/market/app-states.js';
import type { CataloguePlan, KnownApp } from '../../domain/market/catalogue-plan.js';
import { defaultPermissions, type Ownership, type Page } from '../../schemas/common/common.js';
import { limits } from '../../schemas/common/limits.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { type App, type AppPart, appFields } from '../../schemas/market/app.js';
import { modelOf, ownershipFields } from '../mongo/model.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from '../mongo/paging.js';
import { orTaken } from '../mongo/taken.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';

/** A try of a step, by the operation and the epoch under which it has the app. */
type By = { op: string; epoch: number };

type AppChange = Partial<
  Pick<App, 'name' | 'description' | 'version' | 'publisher' | 'tags' | 'parts' | 'vm_template' | 'state'>
>;

export interface AppStore {
  readonly model: Model<App>;
  find(id: number, transaction?: Transaction): Promise<App | null>;
  list(caller: Caller, query: ListQuery): Promise<Page<App>>;
  /** Throws Taken where its owner has published one of this name. */
  insert(app: App, transaction: Transaction): Promise<unknown>;
  /** The same. */
  change(id: number, change: AppChange, transaction: Transaction): Promise<App | null>;
  /** Ids of some that are in a marketplace, and how many there are. */
  inMarket(market: number, most: number, transaction: Transaction): Promise<{ count: number; first: number[] }>;
  /** Those of a catalogue, as they are known. */
  ofCatalogue(market: number): Promise<KnownApp[]>;
  /** Does what a look at a catalogue came to. `ids`: one for each that is new. */
  follow(market: number, plan: CataloguePlan, ids: readonly number[]): Promise<void>;
  /** Of a catalogue that is removed: how many of its apps something is made of; where that is none, all are gone. */
  forgetCatalogue(market: number, transaction: Transaction): Promise<number>;
  /** How many apps of a user are being published. */
  beingPublished(uid: number, transaction: Transaction): Promise<number>;

  /** How operations get apps, each in the transaction that admits one. Returns whose the app is; null: the guard did not match. */
  admitAgain(id: number, op: string, transaction: Transaction): Promise<Ownership | null>;
  /** Of a deletion: what publishes it gives way, and exports keep it. */
  admitDeletion(id: number, op: string, transaction: Transaction): Promise<Ownership | null>;
  /** Something is made of it from now on, which keeps it. false: that may not be. */
  beginExport(id: number, op: string, transaction: Transaction): Promise<boolean>;
  /** That is over; said again it is so already. */
  endExport(id: number, op: string, transaction: Transaction): Promise<unknown>;

  /** The app, for a try of a step of the operation that has it. null: it has it no more. */
  claim(id: number, op: string): Promise<App | null>;
  /** Whether this try still has it, and nobody wants it. */
  isHis(id: number, by: By): Promise<boolean>;
  /** The app, for the deletion that wants it; whoever had it has nothing of it any more. null: it is not there. */
  takeOver(id: number, op: string): Promise<App | null>;
  /** The bytes of a part are there, by its place. false: the try has been overtaken. */
  published(id: number, by: By, part: number, found: Pick<AppPart, 'bytes' | 'md5' | 'sha256'>): Promise<boolean>;
  /** All of them are. The same. */
  ready(id: number, by: By): Promise<boolean>;
  /** Nothing of it is left in its marketplace. */
  emptied(id: number, by: By): Promise<unknown>;
  /** It stays, in this state if any; nothing is at work on it any more. */
  letGo(
    id: number,
    op: string,
    left: { state?: App['state']; reason: string | null },
    transaction: Transaction,
  ): Promise<unknown>;
  /** It is not wanted any more. */
  unwant(id: number, op: string, transaction: Transaction): Promise<unknown>;
  remove(id: number, transaction: Transaction): Promise<unknown>;
}

/** What all apps of catalogues are at first: the administrator's, for everybody to use. */
const ofOthers = {
  ...{ uid: 0, gid: 0, type: 'IMAGE', state: 'READY', reason: null, origin_id: -1 },
  permissions: {
    ...{ ...defaultPermissions, group: { use: true, manage: false, admin: false } },
    other: { use: true, manage: false, admin: false },
  },
  ...{ exports: [], operation: null, wanted: null, epoch: 0 },
} as const;

export function createAppStore(connection: Connection): AppStore {
  const apps = modelOf<App>(connection, 'marketplace_apps', Number, [
    // Of those that we publish: a catalogue of others may call two alike.
    {
      fields: { uid: 1, name: 1 },
      options: { unique: true, partialFilterExpression: { origin_id: { $gte: 0 } } },
    },
    {
      fields: { market_id: 1, upstream: 1 },
      options: { unique: true, partialFilterExpression: { upstream: { $gt: '' } } },
    },
    { fields: { market_id: 1, _id: 1 } },
    ...pageIndexes(),
    ...sortIndexes(appFields),
  ]);
  const take = (filter: object, update: object): Promise<App | null> =>
    apps.findOneAndUpdate(filter, update, { returnDocument: 'after' }).lean<App>().exec();
  const admit = (filter: object, update: object, transaction: Transaction): Promise<Ownership | null> =>
    apps
      .findOneAndUpdate(filter, update, { ...within(transaction), projection: ownershipFields })
      .lean<Ownership>()
      .exec();
  const atWork = (id: number, { op, epoch }: By) => ({ _id: id, operation: op, epoch });

  return {
    model: apps,
    find: (id, transaction) => apps.findById(id).session(sessionOf(transaction)).lean<App>().exec(),
    list: (caller, query) => pageOf(apps, visibleTo(caller, 'app'), query, { ids: 'number', list: appFields }),
    insert: (app, transaction) => orTaken(() => apps.create([app], within(transaction))),
    change: (id, change, transaction) =>
      orTaken(() =>
        apps
          .findOneAndUpdate({ _id: id }, { $set: change }, { returnDocument: 'after', ...within(transaction) })
          .lean<App>()
          .exec(),
      ),
    async inMarket(market, most, transaction) {
      const first = await apps
        .find({ market_id: market }, { _id: 1 }, within(transaction))
        .sort({ _id: 1 })
        .limit(most)
        .lean<Pick<App, '_id'>[]>()
        .exec();
      return {
        count: await apps.countDocuments({ market_id: market }, within(transaction)),
        first: first.map(({ _id }) => _id),
      };
    },
    ofCatalogue: (market) =>
      apps
        .find({ market_id: market, upstream: { $gt: '' } })
        .lean<KnownApp[]>()
        .exec(),
    async follow(market, { insert, change, remove }, ids) {
      const writes = [
        ...insert.map(({ upstream, created_at, told }, at) => ({
          updateOne: {
            filter: { market_id: market, upstream },
            update: { $set: told, $setOnInsert: { _id: ids[at], ...ofOthers, created_at: created_at ?? new Date() } },
            upsert: true,
          },
        })),
        ...change.map(({ id, told }) => ({ updateOne: { filter: { _id: id }, update: { $set: told } } })),
        ...remove.map((id) => ({ deleteOne: { filter: { _id: id, exports: [] } } })),
      ];
      if (writes.length > 0) await apps.bulkWrite(writes, { ordered: false });
    },
    async forgetCatalogue(market, transaction) {
      const used = await apps.countDocuments(
        { market_id: market, 'exports.0': { $exists: true } },
        within(transaction),
      );
      if (used === 0) await apps.deleteMany({ market_id: market }, within(transaction));
      return used;
    },
    beingPublished: (uid, transaction) =>
      apps.countDocuments({ uid, state: 'LOCKED', operation: { $ne: null } }, within(transaction)),

    admitAgain: (id, op, transaction) =>
      admit(
        { _id: id, operation: null, wanted: null, upstream: null, state: { $in: appStatesBefore('publish') } },
        { $set: { operation: op, state: 'LOCKED', reason: null } },
        transaction,
      ),
    admitDeletion: (id, op, transaction) =>
      admit(
        { _id: id, wanted: null, exports: [], upstream: null, state: { $in: appStatesBefore('remove') } },
        { $set: { wanted: op } },
        transaction,
      ),
    async beginExport(id, op, transaction) {
      const { modifiedCount } = await apps.updateOne(
        {
          ...{ _id: id, operation: null, wanted: null, state: { $in: appStatesBefore('export') } },
          [`exports.${limits.appExports.most - 1}`]: { $exists: false },
        },
        { $addToSet: { exports: op } },
        within(transaction),
      );
      return modifiedCount > 0;
    },
    endExport: (id, op, transaction) => apps.updateOne({ _id: id }, { $pull: { exports: op } }, within(transaction)),

    claim: (id, op) => take({ _id: id, operation: op }, { $inc: { epoch: 1 } }),
    isHis: async (id, by) => (await apps.exists({ ...atWork(id, by), wanted: null }).exec()) !== null,
    takeOver: (id, op) =>
      take(
        { _id: id, $or: [{ wanted: op }, { operation: op }] },
        { $set: { operation: op, wanted: null, state: 'LOCKED', reason: null }, $inc: { epoch: 1 } },
      ),
    async published(id, by, part, { bytes, md5, sha256 }) {
      const at = `parts.${part}`;
      const { matchedCount } = await apps.updateOne(
        { ...atWork(id, by), state: 'LOCKED' },
        { $set: { [`${at}.bytes`]: bytes, [`${at}.md5`]: md5, [`${at}.sha256`]: sha256 } },
      );
      return matchedCount > 0;
    },
    async ready(id, by) {
      const { matchedCount } = await apps.updateOne(
        { ...atWork(id, by), state: 'LOCKED', 'parts.bytes': { $ne: null } },
        { $set: { state: 'READY', reason: null } },
      );
      return matchedCount > 0;
    },
    emptied: (id, by) =>
      apps
        .updateOne(atWork(id, by), {
          $set: { emptied: by.op, 'parts.$[].bytes': null, 'parts.$[].md5': null, 'parts.$[].sha256': null },
        })
        .exec(),
    letGo: (id, op, { state, reason }, transaction) =>
      apps
        .updateOne(
          { _id: id, operation: op },
          { $set: { operation: null, ...(state && { state, reason: reason && brief(reason, longest.vm) }) } },
          within(transaction),
        )
        .exec(),
    unwant: (id, op, transaction) =>
      apps.updateOne({ _id: id, wanted: op }, { $set: { wanted: null } }, within(transaction)).exec(),
    remove: (id, transaction) => apps.deleteOne({ _id: id }, within(transaction)),
  };
}
