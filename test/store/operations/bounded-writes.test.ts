import mongoose, { type Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Vm } from '../../../schemas/vms/vm.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { type BoundMove, movedAtOnce } from '../../../store/vms/bound-moves.js';
import { deployingService } from '../../support/deploying-service.js';
import { madeVm } from '../../support/made-vm.js';
import { ownDatabaseUri } from '../../support/servers.js';
import { writesByTransaction } from '../../support/writes-by-transaction.js';

let connection: Connection;
let store: Store;

beforeAll(async () => {
  const uri = ownDatabaseUri('bounded-writes');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await mongoose.createConnection(uri, { monitorCommands: true }).asPromise();
  store = createStore(connection);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

it('VMs that are bound to others get their places in portions, each of which sees where those before it are', async () => {
  const service = 7;
  const hold = { op: 'an-operation', epoch: 1, attempt: 0 };
  await store.services.model.create([deployingService(service, hold.op)]);
  const vms = Array.from({ length: 2 * movedAtOnce + 100 }, (_, at): Vm => {
    const state = { state: 'PENDING', lcm_state: 'LCM_INIT' } as const;
    return madeVm({ _id: at, ...state, service: { id: service, role: 'front', ordinal: at }, hold });
  });
  await connection.collection<Vm>('vms').insertMany(vms);
  const tied = { service, role: 'front', apart: ['front'], together: [] };
  const late = vms.at(-1)?._id ?? -1;
  const moves = vms.map((vm): BoundMove => {
    // The last one comes to where the first one is by then.
    const host = vm._id === late ? 0 : vm._id;
    const stay = { ...{ seq: 0, hid: host, hostname: `host-${host}`, vm_mad: 'simulated' as const, epoch: 1 } };
    const history = [{ ...stay, stime: new Date(0), etime: null, reason: 'none' as const }];
    return { move: { vm, event: 'place', set: { reason: null, history } }, tied, host };
  });
  let answer: Awaited<ReturnType<Store['places']['ofService']>> | undefined;
  const written = await writesByTransaction(connection, ['vms'], async () => {
    answer = await store.places.ofService(service, moves);
  });
  expect(written).toEqual([movedAtOnce, movedAtOnce, 99]);
  expect(answer).toMatchObject({ moved: vms.length - 1, refused: [late] });
  expect(answer?.there.size).toBe(vms.length - 1);
  expect(await store.vms.model.countDocuments({ lcm_state: 'PROLOG' })).toBe(vms.length - 1);
});

it('what somebody uses is counted again without a transaction, however much it is', async () => {
  const charge = { services: 0, vms: 1, cpu: 100, memory: 64 };
  const vms = Array.from({ length: 1_000 }, (_, at): Vm => {
    return madeVm({ _id: 10_000 + at, state: 'ACTIVE', lcm_state: 'RUNNING', uid: 5, gid: 100, charge });
  });
  await connection.collection<Vm>('vms').insertMany(vms);
  const counted: boolean[] = [];
  const written = await writesByTransaction(connection, ['vms'], async () => {
    const balances = await store.quotas.balances();
    expect(balances).toHaveLength(2);
    for (const seen of balances) counted.push(await store.quotas.recount(seen));
    for (const seen of balances) counted.push(await store.quotas.recount(seen));
  });
  expect(written).toEqual([]);
  // What was seen is no more after the first time.
  expect(counted).toEqual([true, true, false, false]);
  const used = { services: 0, vms: 1_000, cpu: 100_000, memory: 64_000 };
  expect(await store.quotas.find({ type: 'user', id: 5 })).toMatchObject({ used });
  expect(await store.quotas.find({ type: 'group', id: 100 })).toMatchObject({ used });
});
