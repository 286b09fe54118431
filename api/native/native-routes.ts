import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { Problem } from '../../domain/problems.js';
import type { Operations } from '../../requests/operations.js';
import { tagOf, unconditional } from '../../requests/precondition.js';
import { limits } from '../../schemas/common/limits.js';
import { isKnown, preconditionOf } from '../http/conditions.js';
import { patchTypes } from '../http/edit-body.js';
import type { Metrics } from '../http/metrics.js';
import { readBody } from '../http/read-body.js';
import { callerOf } from '../http/request.js';
import { admissionOf } from './admission.js';
import { apiRoot, type Route } from './route.js';
import { routeTable } from './route-table.js';

const readBytes = express.raw({ type: () => true, limit: limits.body.most });

/** The native API below its root: each row of the table under its method; another method is told which there are. */
export function nativeRoutes(operations: Operations, metrics: Pick<Metrics, 'operationAccepted'>): Router {
  const router = Router({ strict: true, caseSensitive: true });
  for (const path of new Set(routeTable.map((route) => route.path))) {
    const routes = routeTable.filter((route) => route.path === path);
    const at = router.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    if (routes.some(({ method }) => method === 'patch'))
      at.all((_request, response, next) => {
        response.set('Accept-Patch', patchTypes.join(', '));
        next();
      });
    for (const route of routes) {
      at[route.method](...(route.method === 'get' ? [] : [readBytes]), serve(route, operations, metrics));
    }
    at.all(otherMethods(routes));
  }
  return router;
}

const serve =
  (route: Route, operations: Operations, metrics: Pick<Metrics, 'operationAccepted'>): RequestHandler =>
  async (request, response) => {
    request.template = apiRoot + route.path;
    const { params } = request;
    const caller = callerOf(request);
    const query: unknown = request.query;
    const sent: unknown = request.body;
    const precondition = preconditionOf(request, route);
    const about = { caller, params, path: `${request.baseUrl}${request.path}`, admission: admissionOf(request) };
    const shown = showing(route);
    const reply = await route.run(operations, {
      ...about,
      query,
      body: route.method === 'get' ? undefined : readBody(sent, request.headers['content-type'], route.body),
      precondition,
      ...(shown && {
        current: async () => {
          const whole = { ...about, params: paramsOf(shown, params), query: {}, body: undefined };
          return (await shown.run(operations, { ...whole, precondition: unconditional })).body;
        },
      }),
    });
    if (reply.status === 202) metrics.operationAccepted(route.id);
    response.status(reply.status).set(reply.headers);
    if (reply.body === undefined) response.end();
    else answer(request, response, route, reply.body);
  };

/** Those that are named in the path of a route. */
const paramsOf = ({ path }: Route, params: Request['params']) =>
  Object.fromEntries(Object.entries(params).filter(([name]) => path.includes(`{${name}}`)));

/** The route that shows what a request is about: at its own address, or at the nearest of which it is a part. */
function showing({ method, path }: Route): Route | undefined {
  if (method === 'get') return undefined;
  for (let address = path; address.includes('{'); address = address.slice(0, address.lastIndexOf('/'))) {
    const shown = routeTable.find((one) => one.method === 'get' && one.path === address);
    if (shown) return shown;
  }
  return undefined;
}

/** What shows an object has its tag; who has just that already is told so, without it. */
function answer(request: Request, response: Response, route: Route, body: unknown): void {
  const json = JSON.stringify(body);
  if (route.answer.tagged) {
    const tag = tagOf(json);
    response.set('ETag', tag);
    if (route.method === 'get') {
      response.set('Cache-Control', 'private, no-cache');
      if (isKnown(request, tag)) {
        response.status(304).end();
        return;
      }
    }
  }
  response.type('json').send(json);
}

const otherMethods =
  (routes: readonly Route[]): RequestHandler =>
  (request, response) => {
    const methods = routes.map(({ method }) => method.toUpperCase());
    const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    response.set('Allow', allowed);
    if (request.method === 'OPTIONS') {
      response.status(204).end();
      return;
    }
    throw new Problem('method_not_allowed', `This address takes ${allowed}, not ${request.method}.`);
  };
