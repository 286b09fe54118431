import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { permissionsOf } from '../../domain/identity/permission-bits.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { createDirectory } from '../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { seeded } from '../support/cluster-chance.js';
import { makeOwnedService, strays } from '../support/owned-service.js';
import { addUser } from '../support/people.js';
import { ownDatabaseUri } from '../support/servers.js';
import { inLanes, Racer } from './starting-racers.js';

const owner = { uid: 2, gid: 1, permissions: permissionsOf('600') };
let databaseUri: string;
let connection: Connection;
let store: Store;
beforeAll(async () => {
  databaseUri = ownDatabaseUri('ownership-races');
  const first = await connectMongodb(databaseUri);
  await bootstrapStore(first);
  await first.close();
  connection = await connectMongodb(databaseUri);
  store = createStore(connection);
  const directory = createDirectory(connection);
  for (const name of ['alice', 'bob']) await addUser(directory, name);
  await store.quotas.makeCounted(owner, 'vm_templates', (session) =>
    store.vmTemplates.insert(
      { ...{ _id: 0, name: 'small', ...owner, created_at: new Date() }, template: { CPU: 1, MEMORY: 64 } },
      session,
    ),
  );
  await store.counters.beginAt('vm', 1_000_000);
});
afterAll(async () => {
  await connection?.dropDatabase();
  await connection?.close();
});

it('services that are given away and shared while operations on them and their VMs are admitted keep nothing of the old owner or bits', async () => {
  const rounds = 60;
  const chance = seeded('ARCUS_RACE_SEED');
  await inLanes(rounds, 8, async (service) => {
    await makeOwnedService(store, service, { owner, vms: 2, state: 'FAILED_DEPLOYING' });
  });
  const working = await Racer.start('recover-services.js', databaseUri);
  const giving = await Racer.start('give-services.js', databaseUri);
  const orders = { refused: 0, 'given, then recovered': 0, 'recovered, then given': 0 };
  const terminations = { 'given, then terminated': 0, 'terminated, then given': 0 };
  const wrong: string[] = [];
  let given = 0;

  await inLanes(rounds, 6, async (service) => {
    const pause = () => chance() * 120;
    const [recovered, terminated, gives] = await Promise.all([
      working.play(z.int(), pause(), { service, role: 'back', vm: -1 }),
      working.play(z.int(), pause(), { service, role: null, vm: service * 1_000 }),
      giving.play(z.boolean(), pause(), { service, uid: 3 }),
      giving.play(z.boolean(), pause(), { service, uid: null }),
    ]);
    wrong.push(...(await strays(store, service)));
    orders[!gives ? 'refused' : recovered === 3 ? 'given, then recovered' : 'recovered, then given']++;
    if (gives) terminations[terminated === 3 ? 'given, then terminated' : 'terminated, then given']++;
    if (gives) given++;
  });
  console.error(`race of owners: ${JSON.stringify({ ...orders, ...terminations })}`);
  expect(wrong).toEqual([]);
  // A race in which one side always wins shows nothing.
  for (const order of ['refused', 'given, then recovered'] as const) expect(orders[order], order).toBeGreaterThan(0);
  for (const [order, times] of Object.entries(terminations)) expect(times, order).toBeGreaterThan(0);
  expect(await store.vms.model.countDocuments({ _id: { $gte: 1_000_000 } })).toBe(rounds);
  expect((await store.quotas.find({ type: 'user', id: 3 }))?.used.services).toBe(given);
});
