import type { Request } from 'express';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';

declare global {
  namespace Express {
    interface Request {
      /** Set behind authentication. */
      caller?: Caller;
      /** The route that took the request, as in the OpenAPI document: metrics count by it. */
      template?: string;
    }
  }
}

/** Who asks, behind authentication. */
export function callerOf({ caller }: Pick<Request, 'caller'>): Caller {
  if (!caller) throw new Problem('not_authenticated', 'Send your name and password.');
  return caller;
}

/** The id under which logs, answers and operations know a request. */
export const requestId = (request: { id?: unknown }): string => String(request.id);
