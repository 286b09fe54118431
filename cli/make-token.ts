import { z } from 'zod';
import { NewToken } from '../schemas/token.js';
import { type ApiClient, json } from './api-client.js';
import { durationOf } from './duration.js';

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

/** A new token of whoever asks, by name and password. */
export const makeToken = (client: ApiClient, name: string | undefined, expires_in: z.output<typeof Expires>) =>
  client.send('POST', '/tokens', NewToken, json({ name, expires_in }));

/** `expires 2027-02-24T…`, `never expires` */
export const expiryText = ({ expires_at }: Pick<NewToken, 'expires_at'>): string =>
  expires_at === null ? 'never expires' : `expires ${expires_at}`;
