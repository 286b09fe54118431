import { z } from 'zod';
import { QuotaExceeded } from '../identity/quota.js';

/** The body of every refusal: RFC 9457. */
export const ProblemBody = z
  .object({
    type: z.string().describe('Address of the description of this kind of problem; its last part is the stable code'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong this time, in a sentence'),
    instance: z.string().describe('The address that was asked'),
    request_id: z.string().describe('The same as in the header X-Request-Id and in the logs'),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string() }))
      .optional()
      .describe(
        'Everything that is wrong, each with a JSON pointer into the body, or the name of a parameter as /name',
      ),
    operation: z.string().optional().describe('Id of the operation in the way'),
    exceeded: QuotaExceeded.optional().describe('The quota in the way'),
  })
  .meta({ id: 'Problem' });
export type ProblemBody = z.infer<typeof ProblemBody>;
