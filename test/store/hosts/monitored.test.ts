import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClusterStore } from '../../../store/hosts/clusters.js';
import { createHostStore, type HostStore } from '../../../store/hosts/hosts.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { ownDatabaseUri } from '../../support/servers.js';

let connection: Connection;
let hosts: HostStore;

beforeAll(async () => {
  connection = await connectMongodb(ownDatabaseUri('monitored'));
  hosts = createHostStore(connection, createClusterStore(connection));
  await connection
    .getClient()
    .db(connection.name)
    .collection<{ _id: number }>('hosts')
    .insertMany([
      { _id: 1, ...{ state: 'MONITORED', error: null, last_monitored_at: null } },
      { _id: 2, ...{ state: 'DISABLED', error: null, last_monitored_at: null } },
      { _id: 3, ...{ state: 'MONITORED', error: null, last_monitored_at: null } },
    ]);
});

afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

it('a host that was disabled while it was probed stays disabled, and one that was not probed is as it was', async () => {
  await hosts.stillMonitored([1, 2]);
  expect(await hosts.find(1)).toMatchObject({ state: 'MONITORED', error: null, last_monitored_at: expect.any(Date) });
  expect(await hosts.find(2)).toMatchObject({ state: 'DISABLED', error: null, last_monitored_at: expect.any(Date) });
  expect(await hosts.find(3)).toMatchObject({ state: 'MONITORED', last_monitored_at: null });
});

it('a host in maintenance that is silent stays DISABLED, and says why it is silent until it answers', async () => {
  await hosts.silent(2, 'no route');
  expect(await hosts.find(2)).toMatchObject({ state: 'DISABLED', error: 'no route' });
  const since = (await hosts.find(2))?.silent_since;
  expect(since).toBeInstanceOf(Date);
  await hosts.silent(2, '$error');
  expect(await hosts.find(2)).toMatchObject({ state: 'DISABLED', error: '$error', silent_since: since });
  await hosts.stillMonitored([2]);
  expect(await hosts.find(2)).toMatchObject({ state: 'DISABLED', error: null, silent_since: null });
  await hosts.silent(1, 'no route');
  expect(await hosts.find(1)).toMatchObject({ state: 'ERROR', error: 'no route' });
});
