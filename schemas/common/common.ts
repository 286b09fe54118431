import { z } from 'zod';
import { atMost, limits } from './limits.js';

/** An id within its pool: a non-negative integer, as in OpenNebula. Services and service templates share one pool. */
export const ObjectId = z.int().min(0).describe('Integer id within its pool');

export const Timestamp = z.iso.datetime().describe('RFC 3339, UTC');

/** Printable, no control characters, at most 128 characters: OpenNebula's limit for names. */
export const ObjectName = z
  .string({ error: (issue) => (issue.input === undefined ? 'is required' : 'must be a text') })
  .min(1, 'must not be empty')
  .max(limits.name.most, atMost('name'))
  .refine((name) => !/\p{Cc}/u.test(name), 'must not contain control characters')
  .refine((name) => name.trim() === name, 'must not begin or end with a blank')
  // Both again, as one pattern without a flag, which OpenAPI has no place for. That no new name reads as an id, others say.
  .meta({
    description: 'Name of the object; not digits alone, nor # and digits, which would read as an id',
    pattern: '^(?!#?[0-9]+$)(?!\\s)[^\\u0000-\\u001f\\u007f-\\u009f]*(?<!\\s)$',
  });

/** What somebody writes of a thing for those who read it. Lines and tabs are part of it. */
export const Description = z
  .string()
  .max(limits.description.most, atMost('description'))
  .refine((text) => !/[^\P{Cc}\n\t]/u.test(text), 'must not contain control characters');

const Rights = z.strictObject({ use: z.boolean(), manage: z.boolean(), admin: z.boolean() });

/** Who may USE, MANAGE and ADMIN an object: OpenNebula's nine permission bits. */
export const Permissions = z.strictObject({ owner: Rights, group: Rights, other: Rights }).meta({ id: 'Permissions' });
export type Permissions = z.infer<typeof Permissions>;

/** What every object that belongs to somebody carries, as stored. */
export const Ownership = z.object({ uid: ObjectId, gid: ObjectId, permissions: Permissions });
export type Ownership = z.infer<typeof Ownership>;

/** The same as shown to clients: with names. */
export const OwnershipResource = Ownership.extend({
  uname: z.string().describe('Name of the owner'),
  gname: z.string().describe('Name of the group'),
});

/** Unset permissions of a new object: owner USE and MANAGE (umask 177). */
export const defaultPermissions: Permissions = {
  owner: { use: true, manage: true, admin: false },
  group: { use: false, manage: false, admin: false },
  other: { use: false, manage: false, admin: false },
};

/** Query of every list. The cursor is opaque: it comes from `next_cursor` of the page before. */
export const PageQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(limits.pageItems.most)
    .default(100)
    .describe(
      `Items a page, 1 to ${limits.pageItems.most}; a page of large items ends before, at ${limits.pageBytes.most / 2 ** 20} MiB`,
    ),
  cursor: z.string().max(limits.query.most).optional().describe('`next_cursor` of the page before'),
});
export type PageQuery = z.infer<typeof PageQuery>;

/** A page of a list: `next_cursor` is null on the last one. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });
export type Page<T> = { items: T[]; next_cursor: string | null };
