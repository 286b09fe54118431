import type { Finding } from '../../domain/problems.js';
import { checkRole, checkRoles } from '../../domain/service-template.js';
import type { ServiceTemplateBody } from '../../schemas/service-template.js';

/** All that a request which brings this template is told of it, but for VM templates that are not there. */
export const checkServiceTemplate = (body: ServiceTemplateBody): Finding[] => [
  ...checkRoles(body),
  ...body.roles.flatMap((role, at) => checkRole(role, `/roles/${at}`)),
];
