import mongoose from 'mongoose';
import { describe, expect, inject, it } from 'vitest';
import { startMongo } from '../../runtime/mongodb-server.js';
import { choosePort } from '../../runtime/ports.js';
import { ownDirectory } from '../support/directories.js';

async function withNotes<T>(uri: string, work: (notes: mongoose.mongo.Collection) => Promise<T>): Promise<T> {
  const client = await new mongoose.mongo.MongoClient(uri).connect();
  try {
    return await work(client.db().collection('notes'));
  } finally {
    await client.close();
  }
}

describe("Arcus's own MongoDB", () => {
  it('keeps what was acknowledged when it is killed, and takes writes again under another port', async () => {
    const settings = { binary: inject('mongodPath'), directory: ownDirectory() };
    const first = await startMongo({ ...settings, port: await choosePort() });
    await withNotes(first.databaseUri('arcus'), (notes) => notes.insertOne({ text: 'first' }));
    process.kill(first.pid, 'SIGKILL');
    await first.stop();
    const second = await startMongo({ ...settings, port: await choosePort() });
    const texts = await withNotes(second.databaseUri('arcus'), async (notes) => {
      await notes.insertOne({ text: 'second' }, { writeConcern: { w: 'majority' } });
      return notes.find().project({ _id: 0 }).toArray();
    });
    expect(texts).toEqual([{ text: 'first' }, { text: 'second' }]);
    await second.stop();
  });

  it('says where its log is when it cannot start', async () => {
    const directory = ownDirectory();
    const settings = { binary: inject('mongodPath'), directory };
    const server = await startMongo({ ...settings, port: await choosePort() });
    // The data directory is in use: mongod itself refuses.
    await expect(startMongo({ ...settings, port: await choosePort() })).rejects.toThrow(
      `MongoDB ended while starting (code 100): its log is ${directory}/mongod.log`,
    );
    await server.stop();
  });
});
