import { type Model, mongo, type QueryFilter } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { isAdministrator, type Visibility, visibility } from '../../domain/identity/permissions.js';
import { Problem } from '../../domain/problems.js';
import type { Page } from '../../schemas/common/common.js';
import { limits } from '../../schemas/common/limits.js';
import type { ListFields, ListQuery } from '../../schemas/common/list.js';
import { kinds, type OwnedKind, operatedKinds } from '../../schemas/kinds.js';
import type { ResourceRef } from '../../schemas/operations/operation.js';
import { afterCursor, cursorOf, type SortKey } from './cursor.js';
import { filterOf } from './list-filter.js';
import type { Index } from './model.js';

/** What is most of a document, and which fields of what is shown need it; `empty` stands there where none is asked for. */
export type Part = { neededBy: readonly string[]; empty: object | string };

/**
 * `fields`: the projection that gives a `Row`; absent, whole documents. `parts`: what then need not be read when the query
 * chooses fields, by path; what no field needs never is. `list`: what the query's fields are.
 */
type Order = {
  ids: 'number' | 'string';
  newestFirst?: boolean;
  fields?: Readonly<Record<string, number>>;
  parts?: Readonly<Record<string, Part>>;
  list?: ListFields;
};

/** Milliseconds that MongoDB may read for one page: far more than a page by an index takes. */
const longestRead = 5_000;
const maxTimeExpired = 50;

/** One page by index, in order of id, which `newestFirst` turns round, or as the query says. It ends by number or by bytes. */
export async function pageOf<T extends { _id: number | string }, Row extends Pick<T, '_id'> = T>(
  model: Model<T>,
  filter: QueryFilter<T>,
  { limit, cursor, filter: conditions = [], sort, fields: asked }: ListQuery,
  { ids, newestFirst = false, fields, parts = {}, list = {} }: Order = { ids: 'number' },
): Promise<Page<Row>> {
  const key: SortKey = {
    ids,
    path: (sort && list[sort.field]?.path) ?? '_id',
    kind: (sort && list[sort.field]?.kind) ?? 'integer',
    descending: sort?.descending ?? newestFirst,
    isDefault: sort === undefined,
  };
  const direction = key.descending ? -1 : 1;
  const left = Object.entries(parts).filter(([, { neededBy }]) =>
    asked ? !neededBy.some((name) => asked.includes(name)) : neededBy.length === 0,
  );
  // Past Mongoose, whose queries have no cursor that is as cheap: of a page of large documents the rest is not even sent.
  const found = model.db.collection(model.collection.name).find<Row>(
    { $and: [filter, ...filterOf(conditions, list), afterCursor(cursor, key)] },
    {
      projection: fields ?? Object.fromEntries(left.map(([path]) => [path, 0])),
      sort: key.path === '_id' ? { _id: direction } : { [key.path]: direction, _id: direction },
      limit: limit + 1,
      batchSize: limit + 1,
      ...((conditions.length > 0 || sort) && { maxTimeMS: longestRead }),
    },
  );
  const empty = Object.fromEntries(left.map(([path, part]) => [path, part.empty]));
  const page = await readPage(found, limit).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === maxTimeExpired) throw tooBroad();
    throw error;
  });
  const last = page.items.at(-1);
  return {
    items: left.length === 0 ? page.items : page.items.map((item) => ({ ...item, ...empty })),
    next_cursor: page.more && last ? cursorOf(last, key) : null,
  };
}

/** Documents until there are enough, by number or by bytes, one at least; and whether there are more. */
async function readPage<Row extends object>(
  found: AsyncIterable<Row>,
  limit: number,
): Promise<{ items: Row[]; more: boolean }> {
  const items: Row[] = [];
  let bytes = 0;
  for await (const item of found) {
    bytes += mongo.BSON.calculateObjectSize(item);
    if (items.length === limit || (items.length > 0 && bytes > limits.pageBytes.most)) return { items, more: true };
    items.push(item);
  }
  return { items, more: false };
}

const tooBroad = (): Problem =>
  new Problem('invalid_request', 'So much has to be read for this page that it takes too long.', {
    findings: [{ pointer: '/filter', detail: 'narrow it, by state or by the beginning of a name, or leave sort out' }],
  });

/** The indexes from which lists take pages in the orders that they offer beside that of the id. */
export const sortIndexes = (list: ListFields): Index[] =>
  Object.values(list)
    .filter(({ sorts, path }) => sorts && path !== '_id')
    .map(({ path }) => ({ fields: { [path]: 1, _id: 1 } }));

/** What the caller may USE of a kind of object, as a filter: what domain/identity/permissions describes, for lists. */
export function visibleTo(caller: Caller, kind: OwnedKind): Record<string, unknown> {
  const seen = visibility(caller, kinds[kind].acl);
  if (seen.all) return {};
  const { ids, gids, clusters } = seen;
  return {
    $or: [
      ...permitted(seen),
      ...(ids.length > 0 ? [{ _id: { $in: ids } }] : []),
      ...(gids.length > 0 ? [ofGroups(gids)] : []),
      ...(clusters.length > 0 ? [{ cluster_ids: { $in: clusters } }, inOne(clusters)] : []),
    ],
  };
}

/** Hosts of an earlier version do not say that they are in cluster 0. */
const inOne = (clusters: readonly number[]) =>
  clusters.includes(0)
    ? { cluster_id: { $in: [...clusters, null] }, cluster_ids: null }
    : { cluster_id: { $in: clusters } };

/**
 * The same for operations, which are seen by their own bits and by what rules grant on the objects they are about.
 */
export function operationsVisibleTo(caller: Caller): Record<string, unknown> {
  if (isAdministrator(caller)) return {};
  return {
    $or: [
      ...permitted({ uid: caller.id, groups: caller.groups }),
      ...operatedKinds.flatMap((kind) => about(kind, visibility(caller, kinds[kind].acl))),
    ],
  };
}

function about(type: ResourceRef['type'], seen: Visibility): Record<string, unknown>[] {
  const on = { 'resource.type': type };
  if (seen.all) return [on];
  return [
    ...(seen.ids.length > 0 ? [{ ...on, 'resource.id': { $in: seen.ids } }] : []),
    ...(seen.gids.length > 0 ? [{ ...on, ...ofGroups(seen.gids) }] : []),
    ...(seen.clusters.length > 0
      ? [{ ...on, cluster_id: { $in: seen.clusters.includes(0) ? [...seen.clusters, null] : seen.clusters } }]
      : []),
  ];
}

const permitted = ({ uid, groups }: { uid: number; groups: readonly number[] }): Record<string, unknown>[] => [
  { uid, 'permissions.owner.use': true },
  { gid: { $in: groups }, 'permissions.group.use': true },
  { 'permissions.other.use': true },
];

/** Whatever their bits: said for the index, which has the bit between the group and the id. */
const ofGroups = (gids: readonly number[]) => ({
  gid: { $in: gids },
  'permissions.group.use': { $in: [true, false] },
});

/**
 * The indexes from which such a filter takes a page without sorting: one for each of its branches, each in order of id
 * behind what the branch, and `field` where lists ask for some values of it only, pin down. They are not partial: of
 * partial ones MongoDB does not merge the orders.
 */
export const pageIndexes = (field?: string): Index[] =>
  [['uid', 'permissions.owner.use'], ['gid', 'permissions.group.use'], ['permissions.other.use']].map((branch) => ({
    fields: Object.fromEntries([...branch, ...(field === undefined ? [] : [field]), '_id'].map((name) => [name, 1])),
  }));
