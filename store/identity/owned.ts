import type { Connection } from 'mongoose';
import { kinds, ownedKinds } from '../../schemas/kinds.js';
import { type Transaction, within } from '../mongo/transaction.js';

/** What belongs to users and groups, and how it is told. What has ended is history: it needs no owner. */
const owned = ownedKinds.map((kind) => {
  const {
    collection,
    one,
    several,
    owned: { ended },
  } = kinds[kind];
  return { collection, one, several, lives: ended === null ? {} : { state: { $ne: ended } } };
});

/** What belongs to users and groups in this zone. */
export function createOwned(connection: Connection) {
  return {
    /** As “1 service, 2 VMs”; null: nothing. */
    async by(owner: { uid: number } | { gid: number }, transaction?: Transaction): Promise<string | null> {
      const found: string[] = [];
      for (const { collection, one, several, lives } of owned) {
        const count = await connection
          .collection(collection)
          .countDocuments({ ...owner, ...lives }, within(transaction));
        if (count > 0) found.push(`${count} ${count === 1 ? one : several}`);
      }
      return found.length > 0 ? found.join(', ') : null;
    },

    /** Ids of all users, or of all groups, that anything names as its owner. */
    async owners(field: 'uid' | 'gid'): Promise<number[]> {
      const ids = new Set<number>();
      for (const { collection, lives } of owned) {
        const found: unknown[] = await connection.collection(collection).distinct(field, lives);
        for (const id of found) if (typeof id === 'number') ids.add(id);
      }
      return [...ids].sort((one, other) => one - other);
    },
  };
}
