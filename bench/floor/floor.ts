import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import mongoose from 'mongoose';
import { built } from '../../adapters/process/checkout.js';
import { portionsOf } from '../../domain/portions.js';
import { ensureNamespace } from '../../runtime/servers/prepare-temporal.js';
import type { Role, RunInfo, Subject } from '../subject.js';
import { runInfo } from '../subject.js';
import { type FloorService, floorNamespace, floorQueue } from './input.js';

/** `act`: something that takes so many calls is done to so many VMs, by a run for each; resolves when it is done to all. */
export type Floor = Subject & { pid: number; act(vms: number, calls: number): Promise<void>; stop(): Promise<void> };

const askedAtOnce = 10;

/**
 * The floor: the same steps as bare activities, on the same servers, with a namespace and a database of their own and
 * one worker process. A deployment is asked for by writing the service's document and starting the run, from here.
 */
export async function startFloor(temporal: string, mongodbUri: string, hosts: number): Promise<Floor> {
  const connection = await Connection.connect({ address: temporal });
  await ensureNamespace(connection, floorNamespace, 1);
  const mongodb = await mongoose.mongo.MongoClient.connect(mongodbUri);
  const db = mongodb.db();
  await db
    .collection('vms')
    .createIndex({ 'service.id': 1, 'service.role': 1, 'service.ordinal': 1 }, { unique: true });
  await db
    .collection<{ _id: number; used: object; vms: number }>('hosts')
    .insertMany(Array.from({ length: hosts }, (_, id) => ({ _id: id, used: { cpu: 0, memory: 0 }, vms: 0 })));
  const services = db.collection<{ _id: number; state: string; roles: object[] }>('services');
  const client = new Client({ connection, namespace: floorNamespace });
  const worker = spawn(process.execPath, [built('bench/floor/worker.js'), temporal], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ARCUS_MONGODB_URI: mongodbUri },
  });
  await polling(worker);

  const known = new Map<number, FloorService>();
  let acts = 0;
  const start = (workflow: 'deployFloor' | 'undeployFloor', service: FloorService) =>
    client.workflow.start(workflow, {
      workflowId: `${workflow}-${service.id}`,
      taskQueue: floorQueue,
      args: [service],
    });
  return {
    pid: worker.pid ?? 0,
    async deploy(roles: readonly Role[]): Promise<number> {
      const service = {
        id: known.size + 1,
        roles: roles.map(({ name, cardinality = 1, parents = [] }) => ({ name, cardinality, parents })),
      };
      known.set(service.id, service);
      await services.insertOne({
        _id: service.id,
        state: 'PENDING',
        roles: service.roles.map((role) => ({ ...role, state: 'PENDING' })),
      });
      await start('deployFloor', service);
      return service.id;
    },
    async undeploy(id: number): Promise<void> {
      const service = known.get(id);
      if (!service) throw new Error(`the floor has no service ${id}`);
      await start('undeployFloor', service);
    },
    async reach(ids: readonly number[], state: string): Promise<void> {
      for (;;) {
        const there = await services.countDocuments({ _id: { $in: [...ids] }, state });
        if (there === ids.length) return;
        await sleep(10);
      }
    },
    async act(count: number, calls: number): Promise<void> {
      acts += 1;
      const ids = Array.from({ length: count }, (_, at) => `act-${acts}-${at}`);
      // As many at a time as Arcus asks.
      for (const some of portionsOf(ids, askedAtOnce))
        await Promise.all(
          some.map((id) =>
            client.workflow.start('actFloor', { workflowId: id, taskQueue: floorQueue, args: [id, calls] }),
          ),
        );
      const ended = db.collection<{ _id: string; state: string }>('acts');
      while ((await ended.countDocuments({ _id: { $in: ids }, state: 'DONE' })) < count) await sleep(10);
    },
    lastRun: (id): Promise<RunInfo> => runInfo(client, `deployFloor-${id}`),
    async stop(): Promise<void> {
      worker.kill('SIGTERM');
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      if (worker.exitCode === null && worker.signalCode === null) await ended;
      await Promise.all([connection.close(), mongodb.close()]);
    },
  };
}

function polling(worker: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.stdout?.on('data', (said: Buffer) => {
      if (said.toString().includes('polling')) resolve();
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the floor's worker ended with code ${code}`)));
  });
}
