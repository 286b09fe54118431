import type { Connection } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultPermissions } from '../../../schemas/common/common.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { deployingService } from '../../support/deploying-service.js';
import { ownDatabaseUri } from '../../support/servers.js';

let connection: Connection;
let stores: [Store, Store];
let other: Connection;
beforeAll(async () => {
  const uri = ownDatabaseUri('cardinality');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await connectMongodb(uri);
  other = await connectMongodb(uri);
  stores = [createStore(connection), createStore(other)];
});
afterAll(async () => {
  await connection.dropDatabase();
  await other.close();
  await connection.close();
});

const vmOf = (service: number, ordinal: number, over: Partial<Vm> = {}): Vm => ({
  ...{ _id: service * 10 + ordinal, name: `front_${ordinal}`, uid: 0, gid: 0, permissions: defaultPermissions },
  ...{ state: 'PENDING', lcm_state: 'LCM_INIT', reason: null, template_id: 0, template: {}, user_template: {} },
  ...{ capacity: { cpu: 100, memory: 64 }, service: { id: service, role: 'front', ordinal }, history: [] },
  ...{ deploy_id: null, epoch: 1, hold: null, operation: null, wanted: null, created_at: new Date(), ended_at: null },
  ...over,
});
const byHand = { hold: { op: 'end', epoch: 1, attempt: 0 }, operation: 'end', wanted: 'end' };

/** A role of so many, of which one is there and about to be gone by hand. */
async function shortRole(id: number, cardinality: number): Promise<Vm> {
  const service = deployingService(id, 'deployment');
  const roles = service.roles.map((role) => ({ ...role, cardinality: role.name === 'front' ? cardinality : 0 }));
  await stores[0].services.model.create([{ ...service, roles }]);
  const vm = vmOf(id, 0, byHand);
  await connection.collection<Vm>('vms').insertOne(vm);
  return vm;
}

const frontOf = async (id: number) => (await stores[0].services.find(id))?.roles.find(({ name }) => name === 'front');
const planned = (service: number, cardinality: number) => ({
  ...{ service, op: 'deployment' },
  roles: [{ name: 'front', cardinality }],
});

describe('VMs that a role lacks', () => {
  it('are made only while it is to have as many as they were planned for, or not at all', async () => {
    const vm = await shortRole(1, 3);
    const made = [vmOf(1, 1), vmOf(1, 2)];
    expect(await stores[0].cardinality.insertWhile(planned(1, 4), made)).toBe(false);
    await stores[0].vms.transition([{ vm, event: 'done' }]);
    expect((await frontOf(1))?.cardinality).toBe(2);
    expect(await stores[0].cardinality.insertWhile(planned(1, 3), made)).toBe(false);
    await stores[0].services.model.updateOne({ _id: 1 }, { $set: { wanted: 'undeployment' } });
    expect(await stores[0].cardinality.insertWhile(planned(1, 2), made)).toBe(false);
    expect(await stores[0].vms.ofService(1)).toEqual([]);
    await stores[0].services.model.updateOne({ _id: 1 }, { $set: { wanted: null } });
    expect(await stores[0].cardinality.insertWhile(planned(1, 2), made)).toBe(true);
    expect(await stores[0].cardinality.insertWhile(planned(1, 2), [vmOf(1, 2), vmOf(1, 3)])).toBe(false);
    expect(await stores[0].vms.ofService(1)).toHaveLength(2);
  });

  it('and one that goes at the same moment, in another process, never make more or fewer than it is to have', async () => {
    for (let round = 2; round < 22; round++) {
      const vm = await shortRole(round, 2);
      const [wasMade] = await Promise.all([
        stores[0].cardinality.insertWhile(planned(round, 2), [vmOf(round, 1)]),
        stores[1].vms.transition([{ vm, event: 'done', release: true }]),
      ]);
      // Whoever came too late plans again, from what is.
      if (!wasMade) expect(await stores[0].cardinality.insertWhile(planned(round, 1), [vmOf(round, 1)])).toBe(true);
      expect((await frontOf(round))?.cardinality).toBe(1);
      expect(await stores[0].vms.ofService(round)).toHaveLength(1);
    }
  });
});
