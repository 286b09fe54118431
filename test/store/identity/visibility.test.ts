import fc from 'fast-check';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Caller } from '../../../domain/identity/caller.js';
import { allowed } from '../../../domain/identity/permissions.js';
import { operationSubject, subjectOf } from '../../../requests/authorise.js';
import type { AclRule } from '../../../schemas/identity/acl.js';
import { AclRight } from '../../../schemas/identity/acl.js';
import { kinds, operatedKinds, ownedKinds } from '../../../schemas/kinds.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { operationsVisibleTo, visibleTo } from '../../../store/mongo/paging.js';
import { ownDatabaseUri } from '../../support/servers.js';

let connection: Connection;
beforeAll(async () => {
  connection = await connectMongodb(ownDatabaseUri('visibility'));
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

const few = fc.integer({ min: 0, max: 3 });
const bits = fc.record({ use: fc.boolean(), manage: fc.boolean(), admin: fc.boolean() });
const owned = fc.record({
  uid: few,
  gid: few,
  permissions: fc.record({ owner: bits, group: bits, other: bits }),
  resource: fc.record({ type: fc.constantFrom(...operatedKinds), id: few }),
});
const inOne = fc.tuple(owned, few).map(([one, cluster_id]) => ({ ...one, cluster_id }));
const inSeveral = fc
  .tuple(owned, fc.uniqueArray(few, { minLength: 1 }))
  .map(([one, cluster_ids]) => ({ ...one, cluster_ids }));
const length = { minLength: 1, maxLength: 12 };
const objects = fc.array(fc.oneof(owned, inOne, inSeveral), length);
const operations = fc.array(fc.oneof(owned, inOne), length);
const types = [...ownedKinds, ...operatedKinds].map((kind) => kinds[kind].acl);
const rule: fc.Arbitrary<AclRule> = fc.record({
  user: fc.oneof(
    fc.record({ kind: fc.constantFrom('user' as const, 'group' as const), id: few }),
    fc.constant({ kind: 'all' as const }),
  ),
  types: fc.subarray([...new Set(types)], { minLength: 1 }),
  selector: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constantFrom('id' as const, 'group' as const, 'cluster' as const), id: few }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'all' as const }) },
  ),
  rights: fc.subarray([...AclRight.options], { minLength: 1 }),
  zone: fc.constantFrom(null, 0, 1),
});
const callers: fc.Arbitrary<Caller> = fc.record({
  id: few,
  name: fc.constant('somebody'),
  gid: fc.constant(1),
  groups: fc.subarray([1, 2, 3, 0], { minLength: 1 }),
  rules: fc.array(rule, { maxLength: 4 }),
});

it('a list shows what the caller may USE, and nothing else, whatever bits and rules there are', async () => {
  const collection = connection.getClient().db(connection.name).collection<{ _id: number }>('things');
  await fc.assert(
    fc.asyncProperty(objects, callers, fc.constantFrom(...ownedKinds), async (made, caller, kind) => {
      await collection.deleteMany({});
      const stored = made.map((one, _id) => ({ ...one, _id }));
      await collection.insertMany(stored);
      const shown = await collection.find(visibleTo(caller, kind), { projection: { _id: 1 } }).toArray();
      const may = stored.filter((object) => allowed(caller, subjectOf(kind, object), 'use'));
      expect(new Set(shown.map(({ _id }) => _id))).toEqual(new Set(may.map(({ _id }) => _id)));
    }),
    { numRuns: 300 },
  );
});

it('a list of operations shows those that the caller may USE, and no others', async () => {
  const collection = connection.getClient().db(connection.name).collection<{ _id: number }>('deeds');
  await fc.assert(
    fc.asyncProperty(operations, callers, async (made, caller) => {
      await collection.deleteMany({});
      const stored = made.map((one, _id) => ({ ...one, _id }));
      await collection.insertMany(stored);
      const shown = await collection.find(operationsVisibleTo(caller), { projection: { _id: 1 } }).toArray();
      const may = stored.filter((object) => allowed(caller, operationSubject(object), 'use'));
      expect(new Set(shown.map(({ _id }) => _id))).toEqual(new Set(may.map(({ _id }) => _id)));
    }),
    { numRuns: 300 },
  );
});
