import type { Connection } from 'mongoose';
import { modelOf } from './model.js';

/** A user as stored. `gid` is the primary group, `groups` every group including it. */
export type User = {
  _id: number;
  name: string;
  gid: number;
  groups: number[];
  /** argon2id, in PHC format: parameters and salt included. */
  password_hash: string;
  created_at: Date;
};

/** The two groups that exist from the first start, as in OpenNebula. */
export const groupNames: ReadonlyMap<number, string> = new Map([
  [0, 'oneadmin'],
  [1, 'users'],
]);

/** MongoDB's code for a unique index that refuses a document. */
const duplicateKey = 11_000;

/** Users behind their own interface: zones of a federation share them, and keep them elsewhere. */
export type UserStore = ReturnType<typeof createUserStore>;

/** Users in the given MongoDB. */
export function createUserStore(connection: Connection) {
  const model = modelOf<User>(connection, 'users', Number, [{ fields: { name: 1 }, options: { unique: true } }]);
  return {
    /** Resolves when the indexes exist: before that, two users might take one name. */
    ready: async (): Promise<void> => {
      await model.createIndexes();
    },
    byName: (name: string): Promise<User | null> => model.findOne({ name }).lean<User>().exec(),
    byIds: (ids: readonly number[]): Promise<User[]> =>
      model
        .find({ _id: { $in: [...ids] } })
        .lean<User[]>()
        .exec(),
    /** True when added; false when the id or the name is taken, and then nothing has changed. */
    add: async (user: User): Promise<boolean> => {
      try {
        await model.create(user);
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === duplicateKey) return false;
        throw error;
      }
    },
  };
}
