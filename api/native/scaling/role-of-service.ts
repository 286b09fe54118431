import { z } from 'zod';
import { ById } from '../route.js';

/** In the path: a role of a service. */
export const RoleOfService = ById.extend({ role: z.string().describe('Name of a role of the service') });
