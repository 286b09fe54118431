import { z } from 'zod';

/** What a person may answer when a role's failure policy waits for one; each answer is a new run of the operation. */
export const Answer = z
  .enum(['retry', 'skip', 'give_up'])
  .describe(
    'retry: try the failed VMs again; skip: go on without them, with the cardinality that runs; give_up: end the operation as failed',
  );
export type Answer = z.infer<typeof Answer>;

export const AnswerOperation = z.strictObject({ answer: Answer });
export type AnswerOperation = z.infer<typeof AnswerOperation>;
