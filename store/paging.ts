import type { Model, QueryFilter } from 'mongoose';
import type { Caller } from '../domain/caller.js';
import { Problem } from '../domain/problems.js';
import type { Page, PageQuery } from '../schemas/common.js';
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

/** What the caller may USE, as a filter: the same rule as domain/permissions, for lists. */
export function visibleTo(caller: Caller): Record<string, unknown> {
  if (caller.id === 0 || caller.groups.includes(0)) return {};
  return {
    $or: [
      { uid: caller.id, 'permissions.owner.use': true },
      { gid: { $in: caller.groups }, 'permissions.group.use': true },
      { 'permissions.other.use': true },
    ],
  };
}

/**
 * The indexes from which such a filter takes a page without sorting: one for each of its branches, each in order of id
 * behind what the branch, and `field` where lists ask for some values of it only, pin down. They are not partial: of
 * partial ones MongoDB does not merge the orders.
 */
export const pageIndexes = (field?: string): Index[] =>
  [['uid', 'permissions.owner.use'], ['gid', 'permissions.group.use'], ['permissions.other.use']].map((branch) => ({
    fields: Object.fromEntries([...branch, ...(field === undefined ? [] : [field]), '_id'].map((name) => [name, 1])),
  }));
