import { z } from 'zod';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from './common.js';

export const ShutdownAction = z.enum(['terminate', 'terminate-hard', 'shutdown', 'shutdown-hard']);
export type ShutdownAction = z.infer<typeof ShutdownAction>;

export const RoleTemplate = z.looseObject({
  name: z.string().regex(/^\w+$/, 'must be letters, digits and _'),
  cardinality: z.int().min(0).default(1),
  vm_template: ObjectId,
  vm_template_contents: z.string().optional(),
  parents: z.array(z.string()).default([]),
  shutdown_action: ShutdownAction.optional(),
});
export type RoleTemplate = z.infer<typeof RoleTemplate>;

export const ServiceTemplateBody = z.looseObject({
  name: ObjectName,
  deployment: z.enum(['none', 'straight']).default('none'),
  shutdown_action: ShutdownAction.optional(),
  ready_status_gate: z.boolean().default(false),
  roles: z.array(RoleTemplate),
});
export type ServiceTemplateBody = z.infer<typeof ServiceTemplateBody>;

export type ServiceTemplate = Ownership & { _id: number; name: string; body: ServiceTemplateBody; created_at: Date };

export const ServiceTemplateResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  body: ServiceTemplateBody,
  created_at: Timestamp,
}).meta({ id: 'ServiceTemplate' });
