import express, { type Express, type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { Problem } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import type { OurNames } from '../../schemas/common/request-source.js';
import { refuseOtherNames, refuseOtherSites } from './authenticate.js';
import { logRequests } from './log-requests.js';
import type { Metrics } from './metrics.js';
import { type RefusalOf, refusing } from './refusal.js';

/** A face of Arcus: its routes, the last of which takes what no other one does, and how it says what goes wrong. */
export type Face = { routes: Router; refusalOf: RefusalOf };

/** What the listeners of a process share. */
export type ShellParts = {
  metrics: Pick<Metrics, 'observe'>;
  logger: Logger;
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

/** A face behind what every one needs: an id and a log line for each request, bounds, headers, and who may ask at all. */
export function createShell(
  { routes, refusalOf }: Face,
  { metrics, logger, isDraining, ...parts }: ShellParts,
): Express {
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
  app.use(routes, refusing(refusalOf));
  return app;
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
