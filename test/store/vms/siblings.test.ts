import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Vm } from '../../../schemas/vms/vm.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore } from '../../../store/store.js';
import { madeVm } from '../../support/made-vm.js';
import { ownDatabaseUri } from '../../support/servers.js';

let connection: Connection;

beforeAll(async () => {
  const uri = ownDatabaseUri('siblings');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await connectMongodb(uri);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

const place = (hid: number): Vm['history'] => [
  {
    seq: 0,
    hid,
    hostname: `host-${hid}`,
    vm_mad: 'simulated',
    epoch: 1,
    stime: new Date(),
    etime: null,
    reason: 'none',
  },
];

it('siblings are where VMs have their place, switched off or not', async () => {
  const states = [
    { state: 'PENDING', lcm_state: 'LCM_INIT', history: [] },
    { state: 'ACTIVE', lcm_state: 'RUNNING', history: place(1) },
    { state: 'POWEROFF', lcm_state: 'LCM_INIT', history: place(2) },
    { state: 'DONE', lcm_state: 'LCM_INIT', history: place(3).map((stay) => ({ ...stay, etime: new Date() })) },
  ] as const;
  const vms = states.map((said, at) =>
    madeVm({ _id: at, service: { id: 7, role: 'web', ordinal: at }, ...said, history: [...said.history] }),
  );
  await connection.collection<Vm>('vms').insertMany(vms);
  const siblings = await createStore(connection).vms.siblings([7]);
  expect(siblings.map(({ host }) => host).toSorted((one, other) => one - other)).toEqual([1, 2]);
});
