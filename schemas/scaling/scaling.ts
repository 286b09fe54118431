import { z } from 'zod';
import { limits } from '../common/limits.js';

const most = limits.vmsOfService.most;

export const ScaleRole = z.strictObject({
  cardinality: z.int().min(0).max(most).describe('How many VMs the role is to have'),
  force: z
    .boolean()
    .optional()
    .describe('true: also below its min_vms or above its max_vms, and while it is in COOLDOWN'),
});
export type ScaleRole = z.infer<typeof ScaleRole>;
