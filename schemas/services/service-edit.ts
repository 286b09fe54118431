import { z } from 'zod';
import { limits } from '../common/limits.js';
import { RoleTemplate, ServiceTemplateBody } from './service-template.js';

/** What may be edited of a role of a service that is there. Whatever else is in it has to be as it is. */
export const RoleEdit = RoleTemplate.pick({
  ...{ name: true, shutdown_action: true, scale_in: true, cooldown: true, cooldown_up: true, cooldown_down: true },
  ...{ min_vms: true, max_vms: true, elasticity_policies: true, scheduled_policies: true },
});
export type RoleEdit = z.infer<typeof RoleEdit>;

/** A service as it is to be, in the form of a template: the same of what is about all of it. */
export const ServiceDocument = ServiceTemplateBody.pick({
  ...{ description: true, shutdown_action: true, automatic_deletion: true },
}).extend({ roles: z.array(RoleEdit).max(limits.roles.most, `must be at most ${limits.roles.most}`) });
export type ServiceDocument = z.infer<typeof ServiceDocument>;

/** The same, of which members that are not named stay. */
export const ServiceAddition = ServiceDocument.partial({ roles: true });
export type ServiceAddition = z.infer<typeof ServiceAddition>;
