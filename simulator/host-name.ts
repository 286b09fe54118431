import type { Request } from 'express';
import { ObjectName } from '../schemas/common/common.js';

/** The host that an address is about. */
export const hostName = (request: Request): string => ObjectName.parse(request.params.name);
