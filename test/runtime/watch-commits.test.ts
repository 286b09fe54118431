import { join } from 'node:path';
import mongoose from 'mongoose';
import { expect, inject, it, onTestFinished } from 'vitest';
import { choosePort } from '../../runtime/processes/ports.js';
import { Supervisor } from '../../runtime/processes/supervisor.js';
import { mongoUri, systemUri } from '../../runtime/servers/mongodb-access.js';
import { accessOf, awaitMongo, mongoCommand } from '../../runtime/servers/mongodb-server.js';
import { watchCommits } from '../../runtime/servers/watch-commits.js';
import { ownDirectory } from '../support/directories.js';
import { eventually } from '../support/processes.js';

/** A supervised MongoDB that is watched with little patience. */
async function watchedMongodb() {
  const directory = ownDirectory();
  const port = await choosePort();
  const supervisor = new Supervisor(join(directory, 'children.json'), join(directory, 'logs'), () => {});
  const settings = { binary: inject('mongodPath'), directory, port };
  const command = mongoCommand(settings, '');
  const access = accessOf(settings);
  const server = supervisor.start(command, { supervise: false });
  await awaitMongo(server.current(), server.log, access);
  supervisor.keep(server, command);
  const uri = mongoUri(access);
  const client = new mongoose.mongo.MongoClient(systemUri(access));
  const seen = client.db('arcus_watch').collection('commits');
  const watched = { uri, pid: () => server.current().pid, kill: () => supervisor.restart(server) };
  const end = watchCommits(watched, { pause: 100, patience: 3_000 });
  onTestFinished(async () => {
    await end();
    await client.close(true);
    await supervisor.kill();
  });
  // The second is written once the first has been heard of: only who has answered can fall silent.
  const first = await eventually(() => seen.findOne({}));
  await eventually(async () => (await seen.findOne({}))?.at > first.at);
  return { server, client, seen };
}

it('a MongoDB that commits nothing any more is killed and started again, and goes on', async () => {
  const { server, client } = await watchedMongodb();
  const hung = server.current().pid;
  process.kill(hung, 'SIGSTOP');
  await eventually(() => server.restarts() === 1);
  expect(server.current().pid).not.toBe(hung);
  await eventually(() =>
    client
      .db('test')
      .collection('things')
      .insertOne({})
      .then(
        () => true,
        () => false,
      ),
  );
  expect(server.restarts()).toBe(1);
});

it('a MongoDB that refuses is left alone: it answers', async () => {
  const { server, client, seen } = await watchedMongodb();
  await client.db('arcus_watch').command({ collMod: 'commits', validator: { never: true } });
  const before = await seen.findOne({});
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  expect(await seen.findOne({})).toEqual(before);
  expect(server.restarts()).toBe(0);
});
