import { z } from 'zod';

/** What may be answered to the action at which the retry of a VM stands. */
export const DebugAnswer = z
  .enum(['run', 'skip'])
  .describe('run: do this action alone; skip: go on to the next one without it, which needs the ADMIN right');
export type DebugAnswer = z.infer<typeof DebugAnswer>;

/** One answer in a retry that goes action by action. It names what it is about: to anything else it is refused. */
export const DebugStep = z.strictObject({
  answer: DebugAnswer,
  session: z.int().min(0).describe('As `debugging` of the VM has it: that of another failure is another one'),
  number: z.int().min(1).describe('The action that is answered: `current` of `debugging`'),
});
export type DebugStep = z.infer<typeof DebugStep>;
