import { Router } from 'express';
import { Problem } from '../../domain/problems.js';
import type { Credentials, Identity } from '../../requests/identity/identity.js';
import type { Operations } from '../../requests/operations.js';
import { authenticate, basicCredentials } from '../http/authenticate.js';
import type { Face } from '../http/shell.js';
import { userNameRoutes } from './identity/user-names.js';
import { oneflowRefusal } from './oneflow-refusal.js';
import type { Counting } from './route.js';
import { scalingRoutes } from './scaling/scaling.js';
import { serviceTemplateRoutes } from './services/service-templates.js';
import { serviceRoutes } from './services/services.js';

export type OneflowParts = { operations: Operations; identity: Pick<Identity, 'authenticate'>; metrics: Counting };

/** OneFlow's own API, for its clients as they are: those of 5.0, and of the releases after it. */
export function oneflowFace({ operations, identity, metrics }: OneflowParts): Face {
  const routes = Router({ strict: true, caseSensitive: true });
  routes.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  userNameRoutes(routes, operations, identity);
  routes.use(authenticate(identity, oneflowCredentials));
  serviceRoutes(routes, operations, metrics);
  scalingRoutes(routes, operations, metrics);
  serviceTemplateRoutes(routes, operations, metrics);
  routes.use(({ method, path }) => {
    throw new Problem('not_found', `OneFlow answers nothing to ${method} ${path}.`);
  });
  return { routes, refusalOf: oneflowRefusal };
}

function oneflowCredentials(header: string): Credentials {
  const credentials = basicCredentials(header);
  if (credentials) return credentials;
  throw new Problem('not_authenticated', 'A username and password must be provided');
}
