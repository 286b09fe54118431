import type { Model, QueryFilter } from 'mongoose';
import type { Caller } from '../domain/caller.js';
import { isAdministrator, type Visibility, visibility } from '../domain/permissions.js';
import { Problem } from '../domain/problems.js';
import type { ResourceType } from '../schemas/acl.js';
import type { Page, PageQuery } from '../schemas/common.js';
import type { ResourceRef } from '../schemas/operation.js';
import type { Index } from './model.js';

/** Cursors are opaque to clients: the id of the last item, encoded. */
const encode = (id: number | string): string => Buffer.from(String(id)).toString('base64url');

function decode(cursor: string, kind: 'number' | 'string'): number | string {
  const text = Buffer.from(cursor, 'base64url').toString();
  const id = kind === 'number' ? Number(text) : text;
  const sane = kind === 'number' ? Number.isSafeInteger(id) : /^[0-9A-Z]{26}$/.test(text);
  if (!sane)
    throw new Problem('invalid_request', 'The cursor is not one that a list of this kind gave.', {
      findings: [{ pointer: '/cursor', detail: 'take next_cursor of the page before, or leave it out' }],
    });
  return id;
}

/** `fields`: the projection that gives a `Row`; absent, whole documents. */
type Order = { ids: 'number' | 'string'; newestFirst?: boolean; fields?: Readonly<Record<string, number>> };

/** One page by index, in order of id; `newestFirst` turns the order round. */
export async function pageOf<T extends { _id: number | string }, Row extends Pick<T, '_id'> = T>(
  model: Model<T>,
  filter: QueryFilter<T>,
  { limit, cursor }: PageQuery,
  { ids, newestFirst = false, fields }: Order = { ids: 'number' },
): Promise<Page<Row>> {
  const after = cursor === undefined ? {} : { _id: { [newestFirst ? '$lt' : '$gt']: decode(cursor, ids) } };
  const found = await model
    .find({ $and: [filter, after] }, fields)
    .sort({ _id: newestFirst ? -1 : 1 })
    .limit(limit + 1)
    .lean<Row[]>()
    .exec();
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next_cursor: found.length > limit && last ? encode(last._id) : null };
}

/** What the caller may USE of a kind of object, as a filter: what domain/permissions describes, for lists. */
export function visibleTo(caller: Caller, type: ResourceType): Record<string, unknown> {
  const seen = visibility(caller, type);
  if (seen.all) return {};
  const { ids, gids, clusters } = seen;
  return {
    $or: [
      ...permitted(seen),
      ...(ids.length > 0 ? [{ _id: { $in: ids } }] : []),
      ...(gids.length > 0 ? [ofGroups(gids)] : []),
      // Hosts of an earlier version do not say that they are in cluster 0.
      ...(clusters.length > 0 ? [{ cluster_id: { $in: clusters.includes(0) ? [...clusters, null] : clusters } }] : []),
    ],
  };
}

/** The same for operations, which are seen by their own bits and by what rules grant on the objects they are about. */
export function operationsVisibleTo(caller: Caller): Record<string, unknown> {
  if (isAdministrator(caller)) return {};
  return {
    $or: [
      ...permitted({ uid: caller.id, groups: caller.groups }),
      ...about('service', visibility(caller, 'DOCUMENT')),
      ...about('vm', visibility(caller, 'VM')),
      ...about('zone', visibility(caller, 'ZONE')),
    ],
  };
}

function about(type: ResourceRef['type'], seen: Visibility): Record<string, unknown>[] {
  const on = { 'resource.type': type };
  if (seen.all) return [on];
  return [
    ...(seen.ids.length > 0 ? [{ ...on, 'resource.id': { $in: seen.ids } }] : []),
    ...(seen.gids.length > 0 ? [{ ...on, ...ofGroups(seen.gids) }] : []),
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
