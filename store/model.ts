import { type Connection, type IndexDefinition, type IndexOptions, type Model, Schema } from 'mongoose';

/**
 * A partial index says what it holds by `$exists` or a comparison, never by `$type`: MongoDB does not see that an equality
 * implies a type, and would read the whole collection instead.
 */
export type Index = { fields: IndexDefinition; options?: IndexOptions };

/** The projection that gives an Ownership. */
export const ownershipFields = { uid: 1, gid: 1, permissions: 1 } as const;

/**
 * A Mongoose model that stores domain objects as they are: shapes are checked at the edges (schemas/), not again here.
 * `id` is the type of `_id`: integer ids per pool, ULIDs for operations.
 */
export function modelOf<T>(
  connection: Connection,
  name: string,
  id: typeof Number | typeof String,
  indexes: readonly Index[] = [],
): Model<T> {
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
