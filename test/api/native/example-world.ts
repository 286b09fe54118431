import { pino } from 'pino';
import request from 'supertest';
import { createMetrics } from '../../../api/http/metrics.js';
import { apiRoot, type Route } from '../../../api/native/route.js';
import { createIdentity } from '../../../requests/identity/identity.js';
import { createOperations } from '../../../requests/operations.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { eventually } from '../../support/processes.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { createApp } from '../native-app.js';

/** A cloud with the real app over real workers, and a hypervisor in memory, on which the examples of the API are played. */
export type ExampleWorld = World & {
  send: (method: Route['method'], path: string) => request.Test;
  /** Waits until the newest operation has ended or waits for a person, and all its steps are written down. */
  settled: () => Promise<void>;
  /** Two looks: the second decides what has become of a VM. */
  monitored: () => Promise<void>;
};

export async function newExampleWorld(): Promise<ExampleWorld> {
  const world = await newWorld({ server: development, hosts: 0 });
  const { store, directory, engine } = world;
  const identity = createIdentity({ directory, failedLogins: 10 });
  const app = createApp({
    operations: createOperations({
      ...{ store, directory, engine },
      settings: { temporalUiUrl: 'https://temporal.example.org', failedLogins: 10 },
      screens: { of: async () => ({ password: 'pQ3_x-7z', open: () => Promise.reject(new Error('nobody opens it')) }) },
      storages: noStorages,
      sealer: noSealer,
      onDelayed: () => {},
    }),
    identity,
    probes: { mongodb: async () => {}, temporal: async () => {} },
    metrics: createMetrics(),
    logger: pino({ level: 'silent' }),
    version: '0.0.0',
    isDraining: () => false,
  });
  return Object.assign(world, {
    send: (method: Route['method'], path: string) =>
      request(app)
        [method](apiRoot + path)
        .auth('oneadmin', 'oneadmin'),
    settled: async () => {
      const newest = await store.operations.model.findOne().sort({ _id: -1 }).lean().orFail().exec();
      const { state } = await world.ended(newest._id);
      if (state !== 'succeeded') return;
      await eventually(async () => {
        const steps = await store.steps.ofOperation(newest._id, 200);
        return steps.at(-1)?.name === 'endOperation' && steps.every((step) => step.state !== 'running');
      });
    },
    monitored: async () => {
      await world.tick('monitorHosts');
      await world.tick('monitorHosts');
    },
  });
}
