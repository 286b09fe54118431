import type { Finding } from '../../../domain/problems.js';
import { checkRole, checkRoles, customAttributes } from '../../../domain/services/service-template.js';
import type { ServiceTemplateBody } from '../../../schemas/services/service-template.js';

/** All that a request which brings this template is told of it, but for VM templates that are not there. */
export const checkServiceTemplate = (body: ServiceTemplateBody, pending = customAttributes(body)): Finding[] => [
  ...checkRoles(body),
  ...body.roles.flatMap((role, at) => checkRole(role, `/roles/${at}`, pending)),
];
