import { createHash } from 'node:crypto';
import type { Connection } from 'mongoose';
import { modelOf } from '../mongo/model.js';
import type { Attempt, AttemptLimit } from './directory.js';

type Known = { _id: string; until: Date };
type Attempts = { _id: string; count: number; until: Date; taken: boolean };

/** The failed logins of the directory. Keys are hashed: people type passwords where names belong. */
export function createLoginAttempts(connection: Connection) {
  const attempts = modelOf<Attempts>(connection, 'login_attempts', String, [
    { fields: { until: 1 }, options: { name: 'forgotten', expireAfterSeconds: 0 } },
  ]);
  const known = modelOf<Known>(connection, 'known_logins', String, [
    { fields: { until: 1 }, options: { name: 'forgotten', expireAfterSeconds: 0 } },
  ]);

  return {
    model: attempts,
    async know(of: readonly string[], milliseconds: number): Promise<void> {
      await known.updateOne({ _id: keyOf(of) }, [{ $set: { until: { $add: ['$$NOW', milliseconds] } } }], {
        upsert: true,
        updatePipeline: true,
      });
    },
    isKnown: async (of: readonly string[]): Promise<boolean> =>
      (await known.exists({ _id: keyOf(of), $expr: { $gt: ['$until', '$$NOW'] } })) !== null,

    async take(of: readonly string[], { most, window }: AttemptLimit): Promise<Attempt & { granted: boolean }> {
      const key = keyOf(of);
      // MongoDB forgets within a minute or so after that time.
      const isOver = { $lte: [{ $ifNull: ['$until', new Date(0)] }, '$$NOW'] };
      const after = await attempts
        .findOneAndUpdate(
          { _id: key },
          [
            {
              $set: {
                taken: { $or: [isOver, { $lt: ['$count', most] }] },
                count: { $cond: [isOver, 1, { $min: [{ $add: ['$count', 1] }, { $max: ['$count', most] }] }] },
                until: { $cond: [isOver, { $add: ['$$NOW', window] }, '$until'] },
              },
            },
          ],
          { upsert: true, returnDocument: 'after', updatePipeline: true },
        )
        .lean<Attempts>()
        .orFail()
        .exec();
      return { key, until: after.until, granted: after.taken };
    },

    async giveBack({ key, until }: Attempt): Promise<void> {
      await attempts.updateOne({ _id: key, until, count: { $gt: 0 } }, { $inc: { count: -1 } });
      await attempts.deleteOne({ _id: key, count: 0 });
    },
  };
}

const keyOf = (of: readonly string[]): string => createHash('sha256').update(JSON.stringify(of)).digest('base64url');
