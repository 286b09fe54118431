import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Children } from '../../../runtime/processes/children.js';
import type { Operation } from '../../../schemas/operations/operation.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore } from '../../../store/store.js';
import { type ClusterMongodb, startClusterMongodb } from '../../support/cluster-mongodb.js';
import { ClusterProcess } from '../../support/cluster-process.js';
import { madeOperation } from '../../support/made-operation.js';

// Two members, so that with one of them frozen nothing is committed any more: what the other has is forgotten when it is outvoted.
let directory: string;
let mongodb: ClusterMongodb;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'arcus-kept-'));
  const children = new Children(join(directory, 'children.json'));
  const settings = { binary: inject('mongodPath'), directory, members: 2, environment: {} };
  mongodb = await startClusterMongodb((command) => ClusterProcess.start(children, command), settings);
});
afterAll(async () => {
  for (const member of mongodb.members) await member.kill();
  rmSync(directory, { recursive: true, force: true });
});

const requester = { id: 3, name: 'ann' };
const asked = { requester, idempotency_key: 'once', fingerprint: 'the same' };
const operation = madeOperation({
  ...{ _id: '01JD00000000000000000000AA', kind: 'deployVm', resource: { type: 'vm', id: 0 }, input: {}, ...asked },
});

it('an operation that MongoDB may forget is promised to nobody who asks again; one that is committed is', async () => {
  const connection = await connectMongodb(mongodb.uri);
  try {
    await bootstrapStore(connection);
    const { operations } = createStore(connection);
    const primary = await mongodb.primary();
    const others = mongodb.members.filter((member) => member !== primary);
    for (const other of others) other.freeze();
    // As the first request has left it, which was never told whether it is committed.
    await connection.collection<Operation>('operations').insertOne(operation, { writeConcern: { w: 1 } });
    expect(await operations.find(operation._id)).not.toBeNull();
    await expect(operations.repeated(asked)).rejects.toThrow();
    for (const other of others) other.thaw();
    await mongodb.primary();
    const found = await operations.repeated(asked);
    expect(found?._id).toBe((await operations.find(operation._id))?._id);

    await operations.model.deleteMany({});
    await operations.model.create([operation]);
    expect(await operations.repeated(asked)).toMatchObject({ _id: operation._id });
    expect(await operations.repeated({ ...asked, idempotency_key: 'another' })).toBeUndefined();
  } finally {
    await connection.close();
  }
});
