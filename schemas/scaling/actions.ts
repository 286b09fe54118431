import { z } from 'zod';
import { limits } from '../common/limits.js';
import { ActionArgs, checkActionArgs, VmAction } from '../operations/vm-action.js';

/** A year. */
const longest = 31_536_000;

export const PerformAction = z
  .strictObject({
    action: VmAction.describe(
      'What is done to each VM. terminate: end it, as its guest shuts down; terminate-hard: its power cut; resume: start one that is off; recreate: end what there is of it and deploy it anew; the others are what can be asked of a single VM. Its state may forbid it, hold and release always: who is of a role waits with it',
    ),
    ...ActionArgs.shape,
    number: z
      .int()
      .min(1)
      .max(limits.vmsOfService.most)
      .optional()
      .describe('How many VMs at a time; absent: as the configuration says where there is a period, else all at once'),
    period: z
      .int()
      .min(0)
      .max(longest)
      .optional()
      .describe(
        'Seconds between one slice and the next; absent: as the configuration says where there is a number, else none',
      ),
  })
  .superRefine((wish, { issues }) => checkActionArgs(wish, (issue) => issues.push(issue)));
export type PerformAction = z.infer<typeof PerformAction>;
