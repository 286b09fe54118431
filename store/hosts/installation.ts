import { randomUUID } from 'node:crypto';
import type { Connection } from 'mongoose';
import { modelOf } from '../mongo/model.js';

/**
 * Which Arcus this is: an id that is made once with the database, and goes into the metadata of every domain. It lies with the
 * documents of the VMs, so that a backup that is put back knows its own.
 */
export function createInstallation(connection: Connection) {
  const about = modelOf<{ _id: string; id: string }>(connection, 'installation', String);
  return {
    /** The id, made now unless it is there. */
    async id(): Promise<string> {
      const known = await about
        .findOneAndUpdate(
          { _id: 'installation' },
          { $setOnInsert: { id: randomUUID() } },
          { upsert: true, returnDocument: 'after' },
        )
        .lean<{ id: string }>()
        .exec();
      return known.id;
    },
  };
}
export type InstallationStore = ReturnType<typeof createInstallation>;
