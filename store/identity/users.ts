import type { Connection } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { visibility } from '../../domain/identity/permissions.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { defaultUmask, type User, userFields } from '../../schemas/identity/user.js';
import { modelOf } from '../mongo/model.js';
import { pageOf, sortIndexes } from '../mongo/paging.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { lookAlike, lookIndex, noteLooks, withLooks } from './look-alikes.js';

/** The users of the directory. */
export function createUserStore(connection: Connection) {
  const users = modelOf<User>(connection, 'users', Number, [
    { fields: { name: 1 }, options: { unique: true } },
    lookIndex,
    { fields: { groups: 1, _id: 1 } },
    { fields: { gid: 1, _id: 1 } },
    ...sortIndexes(userFields),
  ]);
  return {
    model: users,
    async byName(name: string, transaction: Transaction | null = null): Promise<User | null> {
      const found = await users
        .find({ name: { $in: [name, name.normalize('NFC')] } })
        .session(sessionOf(transaction))
        .lean<User[]>()
        .exec();
      return found.find((user) => user.name === name) ?? found[0] ?? null;
    },
    find: (id: number, transaction: Transaction | null = null): Promise<User | null> =>
      users.findById(id).session(sessionOf(transaction)).lean<User>().exec(),
    lookAlike: (name: string, itself: number | null, transaction: Transaction) =>
      lookAlike(users, name, itself, transaction),
    noteLooks: () => noteLooks(users),
    byIds: (ids: readonly number[]): Promise<User[]> =>
      users
        .find({ _id: { $in: [...ids] } })
        .lean<User[]>()
        .exec(),
    async namesOf(ids: readonly number[], transaction: Transaction | null = null): Promise<Map<number, string>> {
      if (ids.length === 0) return new Map();
      const found = await users
        .find({ _id: { $in: [...ids] } }, { name: 1 })
        .session(sessionOf(transaction))
        .lean<Pick<User, '_id' | 'name'>[]>()
        .exec();
      return new Map(found.map(({ _id, name }) => [_id, name]));
    },
    list(caller: Caller, query: ListQuery) {
      const seen = visibility(caller, 'USER');
      const filter = seen.all ? {} : { $or: [{ _id: { $in: [seen.uid, ...seen.ids] } }, { gid: { $in: seen.gids } }] };
      return pageOf(users, filter, query, { ids: 'number', list: userFields });
    },
    async idsIn(gids: readonly number[]): Promise<number[]> {
      if (gids.length === 0) return [];
      const found = await users
        .find({ gid: { $in: [...gids] } }, { _id: 1 })
        .lean<{ _id: number }[]>()
        .exec();
      return found.map(({ _id }) => _id);
    },
    countIn: (gid: number, transaction: Transaction): Promise<number> =>
      users.countDocuments({ groups: gid }, within(transaction)),
    async countMembers(gids: readonly number[]): Promise<Map<number, number>> {
      const rows = await users.aggregate<{ _id: number; count: number }>([
        { $match: { groups: { $in: [...gids] } } },
        { $unwind: '$groups' },
        { $match: { groups: { $in: [...gids] } } },
        { $group: { _id: '$groups', count: { $sum: 1 } } },
      ]);
      return new Map(rows.map(({ _id, count }) => [_id, count]));
    },
    insert: (user: User, transaction: Transaction) => users.create([withLooks(user)], within(transaction)),
    update: (id: number, change: Partial<Omit<User, '_id'>>, transaction: Transaction): Promise<User | null> =>
      users
        .findOneAndUpdate({ _id: id }, { $set: withLooks(change) }, { ...within(transaction), returnDocument: 'after' })
        .lean<User>()
        .exec(),
    remove: (id: number, transaction: Transaction) => users.deleteOne({ _id: id }, within(transaction)),
    /** Users of an earlier version are enabled, have the umask of all, and no attributes. */
    async complete(): Promise<void> {
      const missing = { enabled: true, umask: defaultUmask, credentials: 0 };
      await users.updateMany({ credentials: { $exists: false } }, { $set: missing });
      await users.updateMany({ attributes: { $exists: false } }, { $set: { attributes: {} } });
    },
  };
}
