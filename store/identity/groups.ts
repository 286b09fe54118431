import type { Connection } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { visibility } from '../../domain/identity/permissions.js';
import type { ListQuery } from '../../schemas/common/list.js';
import {
  administrators,
  defaultCreatable,
  defaultGroup,
  type Group,
  groupFields,
} from '../../schemas/identity/group.js';
import { modelOf } from '../mongo/model.js';
import { pageOf, sortIndexes } from '../mongo/paging.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { lookAlike, lookIndex, noteLooks, withLooks } from './look-alikes.js';

/** The groups of the directory. */
export function createGroupStore(connection: Connection) {
  const groups = modelOf<Group>(connection, 'groups', Number, [
    { fields: { name: 1 }, options: { unique: true } },
    lookIndex,
    { fields: { admins: 1 } },
    ...sortIndexes(groupFields),
  ]);
  return {
    model: groups,
    find: (id: number, transaction: Transaction | null = null): Promise<Group | null> =>
      groups.findById(id).session(sessionOf(transaction)).lean<Group>().exec(),
    byName: (name: string, transaction: Transaction): Promise<Group | null> =>
      groups.findOne({ name }).session(sessionOf(transaction)).lean<Group>().exec(),
    lookAlike: (name: string, itself: number | null, transaction: Transaction) =>
      lookAlike(groups, name, itself, transaction),
    noteLooks: () => noteLooks(groups),
    byIds: (ids: readonly number[], transaction: Transaction | null = null): Promise<Group[]> =>
      groups
        .find({ _id: { $in: [...ids] } })
        .session(sessionOf(transaction))
        .sort({ _id: 1 })
        .lean<Group[]>()
        .exec(),
    async namesOf(ids: readonly number[], transaction: Transaction | null = null): Promise<Map<number, string>> {
      if (ids.length === 0) return new Map();
      const found = await groups
        .find({ _id: { $in: [...ids] } }, { name: 1 })
        .session(sessionOf(transaction))
        .lean<Pick<Group, '_id' | 'name'>[]>()
        .exec();
      return new Map(found.map(({ _id, name }) => [_id, name]));
    },
    list(caller: Caller, query: ListQuery) {
      const seen = visibility(caller, 'GROUP');
      const filter = seen.all ? {} : { _id: { $in: [...seen.groups, ...seen.ids] } };
      return pageOf(groups, filter, query, { ids: 'number', list: groupFields });
    },
    insert: (group: Group, transaction: Transaction) => groups.create([withLooks(group)], within(transaction)),
    update: (id: number, change: Partial<Omit<Group, '_id'>>, transaction: Transaction): Promise<Group | null> =>
      groups
        .findOneAndUpdate({ _id: id }, { $set: withLooks(change) }, { ...within(transaction), returnDocument: 'after' })
        .lean<Group>()
        .exec(),
    removeAdmin: (uid: number, ids: readonly number[], transaction: Transaction) =>
      groups.updateMany({ _id: { $in: [...ids] }, admins: uid }, { $pull: { admins: uid } }, within(transaction)),
    remove: (id: number, transaction: Transaction) => groups.deleteOne({ _id: id }, within(transaction)),
    /** Makes the groups that are always there. */
    async ensureDefaults(): Promise<void> {
      const made = { admins: [], shared_view: false, created_at: new Date() };
      const may = [...defaultCreatable];
      for (const { _id, ...group } of [
        { _id: administrators, name: 'oneadmin', create: { users: [], admins: [] } },
        { _id: defaultGroup, name: 'users', create: { users: may, admins: may } },
      ])
        await groups.updateOne({ _id }, { $setOnInsert: { ...made, ...group } }, { upsert: true });
    },
  };
}
