import type { Connection } from 'mongoose';
import type { Caller } from '../domain/identity/caller.js';
import type { Ownership } from '../schemas/common/common.js';
import { type ListQuery, namedFields } from '../schemas/common/list.js';
import { type DocumentKind, type Documents, documentKinds, kinds, rowOf } from '../schemas/kinds.js';
import { chargeIndex } from './identity/quotas.js';
import { insertWhole, modelOf, setWhole } from './mongo/model.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from './mongo/paging.js';
import { orTaken } from './mongo/taken.js';
import { sessionOf, type Transaction, within } from './mongo/transaction.js';

type Named = Ownership & { _id: number; name: string; created_at: Date };

function createDocumentStore<T extends Named>(connection: Connection, kind: DocumentKind) {
  const { document: parts } = kinds[kind];
  const documents = modelOf<T>(connection, kinds[kind].collection, Number, [
    { fields: { uid: 1, name: 1 }, options: { unique: true } },
    ...pageIndexes(),
    ...sortIndexes(namedFields),
    ...(rowOf(kind).charged ? [chargeIndex] : []),
  ]);
  return {
    model: documents,
    find: (id: number, transaction?: Transaction) =>
      documents.findById(id).session(sessionOf(transaction)).lean<T>().exec(),
    byIds: (ids: readonly number[]) =>
      documents
        .find({ _id: { $in: ids } })
        .lean<T[]>()
        .exec(),
    list: (caller: Caller, query: ListQuery) =>
      pageOf(documents, visibleTo(caller, kind), query, { ids: 'number', list: namedFields, parts }),
    /** Throws Taken where the owner has one of this name already. */
    insert: (document: T, transaction: Transaction) => orTaken(() => insertWhole(documents, document, transaction)),
    /** The same. null: there is none. */
    replace: (id: number, change: Partial<T>, transaction: Transaction) =>
      orTaken(() => setWhole(documents, id, change, transaction)),
    remove: (id: number, transaction: Transaction) => documents.deleteOne({ _id: id }, within(transaction)),
  };
}

/** Kinds whose things are kept alike, as documents that are written whole; their names are given once to an owner. */
export function createDocuments(connection: Connection) {
  const documentsOf = <K extends DocumentKind>(kind: K) => createDocumentStore<Documents[K]>(connection, kind);
  // Whoever asks for the first of a kind finds its indexes known: they are made at the start of a process.
  for (const kind of documentKinds) documentsOf(kind);
  return documentsOf;
}
export type DocumentStore<K extends DocumentKind> = ReturnType<typeof createDocumentStore<Documents[K]>>;
