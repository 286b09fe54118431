import { z } from 'zod';
import { ObjectId, ObjectName, Timestamp } from '../common/common.js';
import { type ListFields, namedFields } from '../common/list.js';

const day = 86_400;
const defaultLifetime = 90 * day;

/** A token as stored. Of the secret there is the hash alone. */
export type Token = {
  _id: number;
  uid: number;
  name: string;
  /** The part that is shown, by which people know it again. */
  prefix: string;
  /** SHA-256: a secret of 256 random bits needs no salt, and no slowness. */
  hash: string;
  created_at: Date;
  /** null: never. */
  expires_at: Date | null;
  /** A minute late at most. */
  last_used_at: Date | null;
};

export const CreateToken = z.strictObject({
  name: ObjectName.describe('What it is for'),
  expires_in: z
    .int('must be a whole number of seconds; null: never')
    .min(60, 'must be at least 60 seconds')
    .max(3_650 * day, 'must be at most ten years; null: never')
    .nullable()
    .default(defaultLifetime)
    .describe('Seconds until it expires; null: never; absent: 90 days'),
});
export type CreateToken = z.output<typeof CreateToken>;

export const TokenResource = z
  .object({
    id: ObjectId,
    name: z.string(),
    prefix: z.string().describe('The beginning of the token, by which you know it again'),
    uid: ObjectId.describe('Whose it is'),
    expires_at: Timestamp.nullable(),
    expired: z.boolean(),
    last_used_at: Timestamp.nullable().describe('A minute late at most'),
    created_at: Timestamp,
  })
  .meta({ id: 'Token' });
export type TokenResource = z.infer<typeof TokenResource>;

/** A token as its making answers it: the only time that it can be seen. */
export const NewToken = TokenResource.extend({
  token: z.string().describe('The token itself; it is shown this once'),
}).meta({ id: 'NewToken' });
export type NewToken = z.infer<typeof NewToken>;

/** What lists of tokens can be filtered and sorted by. */
export const tokenFields = {
  id: namedFields.id,
  name: { kind: 'text', path: 'name' },
  prefix: { kind: 'text', path: 'prefix' },
  expires_at: { kind: 'time', path: 'expires_at', nullable: true },
  last_used_at: { kind: 'time', path: 'last_used_at', nullable: true },
  created_at: { kind: 'time', path: 'created_at' },
} as const satisfies ListFields;
