import type { Connection } from 'mongoose';
import { limits } from '../../schemas/common/limits.js';
import type { ScreenToken } from '../../schemas/vms/vm-screen.js';
import { modelOf } from '../mongo/model.js';

/** By what screens of VMs are opened, each once, and for a minute. */
export function createScreenTokens(connection: Connection) {
  const tokens = modelOf<ScreenToken>(connection, 'screen_tokens', String, [
    { fields: { uid: 1, expires_at: -1 } },
    { fields: { expires_at: 1 }, options: { name: 'forgotten', expireAfterSeconds: 0 } },
  ]);
  return {
    model: tokens,
    /** A user has some at a time: of more the oldest are worth nothing any more. */
    async insert(token: ScreenToken): Promise<void> {
      const { uid } = token;
      await tokens.create([token]);
      const beyond = await tokens
        .find({ uid }, { _id: 1 })
        .sort({ expires_at: -1, _id: 1 })
        .skip(limits.screenTokens.most)
        .lean<Pick<ScreenToken, '_id'>[]>()
        .exec();
      if (beyond.length > 0) await tokens.deleteMany({ _id: { $in: beyond.map(({ _id }) => _id) } });
    },
    /** One that is still good is good no more: of two who show it, one is told whose it is. null: it is none, was shown, or has expired. */
    take: (hash: string, now: Date): Promise<ScreenToken | null> =>
      tokens
        .findOneAndDelete({ _id: hash, expires_at: { $gt: now } })
        .lean<ScreenToken>()
        .exec(),
  };
}
