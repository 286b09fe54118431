import { type Connection, type IndexDefinition, type IndexOptions, type Model, Schema } from 'mongoose';
import { sessionOf, type Transaction, within } from './transaction.js';

/**
 * A partial index says what it holds by `$exists` or a comparison, never by `$type`: MongoDB does not see that an equality
 * implies a type, and would read the whole collection instead.
 */
export type Index = { fields: IndexDefinition; options?: IndexOptions };

/** The projection that gives an Ownership. */
export const ownershipFields = { uid: 1, gid: 1, permissions: 1 } as const;

/**
 * A Mongoose model that stores domain objects as they are: shapes are checked at the edges (schemas/), not again here.
 * One that is asked for again is the same. `id` is the type of `_id`: integer ids per pool, ULIDs for operations.
 */
export function modelOf<T>(
  connection: Connection,
  name: string,
  id: typeof Number | typeof String,
  indexes: readonly Index[] = [],
): Model<T> {
  if (connection.modelNames().includes(name)) return connection.model<T>(name);
  const schema = new Schema(
    { _id: id },
    {
      strict: false,
      strictQuery: false,
      versionKey: false,
      minimize: false,
      autoIndex: false,
      autoCreate: false,
      collection: name,
    },
  );
  for (const { fields, options } of indexes) schema.index(fields, options);
  return connection.model<T>(name, schema);
}

/**
 * What people write goes past Mongoose, which casts and clones each value of a document, and of an update looks through the
 * whole of it for each path: one of a template of 2,000 attributes kept the api for a third of a second.
 */
const plain = (model: Pick<Model<unknown>, 'db' | 'collection'>) =>
  model.db.collection<{ _id: number }>(model.collection.name);

/** Writes a new document as it is; members that are undefined are left out. */
export async function insertWhole<T extends { _id: number }>(
  model: Model<T>,
  document: T,
  transaction: Transaction,
): Promise<void> {
  await plain(model).insertOne(document, { ignoreUndefined: true, ...within(transaction) });
}

/** Puts members in the place of those of a document; returns it as it is then. null: there is none. */
export async function setWhole<T extends { _id: number }>(
  model: Model<T>,
  id: number,
  change: Partial<T>,
  transaction: Transaction,
): Promise<T | null> {
  await plain(model).updateOne({ _id: id }, { $set: change }, { ignoreUndefined: true, ...within(transaction) });
  return model.findById(id).session(sessionOf(transaction)).lean<T>().exec();
}
