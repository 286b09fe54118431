import { z } from 'zod';
import { attributeChanges } from '../common/attribute-name.js';
import { ObjectId, ObjectName, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';

/** HTTP Basic separates name and password by a colon; OpenNebula allows no blanks either. */
const UserName = ObjectName.refine((name) => !/[\s:]/.test(name), 'must not contain blanks or colons').meta({
  description: 'Name that the user signs in with; not digits alone, which would read as an id',
  pattern: '^(?![0-9]+$)[^\\s:\\u0000-\\u001f\\u007f-\\u009f]*$',
});

/** What a token begins with. */
export const tokenSign = 'arcus_';

/** What a password begins with that Arcus has made: 24 letters follow, of 144 random bits. */
export const generatedSign = 'initial-';

/** Long enough not to be guessed within the limit on failed logins; the upper end is what is hashed at most. */
export const Password = z
  .string()
  .min(8, 'must be at least 8 characters')
  .max(128, 'must be at most 128 characters')
  // A class of visible characters would leave out the letters of most languages.
  .refine((password) => !/[\s\p{Cc}]/u.test(password), 'must not contain blanks or control characters')
  .refine((password) => !password.startsWith(tokenSign), `must not begin with ${tokenSign}, as tokens do`)
  .meta({
    description: 'Without blanks, 8 to 128 characters',
    format: 'password',
    pattern: `^(?!${tokenSign})[^\\s\\u0000-\\u001f\\u007f-\\u009f]*$`,
  });

/** Bits that new objects do not have, as the octal text of OpenNebula: 177 leaves USE and MANAGE of the owner. */
export const defaultUmask = '177';
export const Umask = z
  .string()
  .regex(/^[0-7]{3}$/, 'must be three octal digits, such as 177')
  .describe(
    'Permissions that new objects do not have, as three octal digits; 177: all but USE and MANAGE of the owner',
  );

/** The same where it is set. That one from before stays, and that a new one leaves the owner his rights, others say. */
const NewUmask = z
  .string()
  .refine((text) => /^[0-7]{3}$/.test(text), 'must be three octal digits, such as 177')
  .meta({
    description:
      'Permissions that new objects do not have, as three octal digits; the first is 0 or 1, for the owner keeps USE and MANAGE',
    pattern: '^[01][0-7]{2}$',
  });

const AttributeText = z.string('must be a text').max(limits.userAttributeText.most, atMost('userAttributeText'));

/** What is said of a user, for what refers to it: `$USER[SSH_PUBLIC_KEY]` in the CONTEXT of a VM template. Names are upper case. */
const UserAttributes = z.record(z.string(), AttributeText);
const UserAttributeChanges = attributeChanges(AttributeText, 'userAttributes');
export type UserAttributeChanges = z.infer<typeof UserAttributeChanges>;

/** A user as stored. `gid` is the primary group, `groups` every group including it. */
export type User = {
  _id: number;
  name: string;
  gid: number;
  groups: number[];
  /** argon2id, in PHC format: parameters and salt included. */
  password_hash: string;
  /** SHA-256 of the password, where Arcus has made it; null, absent: a person has. */
  generated?: string | null;
  /** false: refused wherever the user knocks. */
  enabled: boolean;
  umask: string;
  attributes: Record<string, string>;
  /** Rises when the password is changed or the user is disabled: who came in before makes no token any more. */
  credentials: number;
  created_at: Date;
};

export const CreateUser = z.strictObject({
  name: UserName,
  password: Password,
  gid: ObjectId.optional().describe(
    'Primary group; absent: `users` for administrators, else the primary group of who asks',
  ),
  groups: z.array(ObjectId).max(limits.groupsOfUser.most).optional().describe('Secondary groups'),
  umask: NewUmask.optional(),
  enabled: z.boolean().optional().describe('false: the user exists and cannot sign in yet'),
  attributes: UserAttributeChanges.optional().describe('What VM templates may say of the user, such as SSH_PUBLIC_KEY'),
});
export type CreateUser = z.infer<typeof CreateUser>;

/** What can be changed of a user by who may manage him, whole. */
export const UserEdit = z.strictObject({
  name: UserName,
  gid: ObjectId,
  umask: NewUmask.default(defaultUmask),
  enabled: z.boolean(),
  attributes: UserAttributes.default({}),
});
export type UserEdit = z.output<typeof UserEdit>;

/** A merge patch of that. */
export const UpdateUser = z.strictObject({
  name: UserName.optional(),
  gid: ObjectId.optional().describe('Primary group; the user stays a member of the one before'),
  umask: NewUmask.nullable()
    .optional()
    .describe(`Permissions that new objects do not have; the first digit is 0 or 1; null: ${defaultUmask}`),
  enabled: z.boolean().optional().describe('false: refused from now on, and all tokens are revoked'),
  attributes: UserAttributeChanges.nullable().optional().describe('Attributes to set; null takes one away'),
});
export type UpdateUser = z.infer<typeof UpdateUser>;

export const ChangePassword = z.strictObject({
  password: Password,
  current_password: z.string().max(1_000).optional().describe('Needed to change your own'),
});
export type ChangePassword = z.infer<typeof ChangePassword>;

export const UserResource = z
  .object({
    id: ObjectId,
    name: z.string(),
    gid: ObjectId.describe('Primary group'),
    gname: z.string().describe('Name of the primary group'),
    groups: z
      .array(z.object({ id: ObjectId, name: z.string(), admin: z.boolean().describe('Manages the group') }))
      .describe('Every group, the primary one among them'),
    administrator: z.boolean().describe('User 0, and members of group 0: may do everything'),
    enabled: z.boolean(),
    umask: Umask,
    attributes: UserAttributes.describe('What VM templates may say of the user by $USER[…]; no place for secrets'),
    created_at: Timestamp,
  })
  .meta({ id: 'User' });
export type UserResource = z.infer<typeof UserResource>;

/** Who asks, and what that user may do. */
export const SelfResource = UserResource.extend({
  authenticated_by: z.enum(['password', 'token']),
  rules: z
    .array(z.string())
    .describe('The ACL rules that give you rights, in OpenNebula’s text; those of groups among them'),
}).meta({ id: 'Self' });
export type SelfResource = z.infer<typeof SelfResource>;

/** What lists of users can be filtered and sorted by. */
export const userFields = {
  id: namedFields.id,
  name: namedFields.name,
  gid: namedFields.gid,
  enabled: { kind: 'boolean', path: 'enabled' },
  created_at: namedFields.created_at,
} as const satisfies ListFields;
