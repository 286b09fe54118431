import type { Connection } from 'mongoose';
import type { ListQuery } from '../../schemas/common/list.js';
import { type Token, tokenFields } from '../../schemas/identity/token.js';
import { modelOf } from '../mongo/model.js';
import { pageOf } from '../mongo/paging.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';

/** Seconds for which a token that has expired is still listed: whoever wonders finds it. */
const remembered = 30 * 86_400;

/** The tokens of the directory. */
export function createTokenStore(connection: Connection) {
  const tokens = modelOf<Token>(connection, 'tokens', Number, [
    { fields: { hash: 1 }, options: { unique: true } },
    { fields: { uid: 1, _id: 1 } },
    { fields: { expires_at: 1 }, options: { name: 'forgotten', expireAfterSeconds: remembered } },
  ]);
  return {
    model: tokens,
    byHash: (hash: string, transaction: Transaction): Promise<Token | null> =>
      tokens.findOne({ hash }).session(sessionOf(transaction)).lean<Token>().exec(),
    find: (uid: number, id: number): Promise<Token | null> => tokens.findOne({ _id: id, uid }).lean<Token>().exec(),
    list: (uid: number, query: ListQuery) => pageOf(tokens, { uid }, query, { ids: 'number', list: tokenFields }),
    count: (uid: number, transaction?: Transaction): Promise<number> =>
      tokens.countDocuments(
        { uid, $or: [{ expires_at: null }, { expires_at: { $gt: new Date() } }] },
        within(transaction),
      ),
    insert: (token: Token, transaction: Transaction) => tokens.create([token], within(transaction)),
    async remove(uid: number, id: number, transaction: Transaction): Promise<boolean> {
      return (await tokens.deleteOne({ _id: id, uid }, within(transaction))).deletedCount > 0;
    },
    removeOf: (uid: number, transaction: Transaction) => tokens.deleteMany({ uid }, within(transaction)),
    async used(id: number, at: Date, before: Date): Promise<Date> {
      const isOld = { $lte: [{ $ifNull: ['$last_used_at', before] }, before] };
      const after = await tokens
        .findOneAndUpdate({ _id: id }, [{ $set: { last_used_at: { $cond: [isOld, at, '$last_used_at'] } } }], {
          returnDocument: 'after',
          updatePipeline: true,
          projection: { last_used_at: 1 },
        })
        .lean<Pick<Token, 'last_used_at'>>()
        .exec();
      return after?.last_used_at ?? at;
    },
  };
}
