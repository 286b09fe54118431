import { z } from 'zod';
import { Timestamp } from './common.js';

/** What is done at a time that was said before: what became of it. */
export const ScheduleVerdict = z.enum(['scaled', 'performed', 'unchanged', 'waits', 'paused', 'missed', 'refused']);

/** What became of it when it was due. */
export type Firing = {
  due_at: Date;
  at: Date;
  verdict: z.infer<typeof ScheduleVerdict>;
  why: string;
  operation: string | null;
};

export const FiringResource = z.object({
  due_at: Timestamp,
  time: Timestamp,
  verdict: ScheduleVerdict,
  why: z.string(),
  operation: z.string().nullable(),
});
export type FiringResource = z.infer<typeof FiringResource>;
