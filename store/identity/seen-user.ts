import type { Directory, Seen } from './directory.js';

/** A user as he is now, with what he may do; null: there is no such user any more. */
export const seenUser = (directory: Pick<Directory, 'look' | 'users'>, id: number): Promise<Seen | null> =>
  directory.look(async (transaction) => {
    const user = await directory.users.find(id, transaction);
    return user && { user };
  });
