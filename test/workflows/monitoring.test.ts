import { MockActivityEnvironment } from '@temporalio/testing';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { monitoringActivities } from '../../activities/monitoring.js';
import type { Engine } from '../../adapters/engine/port.js';
import type { Hypervisor } from '../../adapters/hypervisor/port.js';
import { Problem } from '../../domain/problems.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { ownDatabaseUri } from '../support/servers.js';

let connection: Connection;
let store: Store;
beforeAll(async () => {
  const uri = ownDatabaseUri('monitoring');
  const first = await connectMongodb(uri);
  await bootstrapStore(first);
  await first.close();
  connection = await connectMongodb(uri);
  store = createStore(connection);
  const raw = connection.getClient().db(connection.name);
  await raw.collection<{ _id: number }>('hosts').insertOne({
    _id: 1,
    ...{ name: 'one', vm_mad: 'simulated', state: 'MONITORED', error: null, total: { cpu: 100, memory: 100 }, vms: {} },
  });
  await raw
    .collection<{ _id: number }>('vms')
    .insertOne({ _id: 1, ...{ state: 'PENDING', operation: 'an operation' } });
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

it('a host that answers again is MONITORED within the same tick while VMs wait, and those are told', async () => {
  let probes = 0;
  const hypervisor: Pick<Hypervisor, 'probe'> = {
    async probe() {
      probes++;
      if (probes < 3) throw new Problem('backend_unavailable', 'it does not run');
      return { total: { cpu: 100, memory: 100 }, domains: [] };
    },
  };
  let told = 0;
  const engine: Pick<Engine, 'signalPlacement'> = {
    async signalPlacement() {
      told++;
    },
  };
  const { monitorHosts } = monitoringActivities({ store, hypervisors: { of: () => hypervisor }, engine });
  const seen = await new MockActivityEnvironment().run(monitorHosts, [1]);
  expect(seen).toEqual({ monitored: 1, failed: 0 });
  expect({ probes, told }).toEqual({ probes: 3, told: 1 });
  expect(await store.hosts.find(1)).toMatchObject({ state: 'MONITORED', error: null });
});
