import { z } from 'zod';
import { Timestamp } from '../common/common.js';

/** How far somebody has come with what failed, action by action. */
export type Debugging = {
  /** The epoch that the VM had when it was begun: no other failure of it has the same. */
  session: number;
  /** That of the VM since the last answer: whoever else has taken it since ends this. */
  epoch: number;
  /** The first actions, as they were answered, each by an operation. */
  done: { how: 'succeeded' | 'skipped'; op: string; at: Date }[];
  /** What the next one failed with when it was last tried; null: it was not. */
  failed: { error: string; op: string; at: Date } | null;
};

export const DebuggingResource = z.object({
  session: z.int().describe('Answers name it; that of another failure is another one'),
  current: z
    .int()
    .nullable()
    .describe('The action that is to be done next; null: none is left, and recover with success is what leads on'),
  leads_to: z.string().describe('The state that recover with success leads to then'),
  actions: z.array(
    z.object({
      number: z.int(),
      action: z
        .string()
        .describe(
          'What is asked of its host: the call, the kind of hypervisor, the host, the domain; or of the datastore of its disks: which of them',
        ),
      state: z.enum(['pending', 'failed', 'succeeded', 'skipped']),
      error: z.string().nullable().describe('What it failed with last'),
      operation: z.string().nullable().describe('The answer that came to this; null: it was not answered'),
      time: Timestamp.nullable(),
    }),
  ),
});
export type DebuggingResource = z.infer<typeof DebuggingResource>;
