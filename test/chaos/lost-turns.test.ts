import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withMongo } from '../../runtime/servers/mongodb-access.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { Cluster } from '../support/cluster.js';
import { ClusterClient } from '../support/cluster-client.js';
import { makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';

type User = { id: number; client: ClusterClient; template: number };

/** Deployments that each user begins at once: those of his own lane, and more. */
const begun = 8;
const freeze = 30_000;

/** Users take turns in the memory of a worker: what becomes of those that one has given out which is not there any more? */
describe('two users whose steps take turns in a worker', () => {
  let cluster: Cluster;
  let users: User[];
  beforeAll(async () => {
    cluster = await Cluster.start();
    await makeHosts(cluster.client, 2, 64, 65_536);
    users = [await signUp('alice'), await signUp('bob')];
  });
  afterAll(() => cluster?.stop());

  async function signUp(name: string): Promise<User> {
    const password = 'of-a-test';
    const id = await cluster.client.make('/users', { name, password });
    const client = new ClusterClient(cluster.client.url, { name, password });
    const roles = [{ name: 'one' }, { name: 'two', parents: ['one'], cardinality: 2 }];
    return { id, client, template: await makeServiceTemplate(client, `of ${name}`, { roles }) };
  }

  const deploy = async ({ client, template }: User): Promise<string> =>
    (await client.accepted('POST', `/service-templates/${template}/instantiate`, {})).id;
  /** Each user has begun so many deployments, one after the other. */
  const deployAll = (count: number): Promise<string[]> =>
    Promise.all(
      users.map(async (user) => {
        const ops: string[] = [];
        for (let at = 0; at < count; at++) ops.push(await deploy(user));
        return ops;
      }),
    ).then((ops) => ops.flat());
  async function allEnd(ops: readonly string[]): Promise<void> {
    for (const op of ops)
      expect(await cluster.client.awaitOperation(op, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded' });
  }

  const waiting = ({ id }: User): Promise<number> =>
    cluster.store.vms.model
      .countDocuments({ uid: id, state: 'PENDING', reason: null, 'hold.op': { $exists: true } })
      .exec();
  /**
   * Begins deployments of both, and loses the only worker when it is in the middle of a step of each: hosts cannot be written
   * then, so that nothing that looks for one goes on.
   */
  async function loseInTurns(lose: () => Promise<void> | void): Promise<string[]> {
    const mongodb = await connectMongodb(cluster.servers.mongodb.uri);
    const session = await mongodb.startSession();
    try {
      // However slow the machine is.
      await withMongo(cluster.servers.mongodb.systemUri, (client) =>
        client.db('admin').command({ setParameter: 1, transactionLifetimeLimitSeconds: 300 }),
      );
      session.startTransaction();
      await mongodb.collection('hosts').updateMany({}, { $inc: { kept_by_a_test: 1 } }, { session });
      const ops = await deployAll(begun);
      await eventually(async () => (await Promise.all(users.map(waiting))).every((vms) => vms > 0));
      await lose();
      // They were in it until the last moment.
      expect(Math.min(...(await Promise.all(users.map(waiting))))).toBeGreaterThan(0);
      return ops;
    } finally {
      await session.abortTransaction();
      await session.endSession();
      await mongodb.close();
    }
  }

  it('have their turns in another when it is killed', async () => {
    const ops = await loseInTurns(() => cluster.worker(0).kill());
    await cluster.startWorker();
    await allEnd(ops);
    await cluster.worker(0).startAgain();
    await cluster.worker(1).kill();
    await allEnd(await deployAll(2));
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  it('have their turns in another while it is frozen, and in it when it has woken', async () => {
    const ops = await loseInTurns(() => cluster.worker(0).freeze());
    const until = performance.now() + freeze;
    await cluster.worker(1).startAgain();
    // Those of whoever has begun none yet, too.
    ops.push(...(await deployAll(1)));
    await allEnd(ops);
    await sleep(Math.max(0, until - performance.now()));
    cluster.worker(0).thaw();
    await allEnd(await deployAll(begun));
    await cluster.worker(1).kill();
    await allEnd(await deployAll(begun));
    expect(await checkConsistency(cluster)).toEqual([]);
  });
});
