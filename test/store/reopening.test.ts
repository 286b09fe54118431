import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultPermissions } from '../../schemas/common.js';
import type { Operation } from '../../schemas/operation.js';
import type { Vm } from '../../schemas/vm.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { ownDatabaseUri } from '../support/servers.js';

let connection: Connection;
let store: Store;

beforeAll(async () => {
  const uri = ownDatabaseUri('reopening');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await connectMongodb(uri);
  store = createStore(connection);
});
afterAll(() => connection.close());

const op = '01JD00000000000000000000AA';
const running: Operation<'deployVm'> = {
  _id: op,
  kind: 'deployVm',
  resource: { type: 'vm', id: 0 },
  resource_name: 'one',
  workflow_id: 'vm-0',
  input: {},
  requester: { id: 0, name: 'oneadmin' },
  uid: 0,
  gid: 0,
  permissions: defaultPermissions,
  idempotency_key: null,
  fingerprint: '',
  state: 'running',
  run_id: 'second-run',
  waiting_for: null,
  error: null,
  template_id: null,
  retry_of: null,
  cancel_requested: null,
  question: null,
  answer: null,
  created_at: new Date(),
  started_at: new Date(),
  ended_at: null,
};

const booting: Vm = {
  _id: 0,
  name: 'one',
  uid: 0,
  gid: 0,
  permissions: defaultPermissions,
  state: 'ACTIVE',
  lcm_state: 'BOOT',
  reason: null,
  template_id: 0,
  capacity: { cpu: 100, memory: 64 },
  template: {},
  user_template: {},
  service: null,
  history: [],
  deploy_id: null,
  epoch: 2,
  hold: null,
  operation: op,
  wanted: null,
  created_at: new Date(),
  ended_at: null,
};

it('takes the holds of a run that is gone, and nothing from the run that came after it', async () => {
  await store.operations.model.create([running]);
  const hold = { op, epoch: 2, attempt: 1 };
  await store.vms.insertMissing([{ ...booting, hold }]);

  const late = await store.endings.reopen({ _id: op, state: 'running', run_id: 'first-run' });
  expect(late).toBe(false);
  expect((await store.vms.find(0))?.hold).toEqual(hold);
  expect(await store.operations.find(op)).toMatchObject({ state: 'running', run_id: 'second-run' });

  expect(await store.endings.reopen(running)).toBe(true);
  expect((await store.vms.find(0))?.hold).toBeNull();
  expect(await store.operations.find(op)).toMatchObject({ state: 'accepted', run_id: null });
});

it('leaves young operations to whoever admitted them, and looks at those of a clock that was ahead', async () => {
  const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));
  const made = { old: at(-60), young: at(-1), future: at(7_200) };
  await store.operations.model.create(
    Object.entries(made).map(([_id, created_at]) => ({ ...running, _id, created_at })),
  );
  const looked = await store.operations.openOutside({ from: at(-3), to: at(0) }, 'a', 10);
  expect(looked.map(({ _id }) => _id)).toEqual(['future', 'old']);
});
