import type { Connection, Model } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import { heardStates } from '../../domain/hosts/host-states.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { Condemned, Strays } from '../../schemas/hosts/strays.js';
import { type Transaction, within } from '../mongo/transaction.js';

/** What looks at hosts have found. */
export interface HostLooks {
  /**
   * It did not answer a probe. One that is disabled keeps that state, for that is no failure, and has the reason all the same;
   * one that was taken offline meanwhile is not asked any more. `apart`: it is a poll that it has missed,
   * unless another one was counted less than so many milliseconds ago, as people have hosts looked at in between; null: one more look of a poll.
   */
  silent(id: number, error: string, apart?: number | null): Promise<void>;
  /**
   * It answered, and takes VMs from now on; `yet`: or why it does not yet. Only as it was seen before it was asked: whoever
   * was frozen since then knows nothing of what has been found, or left behind there, meanwhile. Returns true when it became
   * usable.
   */
  answered(seen: Pick<Host, '_id' | 'state' | 'last_monitored_at'>, yet: string | null): Promise<boolean>;
  /** Probed with success once more, in one write for all: what nearly every probe finds. Those in other states are left. */
  stillMonitored(ids: readonly number[]): Promise<void>;
  /** How long hosts have been up, in one write for all. */
  noteUptimes(of: readonly { id: number; uptime: number }[]): Promise<void>;
  /**
   * What a look has found that should not be there; null: nothing. What somebody wanted removed and is not there any more is
   * not wanted any more. `before`: what was written when the host was asked; where wilds have been imported since then, the next
   * look is to say it.
   */
  setStrays(id: number, before: Strays | null, found: { strays: Strays | null; outside: Capacity }): Promise<void>;
  /** Somebody wants these removed: the next looks do it. */
  condemn(id: number, zombies: readonly Condemned[], transaction: Transaction): Promise<Host | null>;
}

/** Nothing was counted yet of this silence, or long enough ago. */
const isPoll = (apart: number, now: Date) => ({
  $or: [
    { $eq: [{ $ifNull: ['$missed', 0] }, 0] },
    { $lte: [{ $ifNull: ['$missed_at', new Date(0)] }, new Date(now.getTime() - apart)] },
  ],
});

export const hostLooks = (connection: Connection, hosts: Model<Host>): HostLooks => ({
  async silent(id, error, apart = 0) {
    const now = new Date();
    const found = {
      error: { $literal: brief(error, longest.vm) },
      last_monitored_at: now,
      silent_since: { $ifNull: ['$silent_since', now] },
      ...(apart !== null && {
        missed: { $cond: [isPoll(apart, now), { $add: [{ $ifNull: ['$missed', 0] }, 1] }, '$missed'] },
        missed_at: { $cond: [isPoll(apart, now), now, '$missed_at'] },
      }),
    };
    const pipeline = { updatePipeline: true };
    await hosts.updateOne(
      { _id: id, state: { $in: [...heardStates] } },
      [{ $set: { ...found, state: 'ERROR' } }],
      pipeline,
    );
    await hosts.updateOne({ _id: id, state: 'DISABLED' }, [{ $set: found }], pipeline);
  },
  async answered(seen, yet) {
    if (!heardStates.some((state) => state === seen.state)) return false;
    const { modifiedCount } = await hosts.updateOne(
      { _id: seen._id, state: seen.state, last_monitored_at: seen.last_monitored_at ?? null },
      {
        $set: {
          state: yet === null ? 'MONITORED' : 'INIT',
          error: yet && brief(yet, longest.vm),
          last_monitored_at: new Date(),
          silent_since: null,
          missed: 0,
          fenced: null,
        },
      },
    );
    return yet === null && modifiedCount > 0 && seen.state !== 'MONITORED';
  },
  async stillMonitored(ids) {
    if (ids.length === 0) return;
    await hosts.updateMany(
      { _id: { $in: ids }, state: { $in: ['MONITORED', 'DISABLED'] } },
      { $set: { error: null, last_monitored_at: new Date(), silent_since: null, missed: 0, fenced: null } },
    );
  },
  async noteUptimes(of) {
    if (of.length === 0) return;
    await hosts.bulkWrite(
      of.map(({ id, uptime }) => ({ updateOne: { filter: { _id: id }, update: { $set: { uptime } } } })),
      { ordered: false },
    );
  },
  async setStrays(id, before, { strays, outside }) {
    const left = strays?.zombies.map(({ deploy_id }) => deploy_id) ?? [];
    // Past Mongoose, which looks through the whole of an update for each path in it.
    await connection.collection<Host>('hosts').updateOne(
      { _id: id, ...(before ? { 'strays.wild_count': before.wild_count } : { strays: { $exists: false } }) },
      {
        ...(strays === null ? { $unset: { strays: '', outside: '' } } : { $set: { strays, outside } }),
        $pull: { condemned: { deploy_id: { $nin: left } } },
      },
    );
  },
  condemn: (id, zombies, transaction) =>
    hosts
      .findOneAndUpdate(
        { _id: id },
        { $addToSet: { condemned: { $each: [...zombies] } } },
        { returnDocument: 'after', ...within(transaction) },
      )
      .lean<Host>()
      .exec(),
});
