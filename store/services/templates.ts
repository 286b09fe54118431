import type { Connection } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import type { Ownership } from '../../schemas/common/common.js';
import { type ListQuery, namedFields } from '../../schemas/common/list.js';
import { kinds, type OwnedKind } from '../../schemas/kinds.js';
import { insertWhole, modelOf, setWhole } from '../mongo/model.js';
import { type Part, pageIndexes, pageOf, sortIndexes, visibleTo } from '../mongo/paging.js';
import { type Transaction, within } from '../mongo/transaction.js';

type Named = Ownership & { _id: number; name: string; created_at: Date };

/** VM templates and service templates are kept alike: documents that are written whole. */
/** `parts`: what is much of a template, and not always shown. */
export function createTemplateStore<T extends Named>(
  connection: Connection,
  kind: OwnedKind,
  parts: Readonly<Record<string, Part>>,
) {
  const templates = modelOf<T>(connection, kinds[kind].collection, Number, [
    { fields: { uid: 1, name: 1 }, options: { unique: true } },
    ...pageIndexes(),
    ...sortIndexes(namedFields),
  ]);
  return {
    model: templates,
    find: (id: number) => templates.findById(id).lean<T>().exec(),
    byIds: (ids: readonly number[]) =>
      templates
        .find({ _id: { $in: ids } })
        .lean<T[]>()
        .exec(),
    list: (caller: Caller, query: ListQuery) =>
      pageOf(templates, visibleTo(caller, kind), query, { ids: 'number', list: namedFields, parts }),
    /** Fails with a duplicate key when the owner has one of this name already. */
    insert: (template: T, transaction: Transaction) => insertWhole(templates, template, transaction),
    replace: (id: number, change: Partial<T>, transaction: Transaction) => setWhole(templates, id, change, transaction),
    remove: (id: number, transaction: Transaction) => templates.deleteOne({ _id: id }, within(transaction)),
  };
}
export type TemplateStore<T extends Named> = ReturnType<typeof createTemplateStore<T>>;
