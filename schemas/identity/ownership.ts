import { z } from 'zod';
import { ObjectId, Permissions } from '../common/common.js';

/** Nine permission bits as OpenNebula writes them: a digit for owner, group and others, of use 4, manage 2 and admin 1. */
export const Octet = z
  .string({ error: (issue) => (issue.input === undefined ? 'is required' : 'must be a text, such as "640"') })
  .regex(/^[0-7]{3}$/, 'must be three digits from 0 to 7, such as "640"');

const some = Permissions.shape.owner.partial();
const PermissionChanges = z.strictObject({ owner: some.optional(), group: some.optional(), other: some.optional() });

const oneOf = 'must have either octet or permissions';

/** New permission bits: all nine, or those that are given. */
export const Chmod = z
  .strictObject({
    octet: Octet.optional().describe(
      'All bits: a digit for owner, group and others, of use 4, manage 2 and admin 1, such as "640"',
    ),
    permissions: PermissionChanges.optional().describe('Bits to change; those that are absent stay'),
  })
  .refine(({ octet, permissions }) => (octet === undefined) !== (permissions === undefined), oneOf)
  .meta({ id: 'Chmod', minProperties: 1, maxProperties: 1 });
export type Chmod = z.infer<typeof Chmod>;

/** A new owner, a new group, or both. */
export const Chown = z
  .strictObject({
    uid: ObjectId.optional().describe('The new owner; absent: as it is'),
    gid: ObjectId.optional().describe('The new group; absent: as it is'),
  })
  .refine(({ uid, gid }) => uid !== undefined || gid !== undefined, 'must have uid, gid or both')
  .meta({ id: 'Chown', minProperties: 1 });
export type Chown = z.infer<typeof Chown>;
