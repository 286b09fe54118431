import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';

const { MongoClient, MongoServerError } = mongoose.mongo;

/** The process that is watched. */
export type Watched = {
  uri: string;
  /** Of the process that runs now. */
  pid: () => number;
  /** Ends it at once; resolves when it has ended. Whoever supervises it starts it again. */
  kill: () => Promise<unknown>;
};

export type WatchTimes = {
  /** Milliseconds between two writes. */
  pause?: number;
  /** Milliseconds without an answer after which the server counts as hung. Longer than disks and machines stall. */
  patience?: number;
};

/**
 * Watches over a mongod that this machine runs: writes now and then, and kills a process that has answered before and then
 * none for `patience`. MongoDB 6 waits by the clock of the machine in places: one that jumps can leave a server that answers
 * `hello` and reads, and whose commits all wait for its oplog to become visible. What a server refuses is an answer: a full
 * disk is not mended by a new start. Returns what ends the watch.
 */
export function watchCommits(
  { uri, pid, kill }: Watched,
  { pause = 10_000, patience = 60_000 }: WatchTimes = {},
): () => Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000 });
  const ended = new AbortController();

  const commits = (): Promise<boolean> =>
    client
      .db('arcus_watch')
      .collection<{ _id: string; at: Date }>('commits')
      .updateOne(
        { _id: 'last' },
        { $set: { at: new Date() } },
        { upsert: true, writeConcern: { w: 'majority', journal: true } },
      )
      .then(
        () => true,
        (error: unknown) => error instanceof MongoServerError,
      );

  const watch = async (): Promise<void> => {
    let heard: { pid: number; at: number } | undefined;
    while (!ended.signal.aborted) {
      const asked = pid();
      // One that has not answered yet may be busy with its recovery for as long as that takes.
      const known = heard?.pid === asked ? heard.at : performance.now();
      const left = Math.max(0, known + patience - performance.now());
      const answered = await Promise.race([commits(), sleep(left, false, { signal: ended.signal })]);
      if (answered) heard = { pid: asked, at: performance.now() };
      else if (heard?.pid === asked && pid() === asked && performance.now() - heard.at >= patience) await kill();
      await sleep(Math.min(pause, patience), undefined, { signal: ended.signal });
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!ended.signal.aborted) throw error;
  });

  return async () => {
    ended.abort();
    await client.close(true);
    await watching;
  };
}
