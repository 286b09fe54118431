import { join } from 'node:path';
import { choosePort } from '../../runtime/processes/ports.js';
import { awaitReady } from '../../runtime/servers/await-ready.js';
import {
  ensureUser,
  type MongoAccess,
  mongoAccess,
  mongoUri,
  rolesOfArcus,
  systemUri,
  withMongo,
} from '../../runtime/servers/mongodb-access.js';
import { mongoCommand, probeMongo } from '../../runtime/servers/mongodb-server.js';
import type { ClusterCommand, ClusterProcess } from './cluster-process.js';
import { eventually } from './processes.js';
import { settle } from './settle.js';

export type ClusterMongodb = {
  members: ClusterProcess[];
  /** Address of the database of Arcus, naming every member. */
  uri: string;
  /** The same for whoever may do anything. */
  systemUri: string;
  /** The member that takes writes now. */
  primary: () => Promise<ClusterProcess>;
};

type Run = (command: ClusterCommand) => Promise<ClusterProcess>;
type Settings = { binary: string; directory: string; members: number; environment: Record<string, string> };

const command = (uri: string, request: Record<string, unknown>) =>
  withMongo(uri, (client) => client.db('admin').command(request));

/** A replica set of so many members, each a process that `run` starts; it takes writes when this resolves. */
export async function startClusterMongodb(run: Run, settings: Settings): Promise<ClusterMongodb> {
  const ports: number[] = [];
  while (ports.length < settings.members) ports.push(await choosePort(new Set(ports)));
  const accesses = ports.map((port) => mongoAccess(join(settings.directory, 'mongodb'), port));
  const members = await settle(accesses.map((access, at) => startMember(run, settings, access, at)));
  const set = {
    _id: 'rs0',
    members: ports.map((port, at) => ({ _id: at, host: `127.0.0.1:${port}` })),
    // A primary that is killed is missed soon: by default an election waits ten seconds.
    settings: { electionTimeoutMillis: 2_000 },
  };
  const [first] = accesses;
  if (first === undefined) throw new Error('a replica set has a member');
  await command(systemUri(first, '', true), { replSetInitiate: set });
  const every = (uri: string) => uri.replace(`127.0.0.1:${first.port}`, set.members.map(({ host }) => host).join(','));
  const system = every(systemUri(first));
  await eventually(() => probeMongo(system).catch(() => false));
  await withMongo(system, (client) => ensureUser(client, first, rolesOfArcus));
  const uri = every(mongoUri(first, 'arcus'));
  return {
    members,
    uri,
    systemUri: system,
    primary: () =>
      eventually(async () => {
        const hello = await command(uri, { hello: 1 }).catch(() => undefined);
        return members[ports.findIndex((port) => hello?.primary === `127.0.0.1:${port}`)];
      }),
  };
}

function startMember(
  run: Run,
  { binary, directory, environment }: Settings,
  access: MongoAccess,
  at: number,
): Promise<ClusterProcess> {
  const home = join(directory, `mongodb-${at}`);
  const log = `${home}.log`;
  return run({
    ...mongoCommand({ binary, directory: home, port: access.port, secrets: join(directory, 'mongodb') }, log),
    environment,
    awaitReady: (child) => awaitReady(child, log, 60_000, () => command(systemUri(access, '', true), { ping: 1 })),
  });
}
