import { z } from 'zod';

/** The address of one card, and not of many. Kept in lower case. */
export const Mac = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/, 'must be the address of one card, such as 02:00:c0:a8:00:0a')
  .refine((mac) => mac !== '00:00:00:00:00:00', 'must not be nothing but zeros')
  .describe('The address of one card, such as 02:00:c0:a8:00:0a');
