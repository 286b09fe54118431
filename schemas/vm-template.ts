import { z } from 'zod';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from './common.js';

export const VmTemplateBody = z.looseObject({
  CPU: z.number().positive(),
  MEMORY: z.int().positive(),
});
export type VmTemplateBody = z.infer<typeof VmTemplateBody>;

export const CreateVmTemplate = z.strictObject({ name: ObjectName, template: VmTemplateBody });

export type VmTemplate = Ownership & { _id: number; name: string; template: VmTemplateBody; created_at: Date };

export const VmTemplateResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  template: VmTemplateBody,
  created_at: Timestamp,
}).meta({ id: 'VmTemplate' });
