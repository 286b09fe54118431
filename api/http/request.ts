import type { Caller } from '../../domain/identity/caller.js';

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

/** The id under which logs, answers and operations know a request. */
export const requestId = (request: { id?: unknown }): string => String(request.id);
