import type { Connection } from 'mongoose';

/** How far periodic work has come that may be more than one tick has time for. */
export function createProgress(connection: Connection) {
  const documents = connection.collection<{ _id: string; after: string }>('tick_progress');
  return {
    /** After which id to go on; empty: from the beginning. */
    reached: async (work: string): Promise<string> => (await documents.findOne({ _id: work }))?.after ?? '',
    async reach(work: string, after: string): Promise<void> {
      await documents.updateOne({ _id: work }, { $set: { after } }, { upsert: true });
    },
  };
}
