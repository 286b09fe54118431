import { z } from 'zod';
import { ObjectId } from '../common/common.js';

export const VmContextResource = z
  .object({
    vm: ObjectId,
    variables: z
      .record(z.string(), z.string())
      .describe('What its guest is told: the CONTEXT of its template, with what that refers to as it is now'),
    script: z.string().describe('The same as the file context.sh that guests of OpenNebula read'),
    files: z
      .array(z.object({ name: z.string(), image_id: ObjectId }))
      .describe('What it finds beside, of images of type CONTEXT: its FILES_DS'),
  })
  .meta({ id: 'VmContext' });
export type VmContextResource = z.infer<typeof VmContextResource>;
