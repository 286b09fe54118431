import type { Connection } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { globOf } from '../../../domain/glob.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { operationsVisibleTo, visibleTo } from '../../../store/mongo/paging.js';
import { createStore, type Store } from '../../../store/store.js';
import { ownDatabaseUri } from '../../support/servers.js';

const Explained = z.object({ executionStats: z.object({ totalDocsExamined: z.int(), nReturned: z.int() }) });

const rights = (use: boolean) => ({ use, manage: false, admin: false });
const user = { id: 5, name: 'five', gid: 1, groups: [1, 7], rules: [] };

/** Documents that only the fields which indexes and filters look at make different; nobody parses them. */
const documents = Array.from({ length: 2_000 }, (_, n) => ({
  uid: n % 5 === 0 ? user.id : 9,
  gid: n % 7 === 0 ? 7 : 2,
  permissions: { owner: rights(true), group: rights(n % 3 === 0), other: rights(n % 11 === 0) },
  name: `vm-${n}`,
  created_at: new Date(n),
  state: n < 1_000 ? 'DONE' : 'ACTIVE',
  service: n % 2 === 0 ? { id: Math.floor(n / 10), role: 'web', ordinal: n % 10 } : null,
  hold: n % 100 === 0 ? { op: `op-${n}`, epoch: 1, attempt: 1 } : null,
  requester: { id: 0 },
  idempotency_key: n % 2 === 0 ? `key-${n}` : null,
}));

let connection: Connection;
let store: Store;

beforeAll(async () => {
  connection = await connectMongodb(ownDatabaseUri('indexes'));
  store = createStore(connection);
  for (const model of Object.values(connection.models)) {
    await model.createCollection();
    await model.createIndexes();
  }
  const db = connection.getClient().db(connection.name);
  const numbered = documents.map((document, n) => ({ ...document, _id: n }));
  await db.collection<{ _id: number }>('vms').insertMany(numbered);
  await db.collection<{ _id: number }>('services').insertMany(numbered);
  await db
    .collection<{ _id: string }>('operations')
    .insertMany(documents.map((document, n) => ({ ...document, _id: String(n).padStart(26, '0') })));
});

afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

type Question = { explain(verbosity: 'executionStats'): unknown };

/** Documents that MongoDB read for an answer, and those in it. */
async function reads(question: Question): Promise<{ read: number; found: number }> {
  const { executionStats } = Explained.parse(await question.explain('executionStats'));
  return { read: executionStats.totalDocsExamined, found: executionStats.nReturned };
}

describe('a question about few documents reads no others:', () => {
  it('the VMs of a service', async () => {
    const { read, found } = await reads(store.vms.model.find({ 'service.id': 150, state: { $ne: 'DONE' } }));
    expect(found).toBe(5);
    expect(read).toBe(5);
  });

  it('the VMs that an operation holds', async () => {
    expect(await reads(store.vms.model.find({ 'hold.op': 'op-300' }))).toEqual({ read: 1, found: 1 });
  });

  it('the operation of an idempotency key', async () => {
    const question = store.operations.model.find({ 'requester.id': 0, idempotency_key: 'key-30' });
    expect(await reads(question)).toEqual({ read: 1, found: 1 });
  });
});

describe('a page is read from an index in order of id, for an ordinary user too:', () => {
  const page = 20;
  const of = (model: Store['vms']['model'] | Store['services']['model'], filter: object) =>
    model.collection
      .find({ $and: [filter, { _id: { $gt: 500 } }] })
      .sort({ _id: 1 })
      .limit(page);

  it('services', async () => {
    expect(await reads(of(store.services.model, visibleTo(user, 'service')))).toEqual({ read: page, found: page });
  });

  it('VMs, past those that are DONE', async () => {
    const filter = { ...visibleTo(user, 'vm'), state: { $in: ['PENDING', 'ACTIVE'] } };
    expect(await reads(of(store.vms.model, filter))).toEqual({ read: page, found: page });
  });

  it('operations, newest first', async () => {
    const filter = { $and: [operationsVisibleTo(user), { _id: { $lt: '00000000000000000000001500' } }] };
    const question = store.operations.model.collection.find(filter).sort({ _id: -1 }).limit(page);
    expect(await reads(question)).toEqual({ read: page, found: page });
  });
});

describe('a page in another order is read from an index too:', () => {
  it.each(['name', 'created_at'])('services by %s', async (field) => {
    const question = store.services.model.collection
      .find({})
      .sort({ [field]: -1, _id: -1 })
      .limit(20);
    expect(await reads(question)).toEqual({ read: 20, found: 20 });
  });

  it('VMs whose names begin alike, after a cursor', async () => {
    const beyond = { name: { $gte: 'vm-15' }, $or: [{ name: { $gt: 'vm-15' } }, { name: 'vm-15', _id: { $gt: 15 } }] };
    const filter: object = { $and: [{ name: { $in: [globOf('vm-1*')] } }, beyond] };
    const question = store.vms.model.collection.find(filter).sort({ name: 1, _id: 1 }).limit(20);
    // And the one at the cursor.
    expect(await reads(question)).toEqual({ read: 21, found: 20 });
  });
});

it('pages of an ordinary user hold all that the user may see, once each, in order', async () => {
  const seen: number[] = [];
  for (let cursor: string | undefined; ; ) {
    const { items, next_cursor } = await store.vms.list(user, { limit: 33, ...(cursor !== undefined && { cursor }) });
    seen.push(...items.map((vm) => vm._id));
    if (next_cursor === null) break;
    cursor = next_cursor;
  }
  const visible = documents.flatMap(({ uid, gid, permissions, state }, n) =>
    state !== 'DONE' && (uid === user.id || (gid === 7 && permissions.group.use) || permissions.other.use) ? [n] : [],
  );
  expect(seen).toEqual(visible);
});
