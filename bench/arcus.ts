import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import mongoose from 'mongoose';
import { z } from 'zod';
import { checkout } from '../adapters/process/checkout.js';
import type { Client as ApiClient } from '../client/client.js';
import { json } from '../client/message.js';
import { clientFor } from '../client/node/client.js';
import { homeAt } from '../runtime/home/home.js';
import { readChildren } from '../runtime/processes/children.js';
import { type Credentials, readCredentials } from '../runtime/servers/credentials.js';
import { mongoAccess, systemUri } from '../runtime/servers/mongodb-access.js';
import { namespaces } from '../schemas/config.js';
import type { Processes } from './process-cost.js';
import { type Role, runInfo, type Subject } from './subject.js';

/** As many hosts as a small cloud has, each with room for this many VMs: together more than any row needs. */
export const cloud = { hosts: 64, vmsPerHost: 120 };

const Identified = z.object({ id: z.int() });
const Accepted = z.object({ id: z.string(), resource: z.object({ id: z.int() }) });
const Stated = z.object({ state: z.string() });
const Ports = z.object({ api: z.int(), simulator: z.int(), temporal: z.int(), mongodb: z.int() });

export type Arcus = Subject & {
  client: ApiClient;
  credentials: Credentials;
  /** `http://127.0.0.1:<port>/api/v1` */
  api: string;
  temporal: string;
  /** The URI of a database of this name on its MongoDB; without one, of none. */
  mongodbUri(database?: string): string;
  /** Where its simulator serves, and the token that it asks for. */
  simulator: { url: string; token: string };
  db: mongoose.mongo.Db;
  /** Its processes by name: api, worker, Temporal, MongoDB, simulator. */
  processes(): Processes;
  /** Gives a role so many VMs; resolves when the operation has succeeded. */
  scale(id: number, role: string, cardinality: number): Promise<void>;
  stop(): Promise<void>;
};

/** An Arcus of its own: a home that goes with it, ports that are free, a simulated cloud whose VMs boot at once. */
export async function startArcus(environment: Record<string, string> = {}): Promise<Arcus> {
  const home = mkdtempSync(join(tmpdir(), 'arcus-bench-'));
  const supervisor = spawn(
    process.execPath,
    [join(checkout, 'runtime', 'bootstrap.mjs'), 'start', '--no-sample', '--home', home],
    {
      // A group of its own: Ctrl-C would reach it twice, and the second time it does not end in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ...environment,
        ARCUS_PORT: '0',
        ARCUS_CACHE: process.env.ARCUS_CACHE ?? join(homedir(), '.arcus', 'cache'),
      },
    },
  );
  const ended = new Promise<void>((resolve) => supervisor.once('exit', () => resolve()));
  const end = async (): Promise<void> => {
    supervisor.kill('SIGINT');
    await ended;
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      let said = '';
      supervisor.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Ctrl-C stops everything')) resolve();
      });
      supervisor.once('exit', () => reject(new Error(`Arcus did not start: ${said}`)));
    });
    const running = await connect(home);
    return { ...running, stop: () => running.disconnect().then(end) };
  } catch (error) {
    await end();
    throw error;
  }
}

async function connect(home: string) {
  const ports = Ports.parse(JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8')));
  const credentials = readCredentials(join(home, 'auth'));
  const client = clientFor({ endpoint: new URL(`http://127.0.0.1:${ports.api}`), credentials });
  const temporal = `127.0.0.1:${ports.temporal}`;
  // Databases beside that of Arcus are nothing that its own user may touch.
  const access = mongoAccess(homeAt(home).mongodb, ports.mongodb);
  const mongodbUri = (database = '') => systemUri(access, database);
  const [connection, mongodb] = await Promise.all([
    Connection.connect({ address: temporal }),
    mongoose.mongo.MongoClient.connect(mongodbUri('arcus')),
  ]);
  const engine = new Client({ connection, namespace: namespaces.operations });
  const db = mongodb.db();
  const services = db.collection<{ _id: number; state: string; template_id: number }>('services');
  const operations = db.collection<{ _id: string; state: string }>('operations');
  const token = readFileSync(join(homeAt(home).simulator, 'token'), 'utf8').trim();
  const vmTemplate = await makeCloud(client, ports.simulator, token);
  const templates = new Map<string, Promise<number>>();

  /** One service template for each shape, made when it is first asked for. */
  function templateOf(roles: readonly Role[]): Promise<number> {
    const shape = JSON.stringify(roles);
    const known = templates.get(shape);
    if (known) return known;
    const body = {
      name: `bench ${templates.size}`,
      deployment: 'straight',
      roles: roles.map((role) => ({ ...role, vm_template: vmTemplate })),
    };
    const made = client.send('POST', '/service-templates', Identified, json(body)).then(({ value }) => value.id);
    templates.set(shape, made);
    return made;
  }

  return {
    simulator: { url: `http://127.0.0.1:${ports.simulator}`, token },
    client,
    credentials,
    api: `http://127.0.0.1:${ports.api}/api/v1`,
    temporal,
    mongodbUri,
    db,
    processes: () => Object.fromEntries(readChildren(join(home, 'children.json')).map(({ name, pid }) => [name, pid])),
    async deploy(roles: readonly Role[]): Promise<number> {
      const path = `/service-templates/${await templateOf(roles)}/instantiate`;
      return (await client.send('POST', path, Accepted, json({}))).value.resource.id;
    },
    async undeploy(id: number): Promise<void> {
      await client.send('POST', `/services/${id}/undeploy`, Accepted, json({}));
    },
    async scale(id: number, role: string, cardinality: number): Promise<void> {
      const path = `/services/${id}/roles/${role}/scale`;
      const { id: op } = (await client.send('POST', path, Accepted, json({ cardinality }))).value;
      for (;;) {
        const found = await operations.findOne({ _id: op }, { projection: { state: 1 } });
        if (found?.state === 'succeeded') return;
        if (found?.state === 'failed' || found?.state === 'cancelled')
          throw new Error(`scaling ${op} has ${found.state}`);
        await sleep(10);
      }
    },
    /** The last word is the API's, for one of them. */
    async reach(ids: readonly number[], aim: 'RUNNING' | 'DONE'): Promise<void> {
      for (;;) {
        const found = await services.find({ _id: { $in: [...ids] } }, { projection: { state: 1 } }).toArray();
        const failed = found.find((service) => service.state.startsWith('FAILED'));
        if (failed) throw new Error(`service ${failed._id} is ${failed.state}, not ${aim}`);
        if (found.filter((service) => service.state === aim).length === ids.length) break;
        await sleep(10);
      }
      const { state } = (await client.get(`/services/${ids.at(-1)}`, Stated)).value;
      if (state !== aim) throw new Error(`service ${ids.at(-1)} is ${state} in the API, not ${aim}`);
    },
    lastRun: (id: number) => runInfo(engine, `service-${id}`),
    disconnect: () => Promise.all([connection.close(), mongodb.close()]).then(() => undefined),
  };
}

/** The hosts and the VM template; returns the template's id. */
async function makeCloud(client: ApiClient, simulator: number, token: string): Promise<number> {
  await fetch(`http://127.0.0.1:${simulator}/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ boot_ms: 0, shutdown_ms: 0 }),
  });
  const { hosts, vmsPerHost } = cloud;
  const size = { cpu: vmsPerHost, memory: vmsPerHost * 512 };
  for (let host = 0; host < hosts; host++)
    await client.send('POST', '/hosts', Identified, json({ name: `bench-${host}`, ...size }));
  for (;;) {
    const monitored = await client.list('/hosts', Identified, { query: { state: 'MONITORED' }, most: hosts });
    if (monitored.length === hosts) break;
    await sleep(100);
  }
  const template = json({ name: 'bench', template: { CPU: 1, MEMORY: 512 } });
  return (await client.send('POST', '/vm-templates', Identified, template)).value.id;
}
