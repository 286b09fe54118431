import { join } from 'node:path';
import mongoose from 'mongoose';
import { awaitReady } from '../../runtime/await-ready.js';
import { mongoCommand, probeMongo } from '../../runtime/mongodb-server.js';
import { choosePort } from '../../runtime/ports.js';
import type { ClusterCommand, ClusterProcess } from './cluster-process.js';
import { eventually } from './processes.js';
import { settle } from './settle.js';

export type ClusterMongodb = {
  members: ClusterProcess[];
  /** Address of the database of Arcus, naming every member. */
  uri: string;
  /** The member that takes writes now. */
  primary: () => Promise<ClusterProcess>;
};

type Run = (command: ClusterCommand) => Promise<ClusterProcess>;
type Settings = { binary: string; directory: string; members: number; environment: Record<string, string> };

const directly = (port: number): string => `mongodb://127.0.0.1:${port}/?directConnection=true`;

async function command(uri: string, request: Record<string, unknown>): Promise<Record<string, unknown>> {
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000 });
  try {
    return await client.db('admin').command(request);
  } finally {
    await client.close();
  }
}

/** A replica set of so many members, each a process that `run` starts; it takes writes when this resolves. */
export async function startClusterMongodb(run: Run, settings: Settings): Promise<ClusterMongodb> {
  const ports: number[] = [];
  while (ports.length < settings.members) ports.push(await choosePort(new Set(ports)));
  const members = await settle(ports.map((port, at) => startMember(run, settings, port, at)));
  const set = {
    _id: 'rs0',
    members: ports.map((port, at) => ({ _id: at, host: `127.0.0.1:${port}` })),
    // A primary that is killed is missed soon: by default an election waits ten seconds.
    settings: { electionTimeoutMillis: 2_000 },
  };
  const [first] = ports;
  if (first === undefined) throw new Error('a replica set has a member');
  await command(directly(first), { replSetInitiate: set });
  const uri = `mongodb://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/arcus?replicaSet=${set._id}`;
  await eventually(() => probeMongo(uri).catch(() => false), 60_000);
  return {
    members,
    uri,
    primary: () =>
      eventually(async () => {
        const hello = await command(uri, { hello: 1 }).catch(() => undefined);
        return members[ports.findIndex((port) => hello?.primary === `127.0.0.1:${port}`)];
      }, 60_000),
  };
}

function startMember(
  run: Run,
  { binary, directory, environment }: Settings,
  port: number,
  at: number,
): Promise<ClusterProcess> {
  const home = join(directory, `mongodb-${at}`);
  const log = `${home}.log`;
  return run({
    ...mongoCommand({ binary, directory: home, port }, log),
    environment,
    awaitReady: (child) => awaitReady(child, log, 60_000, () => command(directly(port), { ping: 1 })),
  });
}
