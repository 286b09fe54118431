import { createConnection } from 'mongoose';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../api/native/openapi.js';
import { routeTable } from '../../../api/native/route-table.js';
import { nounOf } from '../../../cli/shell/noun-of.js';
import { reference } from '../../../cli/shell/reference.js';
import { type Kind, kindNames, kinds, ownedKinds, rowOf } from '../../../schemas/kinds.js';
import { createDirectory } from '../../../store/identity/mongodb-directory.js';
import { createStore } from '../../../store/store.js';

const routesAt = (path: string) =>
  Object.fromEntries(routeTable.filter((route) => route.path === path).map((route) => [route.method, route]));

describe.each(kindNames.map((kind) => [kinds[kind].one, kind] as const))('a %s', (_one, kind) => {
  const { path, collection } = rowOf(kind);

  it('is listed and shown where its row says', () => {
    expect(routesAt(path)).toHaveProperty('get');
    expect(routesAt(`${path}/{id}`)).toHaveProperty('get');
  });

  it('has a collection of its own', async () => {
    expect(kindNames.filter((other) => kinds[other].collection === collection)).toEqual([kind]);
    const connection = createConnection();
    createStore(connection);
    createDirectory(connection);
    const made = Object.values(connection.models).map((model) => model.collection.name);
    expect(made).toContain(collection);
    await connection.close();
  });
});

describe.each(kindNames.flatMap((kind) => rowOf(kind).secret?.map((field) => [field, kinds[kind].one]) ?? []))(
  'the %s of a %s',
  (field) => {
    it('is in nothing that the API takes or answers', () => {
      const said = new Set<string>();
      membersOf(openApiDocument('0').components?.schemas, said);
      expect(said.size).toBeGreaterThan(100);
      expect(said).not.toContain(field);
    });
  },
);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The names of all members that schemas speak of. */
function membersOf(schema: unknown, found: Set<string>): void {
  for (const one of Array.isArray(schema) ? schema : isRecord(schema) ? Object.values(schema) : [])
    membersOf(one, found);
  if (isRecord(schema) && isRecord(schema.properties))
    for (const name of Object.keys(schema.properties)) found.add(name);
}

describe.each(ownedKinds.map((kind) => [kinds[kind].one, kind] as const))('a %s', (_one, kind) => {
  const { path, edits } = kinds[kind];

  it('takes for a change the right that its row says', () => {
    const { patch, delete: remove } = routesAt(`${path}/{id}`);
    const changes = [patch, remove].filter((route) => route !== undefined);
    expect(changes.length).toBeGreaterThan(0);
    for (const { needs } of changes) expect(needs).toContainEqual([edits, kind]);
  });

  it('is given away and shared, by the API and on the command line', () => {
    for (const deed of ['chmod', 'chown']) expect(routesAt(`${path}/{id}/${deed}`)).toHaveProperty('post');
    const text = reference();
    for (const deed of ['list', 'show', 'chmod', 'chown', 'chgrp'])
      expect(text).toContain(`\n### arcus ${nounOf(kind).noun} ${deed}\n`);
  });
});

it('kinds that share a pool of ids begin where it does', () => {
  const firsts = new Map<string, Set<number>>();
  for (const kind of kindNames) {
    const { ids } = rowOf(kind satisfies Kind);
    if (ids) firsts.set(ids.pool, (firsts.get(ids.pool) ?? new Set()).add(ids.first));
  }
  for (const [pool, first] of firsts) expect([pool, first.size]).toEqual([pool, 1]);
});
