import { z } from 'zod';

/** What clients choose to make a repeated request harmless. */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable characters without blanks')
  .describe('Chosen by you: a second request with the same key gets the operation of the first');
