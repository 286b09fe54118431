import { type RequestHandler, Router } from 'express';
import { Problem } from '../../domain/problems.js';
import type { Identity } from '../../requests/identity/identity.js';
import type { Operations } from '../../requests/operations.js';
import { authenticate } from '../http/authenticate.js';
import { healthRoutes, type Probes } from '../http/health.js';
import type { Metrics } from '../http/metrics.js';
import type { Face } from '../http/shell.js';
import { asksForWebSocket } from '../http/upgrades.js';
import { nativeCredentials } from './credentials.js';
import { docsRoutes } from './docs-pages.js';
import { nativeRoutes } from './native-routes.js';
import { openApiDocument } from './openapi.js';
import { problemRefusal } from './problem-refusal.js';
import { apiRoot } from './route.js';
import { uploadRoutes } from './storage/uploads.js';
import { screenSocket } from './vms/vm-screen.js';

export type NativeParts = {
  operations: Operations;
  identity: Pick<Identity, 'authenticate'>;
  probes: Probes;
  metrics: Pick<Metrics, 'operationAccepted' | 'serve'>;
  version: string;
  isDraining: () => boolean;
};

/** The REST API, with its documentation, and what machines ask of the process. */
export function nativeFace({ operations, identity, probes, metrics, version, isDraining }: NativeParts): Face {
  const routes = Router({ strict: true, caseSensitive: true });
  routes.use(healthRoutes(probes, isDraining), docsRoutes(openApiDocument(version)));
  routes.get('/metrics', metrics.serve);
  routes.use(
    apiRoot,
    (_request, response, next) => {
      response.set('Cache-Control', 'no-store');
      next();
    },
    webSockets(operations),
    authenticate(identity, nativeCredentials),
    uploadRoutes(operations, metrics),
    nativeRoutes(operations, metrics),
  );
  routes.use(({ path }) => {
    const bare = withoutLastSlashes(path);
    throw new Problem(
      'not_found',
      bare === path || bare === ''
        ? `Nothing is at ${path}; /docs shows what there is.`
        : `Nothing is at ${path}: addresses do not end in a slash. Ask for ${bare}.`,
    );
  });
  return { routes, refusalOf: problemRefusal };
}

/** Of nothing else: what a path takes beside is told of by its own routes. */
function webSockets(operations: Operations): RequestHandler {
  const sockets = Router({ strict: true, caseSensitive: true }).get('/vms/:id/vnc', screenSocket(operations));
  return (request, response, next) => (asksForWebSocket(request) ? sockets(request, response, next) : next());
}

function withoutLastSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}
