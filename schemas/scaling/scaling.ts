import { z } from 'zod';
import { ObjectId } from '../common/common.js';
import { limits } from '../common/limits.js';

const most = limits.vmsOfService.most;

export const RemoveRole = z.strictObject({
  force: z.boolean().optional().describe('true: protected VMs go, too'),
});
export type RemoveRole = z.infer<typeof RemoveRole>;

export const ScaleRole = z.strictObject({
  cardinality: z.int().min(0).max(most).describe('How many VMs the role is to have'),
  force: z
    .boolean()
    .optional()
    .describe(
      'true: also below its min_vms or above its max_vms, while it is in COOLDOWN, and protected VMs that are named',
    ),
  vms: z
    .array(ObjectId)
    .max(limits.namedVms.most)
    .optional()
    .describe('VMs that are to go, when the role is made smaller; as many as are missing go as its scale_in says'),
});
export type ScaleRole = z.infer<typeof ScaleRole>;
