import mongoose from 'mongoose';
import { describe, expect, it } from 'vitest';
import { ownDatabaseUri, ownNamespace } from '../support/servers.js';

describe('the servers of a test run', () => {
  it('have a MongoDB with transactions and change streams', async () => {
    const client = await new mongoose.mongo.MongoClient(ownDatabaseUri('servers')).connect();
    const notes = client.db().collection<{ text: string }>('notes');
    const changes = notes.watch();
    const first = changes.next();
    await client.withSession((session) =>
      session.withTransaction(() => notes.insertOne({ text: 'committed' }, { session })),
    );
    expect(await first).toMatchObject({ operationType: 'insert', fullDocument: { text: 'committed' } });
    await changes.close();
    await client.db().dropDatabase();
    await client.close();
  });

  it('have a Temporal whose new namespaces know the search attributes of Arcus', async () => {
    const { connection, namespace } = await ownNamespace('servers');
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    expect(Object.keys(customAttributes ?? {})).toEqual(
      expect.arrayContaining(['ArcusService', 'ArcusVm', 'ArcusRole', 'ArcusOperation']),
    );
    await connection.close();
  });
});
