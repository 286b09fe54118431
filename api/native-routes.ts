import express, { type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { Problem } from '../domain/problems.js';
import type { Admission } from '../operations/context.js';
import type { Operations } from '../operations/operations.js';
import { check } from './findings.js';
import { IdempotencyKey } from './idempotency-key.js';
import { invalid } from './invalid.js';
import type { Metrics } from './metrics.js';
import { bodyLimit, readBody } from './read-body.js';
import { requestId } from './request.js';
import { apiRoot, noBody, type Route } from './route.js';
import { routeTable } from './route-table.js';

const readBytes = express.raw({ type: () => true, limit: bodyLimit });

/** The native API below its root: each row of the table under its method; another method is told which there are. */
export function nativeRoutes(operations: Operations, metrics: Pick<Metrics, 'operationAccepted'>): Router {
  const router = Router({ strict: true, caseSensitive: true });
  for (const path of new Set(routeTable.map((route) => route.path))) {
    const routes = routeTable.filter((route) => route.path === path);
    const at = router.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const route of routes) {
      at[route.method](...(route.body === noBody ? [] : [readBytes]), serve(route, operations, metrics));
    }
    at.all(otherMethods(routes));
  }
  return router;
}

const serve =
  (route: Route, operations: Operations, metrics: Pick<Metrics, 'operationAccepted'>): RequestHandler =>
  async (request, response) => {
    request.template = apiRoot + route.path;
    const { caller, params } = request;
    if (!caller) throw new Problem('not_authenticated', 'Send your name and password.');
    const query: unknown = request.query;
    const sent: unknown = request.body;
    const reply = await route.run(operations, {
      caller,
      params,
      query,
      path: `${request.baseUrl}${request.path}`,
      body: route.body === noBody ? undefined : readBody(sent, request.headers['content-type'], route.body),
      admission: admissionOf(request),
    });
    if (reply.status === 202) metrics.operationAccepted(route.id);
    response.status(reply.status).set(reply.headers);
    if (reply.body === undefined) response.end();
    else response.json(reply.body);
  };

function admissionOf(request: Parameters<RequestHandler>[0]): Admission {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return { requestId: requestId(request) };
  const checked = check(z.object({ 'Idempotency-Key': IdempotencyKey }), { 'Idempotency-Key': key });
  if (!checked.ok) throw invalid(checked.findings);
  return { requestId: requestId(request), idempotencyKey: checked.value['Idempotency-Key'] };
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
