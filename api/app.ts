import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { Problem } from '../domain/problems.js';
import type { Identity } from '../requests/identity/identity.js';
import type { Operations } from '../requests/operations.js';
import { limits } from '../schemas/common/limits.js';
import type { OurNames } from '../schemas/common/request-source.js';
import { authenticate, refuseOtherNames, refuseOtherSites } from './http/authenticate.js';
import { healthRoutes, type Probes } from './http/health.js';
import { logRequests } from './http/log-requests.js';
import type { Metrics } from './http/metrics.js';
import { problemHandler } from './http/problem-handler.js';
import { docsRoutes } from './native/docs-pages.js';
import { nativeRoutes } from './native/native-routes.js';
import { openApiDocument } from './native/openapi.js';
import { apiRoot } from './native/route.js';

export type AppParts = {
  operations: Operations;
  identity: Pick<Identity, 'authenticate'>;
  probes: Probes;
  metrics: Metrics;
  logger: Logger;
  version: string;
  /** Proxies whose word on the client's address is believed. */
  trustedProxies?: readonly string[];
  /** Whether it speaks TLS itself. */
  isSecure?: boolean;
  /** By which names clients may call it; absent: by any. */
  ours?: OurNames;
  /** True from the moment that this process is told to end. */
  isDraining: () => boolean;
};

const longestAddress = limits.address.most;

/** The HTTP face of Arcus, not yet listening. */
export function createApp({
  operations,
  identity,
  probes,
  metrics,
  logger,
  version,
  isDraining,
  ...parts
}: AppParts): Express {
  const app = express();
  app.set('trust proxy', [...(parts.trustedProxies ?? [])]);
  app.set('etag', false);
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use(logRequests(logger), metrics.observe, helmet(headers));
  app.use(({ url }, response, next) => {
    if (isDraining()) response.set('Connection', 'close');
    if (url.length > longestAddress)
      throw new Problem('address_too_long', `An address may have ${longestAddress / 1024} KiB at most.`);
    next();
  });
  if (parts.isSecure) app.use(insistOnTls);
  app.use(refuseOtherNames(parts.ours ?? { names: [], loopback: false }), refuseOtherSites);
  app.use(healthRoutes(probes, isDraining), docsRoutes(openApiDocument(version)));
  app.get('/metrics', metrics.serve);
  app.use(
    apiRoot,
    (_request, response, next) => {
      response.set('Cache-Control', 'no-store');
      next();
    },
    authenticate(identity),
    nativeRoutes(operations, metrics),
  );
  app.use(({ path }) => {
    const bare = withoutLastSlashes(path);
    throw new Problem(
      'not_found',
      bare === path || bare === ''
        ? `Nothing is at ${path}; /docs shows what there is.`
        : `Nothing is at ${path}: addresses do not end in a slash. Ask for ${bare}.`,
    );
  });
  app.use(problemHandler);
  return app;
}

function withoutLastSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}

/** Browsers keep this for a name and all its ports: localhost has others, which may have no TLS; addresses they leave out. */
const insistOnTls: RequestHandler = ({ hostname }, response, next) => {
  if (hostname !== 'localhost') response.set('Strict-Transport-Security', `max-age=${180 * 86_400}`);
  next();
};

/** Pages get nothing from elsewhere. Plain HTTP on loopback is the default, where browsers are not told to insist on TLS. */
const headers = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  xFrameOptions: { action: 'deny' as const },
};
