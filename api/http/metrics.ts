import type { RequestHandler } from 'express';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** What the API counts, in Prometheus' format. */
export function createMetrics() {
  const registry = new Registry();
  // The default looks at the event loop every 10 ms: a hundred wake-ups a second of a process that has nothing to do.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1_000 });
  // What is made of those looks is no delay: each is a second long by itself, and before the first there is no number.
  for (const part of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'])
    registry.removeSingleMetric(`nodejs_eventloop_lag_${part}_seconds`);
  const requests = new Histogram({
    name: 'arcus_http_request_duration_seconds',
    help: 'Time to answer, by the route as in the OpenAPI document',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const accepted = new Counter({
    name: 'arcus_operations_accepted_total',
    help: 'Operations that the API has answered with 202, by what was asked for',
    labelNames: ['request'],
    registers: [registry],
  });

  const observe: RequestHandler = (request, response, next) => {
    const stop = requests.startTimer();
    response.on('finish', () => {
      stop({ method: request.method, route: request.template ?? 'none', status: response.statusCode });
    });
    next();
  };
  return {
    observe,
    operationAccepted: (request: string): void => accepted.inc({ request }),
    serve: (async (request, response) => {
      request.template = '/metrics';
      response.type(registry.contentType).send(await registry.metrics());
    }) satisfies RequestHandler,
  };
}
