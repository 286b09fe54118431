import type { PageQuery } from './common.js';

/** What a field of a list holds, which decides how it may be compared; a list of texts: one of those. */
export type ListKind = 'integer' | 'text' | 'time' | 'boolean' | 'ulid' | readonly string[];

/** A field by which a list can be filtered. */
export type ListField = {
  kind: ListKind;
  /** Where stored documents have it. */
  path: string;
  /** The list can be sorted by it: an index of the field and the id is made. Only for what each document has. */
  sorts?: true;
  /** `null` may be asked for. */
  nullable?: true;
};

/** By name, as clients see it. */
export type ListFields = Readonly<Record<string, ListField>>;

export const comparisons = ['!=', '!~', '<=', '>=', '=', '~', '<', '>'] as const;
export type Comparison = (typeof comparisons)[number];
export type ListValue = string | number | boolean | Date | null;

/** One condition on one field: it holds when it holds for any of the values (for `!=` and `!~`: for none of them). */
export type Condition = { field: string; comparison: Comparison; values: readonly ListValue[] };

export type ListSort = { field: string; descending: boolean };

/** What every list can be asked for, read. All conditions must hold. */
export type ListQuery = PageQuery & {
  filter?: readonly Condition[];
  sort?: ListSort;
  /** The fields of each item that are answered; absent: all. */
  fields?: readonly string[];
};

/** Of everything that has an integer id and a name and belongs to somebody. */
export const namedFields = {
  id: { kind: 'integer', path: '_id', sorts: true },
  name: { kind: 'text', path: 'name', sorts: true },
  uid: { kind: 'integer', path: 'uid' },
  gid: { kind: 'integer', path: 'gid' },
  created_at: { kind: 'time', path: 'created_at', sorts: true },
} as const satisfies ListFields;
