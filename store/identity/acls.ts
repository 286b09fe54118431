import type { Connection } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { isAdministrator } from '../../domain/identity/permissions.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { aclFields, type StoredAcl } from '../../schemas/identity/acl.js';
import { modelOf } from '../mongo/model.js';
import { pageOf, sortIndexes } from '../mongo/paging.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';

/** The rules of the directory. */
export function createAclStore(connection: Connection) {
  const acls = modelOf<StoredAcl>(connection, 'acls', Number, [
    { fields: { text: 1 }, options: { unique: true } },
    { fields: { 'rule.user.kind': 1, 'rule.user.id': 1, _id: 1 } },
    ...sortIndexes(aclFields),
  ]);
  return {
    model: acls,
    find: (id: number, transaction: Transaction | null = null): Promise<StoredAcl | null> =>
      acls.findById(id).session(sessionOf(transaction)).lean<StoredAcl>().exec(),
    byText: (text: string, transaction: Transaction): Promise<StoredAcl | null> =>
      acls.findOne({ text }).session(sessionOf(transaction)).lean<StoredAcl>().exec(),
    about: (user: Pick<Caller, 'id' | 'groups'>, transaction: Transaction | null = null): Promise<StoredAcl[]> =>
      acls.find(isAbout(user)).session(sessionOf(transaction)).sort({ _id: 1 }).lean<StoredAcl[]>().exec(),
    list: (caller: Caller, query: ListQuery) =>
      pageOf(acls, isAdministrator(caller) ? {} : isAbout(caller), query, { ids: 'number', list: aclFields }),
    count: (transaction: Transaction): Promise<number> => acls.countDocuments({}, within(transaction)),
    insert: (rule: StoredAcl, transaction: Transaction) => acls.create([rule], within(transaction)),
    remove: (id: number, transaction: Transaction) => acls.deleteOne({ _id: id }, within(transaction)),
    removeOfUser: (id: number, transaction: Transaction) =>
      acls.deleteMany(
        {
          $or: [
            { 'rule.user.kind': 'user', 'rule.user.id': id },
            { 'rule.selector.kind': 'id', 'rule.selector.id': id, 'rule.types': ['USER'] },
          ],
        },
        within(transaction),
      ),
    removeOfGroup: (id: number, transaction: Transaction) =>
      acls.deleteMany(
        {
          $or: [
            { 'rule.user.kind': 'group', 'rule.user.id': id },
            { 'rule.selector.kind': 'group', 'rule.selector.id': id },
            { 'rule.selector.kind': 'id', 'rule.selector.id': id, 'rule.types': ['GROUP'] },
          ],
        },
        within(transaction),
      ),
  };
}

const isAbout = ({ id, groups }: Pick<Caller, 'id' | 'groups'>) => ({
  $or: [
    { 'rule.user.kind': 'all' },
    { 'rule.user.kind': 'user', 'rule.user.id': id },
    { 'rule.user.kind': 'group', 'rule.user.id': { $in: [...groups] } },
  ],
});
