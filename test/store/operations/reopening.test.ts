import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { madeOperation } from '../../support/made-operation.js';
import { madeVm } from '../../support/made-vm.js';
import { ownDatabaseUri } from '../../support/servers.js';

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
const running = madeOperation({
  ...{ _id: op, kind: 'deployVm', resource: { type: 'vm', id: 0 }, input: {} },
  ...{ state: 'running', run_id: 'second-run', started_at: new Date() },
});

const booting = madeVm({ _id: 0, state: 'ACTIVE', lcm_state: 'BOOT', epoch: 2, operation: op });

it('takes the holds of a run that is gone, and nothing from the run that came after it', async () => {
  await store.operations.model.create([running]);
  const hold = { op, epoch: 2, attempt: 1 };
  await store.vms.model.insertMany([{ ...booting, hold }]);

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
