import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import type { ListKind } from '../../schemas/common/list.js';

/** What a list is sorted by: ids of this type, and before them a field of this kind. */
export type SortKey = {
  ids: 'number' | 'string';
  path: string;
  kind: ListKind;
  descending: boolean;
  /** The order that the list has when none is asked for: its cursors are the id alone. */
  isDefault: boolean;
};

/** Cursors are opaque to clients: where the last item is in the order of the list, encoded. */
const encode = (text: string): string => Buffer.from(text).toString('base64url');

const orderOf = ({ path, descending }: SortKey): string => `${descending ? '-' : ''}${path}`;

const Sorted = z.tuple([
  z.string(),
  z.union([z.string(), z.number()]),
  z.union([z.string().regex(/^[0-9A-Z]{26}$/), z.int()]),
]);

/** The cursor after an item. */
export function cursorOf(item: { _id: number | string }, key: SortKey): string {
  if (key.isDefault) return encode(String(item._id));
  const value: unknown = Reflect.get(item, key.path);
  const plain = value instanceof Date ? value.getTime() : value;
  return encode(JSON.stringify([orderOf(key), plain, item._id]));
}

/** What comes after a cursor, as a filter. Throws `invalid_request` for one of another list or another order. */
export function afterCursor(cursor: string | undefined, key: SortKey): Record<string, unknown> {
  if (cursor === undefined) return {};
  const beyond = key.descending ? '$lt' : '$gt';
  const text = Buffer.from(cursor, 'base64url').toString();
  // What is read leaves out whatever is no base64url: a cursor of nothing else would be the beginning of the list.
  if (encode(text) !== cursor) throw foreign('take next_cursor of the page before, or leave it out');
  if (key.isDefault) return { _id: { [beyond]: idIn(text, key.ids) } };
  const [order, value, id] = sortedIn(text);
  const fits =
    typeof id === key.ids &&
    typeof value === (key.kind === 'text' || (key.path === '_id' && key.ids === 'string') ? 'string' : 'number');
  if (order !== orderOf(key) || !fits) throw foreign('is of a list in another order: begin again, without it');
  if (key.path === '_id') return { _id: { [beyond]: id } };
  const stored = key.kind === 'time' && typeof value === 'number' ? new Date(value) : value;
  return {
    // Says again what follows, for the bounds in the index.
    [key.path]: { [key.descending ? '$lte' : '$gte']: stored },
    $or: [{ [key.path]: { [beyond]: stored } }, { [key.path]: stored, _id: { [beyond]: id } }],
  };
}

function idIn(text: string, kind: SortKey['ids']): number | string {
  const sane = kind === 'number' ? /^\d{1,15}$/.test(text) : /^[0-9A-Z]{26}$/.test(text);
  const id = kind === 'number' ? Number(text) : text;
  if (!sane) throw foreign('take next_cursor of the page before, or leave it out');
  return id;
}

function sortedIn(text: string): z.infer<typeof Sorted> {
  try {
    return Sorted.parse(JSON.parse(text));
  } catch {
    throw foreign('is not of a list in this order: begin again, without it');
  }
}

const foreign = (detail: string): Problem =>
  new Problem('invalid_request', 'The cursor is not one that this list gave.', {
    findings: [{ pointer: '/cursor', detail }],
  });
