import mongoose from 'mongoose';
import { inject } from 'vitest';
import { z } from 'zod';
import { systemUri } from '../../runtime/servers/mongodb-access.js';

const Entry = z.object({
  ns: z.string(),
  o: z.looseObject({ applyOps: z.array(z.object({ ns: z.string() })).optional() }),
});

/** Tells which collections have been written to since it was made, in order of names. */
export type Written = () => Promise<string[]>;

/**
 * Watches this database of the run's MongoDB by the oplog, which also tells what was written and taken back, as digests would not, and
 * takes much less than digests of a large database do. The caller closes it.
 */
export function watchesOf(database: string): { watch: () => Promise<Written>; close: () => Promise<void> } {
  const client = new mongoose.mongo.MongoClient(systemUri(inject('mongodb')));
  const oplog = client.db('local').collection('oplog.rs');
  const prefix = `${database}.`;
  const watch = async (): Promise<Written> => {
    const newest = await oplog.find().sort({ $natural: -1 }).limit(1).project({ ts: 1 }).next();
    if (!newest) throw new Error('this MongoDB has no oplog');
    return async () => {
      const entries = await oplog.find({ ts: { $gt: newest.ts }, op: { $ne: 'n' } }).toArray();
      const names = entries.flatMap((entry) => {
        const { ns, o } = Entry.parse(entry);
        return [ns, ...(o.applyOps ?? []).map((part) => part.ns)];
      });
      const ours = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
      return [...new Set(ours)].sort();
    };
  };
  return { watch, close: () => client.close() };
}
