import type { ClientSession, Connection } from 'mongoose';
import type { ListQuery } from '../../schemas/common/list.js';
import { type Token, tokenFields } from '../../schemas/identity/token.js';
import { modelOf } from '../mongo/model.js';
import { pageOf } from '../mongo/paging.js';

/** Seconds for which a token that has expired is still listed: whoever wonders finds it. */
const remembered = 30 * 86_400;

/** Tokens behind their own interface: zones of a federation share them. */
export function createTokenStore(connection: Connection) {
  const tokens = modelOf<Token>(connection, 'tokens', Number, [
    { fields: { hash: 1 }, options: { unique: true } },
    { fields: { uid: 1, _id: 1 } },
    { fields: { expires_at: 1 }, options: { name: 'forgotten', expireAfterSeconds: remembered } },
  ]);
  return {
    model: tokens,
    byHash: (hash: string, session: ClientSession): Promise<Token | null> =>
      tokens.findOne({ hash }).session(session).lean<Token>().exec(),
    /** Of this user: another's is not found. */
    find: (uid: number, id: number): Promise<Token | null> => tokens.findOne({ _id: id, uid }).lean<Token>().exec(),
    list: (uid: number, query: ListQuery) => pageOf(tokens, { uid }, query, { ids: 'number', list: tokenFields }),
    count: (uid: number, session?: ClientSession): Promise<number> =>
      tokens.countDocuments(
        { uid, $or: [{ expires_at: null }, { expires_at: { $gt: new Date() } }] },
        { ...(session && { session }) },
      ),
    insert: (token: Token, session: ClientSession) => tokens.create([token], { session }),
    async remove(uid: number, id: number, session: ClientSession): Promise<boolean> {
      return (await tokens.deleteOne({ _id: id, uid }, { session })).deletedCount > 0;
    },
    removeOf: (uid: number, session: ClientSession) => tokens.deleteMany({ uid }, { session }),
    /**
     * Notes its use, unless that was noted since `before`; returns when it was. Not a change of who may do what: it
     * raises no version.
     */
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
