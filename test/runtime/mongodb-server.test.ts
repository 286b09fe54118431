import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { Children } from '../../runtime/processes/children.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { mongoUri, systemUri, withMongo } from '../../runtime/servers/mongodb-access.js';
import { accessOf, mongoCommand, startMongo } from '../../runtime/servers/mongodb-server.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { ownDirectory } from '../support/directories.js';
import { eventually } from '../support/processes.js';

async function withNotes<T>(uri: string, work: (notes: mongoose.mongo.Collection) => Promise<T>): Promise<T> {
  const client = await new mongoose.mongo.MongoClient(uri).connect();
  try {
    return await work(client.db().collection('notes'));
  } finally {
    await client.close();
  }
}

/** What somebody without credentials is told, by a name of MongoDB's. */
const told = (uri: string, request: Record<string, unknown>, database = 'arcus'): Promise<string> =>
  withMongo(uri, (client) => client.db(database).command(request)).then(
    () => 'ok',
    (error: unknown) => (error instanceof mongoose.mongo.MongoServerError ? String(error.codeName) : String(error)),
  );

const anybody = (port: number): string => `mongodb://127.0.0.1:${port}/?directConnection=true`;

/** A mongod as Arcus started it before it had credentials, with a note in it; it has ended when this resolves. */
async function homeWithoutCredentials(directory: string): Promise<void> {
  const port = await choosePort();
  mkdirSync(join(directory, 'data'));
  const args = ['--dbpath', join(directory, 'data'), '--port', String(port), '--bind_ip', '127.0.0.1'];
  const old = spawn(inject('mongodPath'), [...args, '--replSet', 'rs0', '--nounixsocket'], { stdio: 'ignore' });
  onTestFinished(() => void old.kill('SIGKILL'));
  const ended = new Promise((resolve) => old.once('exit', resolve));
  await eventually(async () => (await told(anybody(port), { ping: 1 })) === 'ok');
  const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
  expect(await told(anybody(port), { replSetInitiate: { _id: 'rs0', members } }, 'admin')).toBe('ok');
  await withNotes(`mongodb://127.0.0.1:${port}/arcus?replicaSet=rs0`, (notes) => notes.insertOne({ text: 'first' }));
  old.kill('SIGKILL');
  await ended;
}

describe("Arcus's own MongoDB", () => {
  it('lets Arcus make its collections, and change for how long it keeps samples', async () => {
    const server = await startMongo({
      ...{ binary: inject('mongodPath'), directory: ownDirectory() },
      port: await choosePort(),
    });
    const connection = await connectMongodb(server.databaseUri('arcus'));
    for (const keepMetrics of [2, 2, 3]) await bootstrapStore(connection, { keepMetrics });
    const [series] = await connection.getClient().db('arcus').listCollections({ name: 'vm_metrics' }).toArray();
    expect(series).toMatchObject({ type: 'timeseries', options: { expireAfterSeconds: 10_800 } });
    await connection.close();
    await server.stop();
  });

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

  it('lets nobody in without credentials, and Arcus do what it needs and no more', async () => {
    const directory = ownDirectory();
    const port = await choosePort();
    const server = await startMongo({ binary: inject('mongodPath'), directory, port });
    for (const [request, database] of [
      [{ find: 'users' }, 'arcus'],
      [{ insert: 'users', documents: [{}] }, 'arcus'],
      [{ listDatabases: 1 }, 'admin'],
      // The exception for whoever comes first is off, too.
      [{ createUser: 'me', pwd: 'mine', roles: ['root'] }, 'admin'],
      [{ shutdown: 1 }, 'admin'],
    ] as const)
      expect(await told(anybody(port), request, database), JSON.stringify(request)).toBe('Unauthorized');
    expect(await told(mongoUri({ port, password: 'guessed' }), { ping: 1 })).toBe('AuthenticationFailed');

    expect(await told(server.uri, { insert: 'notes', documents: [{}] })).toBe('ok');
    expect(await told(server.uri, { insert: 'commits', documents: [{}] }, 'arcus_watch')).toBe('ok');
    for (const [request, database] of [
      [{ insert: 'notes', documents: [{}] }, 'other'],
      [{ find: 'system.users' }, 'admin'],
      [{ find: 'system.replset' }, 'local'],
      [{ createUser: 'me', pwd: 'mine', roles: ['root'] }, 'admin'],
      [{ shutdown: 1 }, 'admin'],
    ] as const)
      expect(await told(server.uri, request, database), JSON.stringify(request)).toBe('Unauthorized');

    const { key, password } = server.access;
    const arguments_ = execFileSync('ps', ['-axww', '-o', 'args='], { encoding: 'utf8' });
    expect(arguments_).toContain(`--keyFile ${directory}/key`);
    for (const secret of [key, password]) {
      expect(arguments_).not.toContain(secret);
      expect(readFileSync(join(directory, 'mongod.log'), 'utf8')).not.toContain(secret);
    }
    expect(['key', 'password'].map((name) => statSync(join(directory, name)).mode & 0o777)).toEqual([0o600, 0o600]);
    // What is agreed upon with a client: nothing to decompress.
    const hello = await withMongo(`${server.uri}&compressors=zlib`, (client) =>
      client.db('admin').command({ hello: 1 }),
    );
    expect(hello.compression ?? []).toEqual([]);
    await server.stop();
  });

  it('takes over data from before it had credentials, also when it was killed before there was a user', async () => {
    const directory = ownDirectory();
    await homeWithoutCredentials(directory);
    const settings = { binary: inject('mongodPath'), directory, port: await choosePort() };
    const children = new Children(join(directory, 'killed.json'));
    const killed = children.start(mongoCommand(settings, join(directory, 'mongod.log')));
    const system = systemUri(accessOf(settings), '', true);
    await eventually(async () => (await told(system, { ping: 1 }, 'admin')) === 'ok');
    // Nobody is let in meanwhile.
    expect(await told(anybody(settings.port), { find: 'notes' })).toBe('Unauthorized');
    await children.end(killed, 0);
    children.release();
    const server = await startMongo(settings);
    expect(await withNotes(server.databaseUri('arcus'), (notes) => notes.countDocuments({ text: 'first' }))).toBe(1);
    expect(await told(anybody(settings.port), { find: 'notes' })).toBe('Unauthorized');
    await server.stop();
  });

  it('starts when its password was lost, and when its key was copied with rights for all', async () => {
    const directory = ownDirectory();
    const settings = { binary: inject('mongodPath'), directory, port: await choosePort() };
    await (await startMongo(settings)).stop();
    chmodSync(join(directory, 'key'), 0o644);
    rmSync(join(directory, 'password'));
    const server = await startMongo(settings);
    expect(await told(server.uri, { insert: 'notes', documents: [{}] })).toBe('ok');
    await server.stop();
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
