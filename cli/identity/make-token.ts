import { z } from 'zod';
import { json } from '../../client/message.js';
import { NewToken } from '../../schemas/identity/token.js';
import { createApiClient } from '../shell/api-client.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { trustOf } from '../shell/connection.js';
import { durationOf } from '../shell/duration.js';

export const expiresOption = ['--expires <time>', 'when it expires: 12h, 90d (default), or never'] as const;

/** Seconds; null: never; undefined: as the API does by default. */
export const Expires = z
  .string()
  .transform((text, context) => {
    if (text === 'never') return null;
    const milliseconds = durationOf(text);
    if (milliseconds === undefined)
      context.addIssue({ code: 'custom', message: 'must be a time, such as 12h or 90d, or never' });
    return Math.round((milliseconds ?? 0) / 1000);
  })
  .optional();

type Wish = { name: string | undefined; expires_in: z.output<typeof Expires> };

/** A new token of a user, whose password is asked for: no token makes another. */
export async function makeToken(
  { secret, environment }: Pick<Context, 'secret' | 'environment'>,
  endpoint: URL,
  user: string,
  wish: Wish,
  ca?: string,
) {
  const password = await secret(`Password of ${user} at ${endpoint.origin}`);
  if (password === '')
    throw new Complaint('usage', 'A token is made by name and password, and there is no password.', {
      next: 'Give it at the prompt or on standard input.',
    });
  const client = createApiClient({
    ...{ endpoint, credentials: { name: user, password }, typed: true },
    trust: trustOf(environment, endpoint, ca),
  });
  return client.send('POST', '/tokens', NewToken, json(wish));
}

/** `expires 2027-02-24T…`, `never expires` */
export const expiryText = ({ expires_at }: Pick<NewToken, 'expires_at'>): string =>
  expires_at === null ? 'never expires' : `expires ${expires_at}`;
