import { z } from 'zod';

/** Something that the caller may do now, ready to be sent or typed. */
export const NextAction = z
  .object({
    name: z
      .string()
      .describe('Stable name, such as cancel, retry, skip, give_up, undeploy, recover, delete, terminate'),
    description: z.string().describe('What it does, in a sentence'),
    method: z.enum(['POST', 'DELETE', 'PATCH']),
    href: z.string(),
    body: z.record(z.string(), z.unknown()).nullable(),
    command: z.string().describe('The same for the command line'),
  })
  .meta({ id: 'NextAction' });
export type NextAction = z.infer<typeof NextAction>;
