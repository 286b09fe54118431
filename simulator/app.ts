import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { isForeign, isLoopback, isOurName, sourceOf } from '../schemas/common/request-source.js';
import {
  AdoptCall,
  ChangeCall,
  DeployCall,
  DestroyCall,
  DeviceCallName,
  JournalQuery,
  MoveCall,
  ProbeCall,
  SnapshotCall,
  SwitchCall,
  simulatorRefusals,
} from '../schemas/hosts/simulator.js';
import { controlRoutes } from './control-routes.js';
import { hostName } from './host-name.js';
import { Refusal } from './refusal.js';
import type { Simulator } from './simulator.js';
import { demandToken } from './token.js';

/** The HTTP face: what hypervisor adapters call, and what people and tests control it by. All of it takes the token. */
export function simulatorApp(simulator: Simulator, log: Logger, token: string): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(refusePages);
  app.use(demandToken(token));
  app.use(express.json({ limit: '1mb', strict: true, type: () => true }));
  app.use(callRoutes(simulator));
  app.use(controlRoutes(simulator, log));
  app.use((request) => {
    throw new Refusal('not_found', `There is nothing at ${request.method} ${request.path}.`);
  });
  app.use(answerErrors(log));
  return app;
}

/** Pages of other sites: what they send, and names of theirs that they let point to this machine. */
const refusePages: RequestHandler = ({ method, headers, socket }, _response, next) => {
  const ours = { names: [], loopback: isLoopback(socket.localAddress ?? '') };
  if (!isOurName(headers.host, ours) || isForeign(sourceOf(method, headers)))
    throw new Refusal('forbidden', 'Pages of other sites may ask nothing here, and I answer to no other name.');
  next();
};

function callRoutes(simulator: Simulator): Router {
  const routes = Router();
  routes.post('/hosts/:name/deploy', async (request, response) => {
    const call = DeployCall.parse(request.body);
    response.json(await simulator.deploy(hostName(request), call, clientGone(response)));
  });
  routes.post('/hosts/:name/destroy', async (request, response) => {
    const call = DestroyCall.parse(request.body);
    response.json(await simulator.destroy(hostName(request), call, clientGone(response)));
  });
  for (const verb of ['poweroff', 'reboot'] as const)
    routes.post(`/hosts/:name/${verb}`, async (request, response) => {
      const call = DestroyCall.parse(request.body);
      response.json(await simulator[verb](hostName(request), call, clientGone(response)));
    });
  for (const verb of ['suspend', 'resume', 'disown'] as const)
    routes.post(`/hosts/:name/${verb}`, async (request, response) => {
      const call = SwitchCall.parse(request.body);
      response.json(await simulator[verb](hostName(request), call, clientGone(response)));
    });
  for (const verb of ['snapshotCreate', 'snapshotRevert', 'snapshotDelete'] as const)
    routes.post(`/hosts/:name/${verb}`, async (request, response) => {
      const call = SnapshotCall.parse(request.body);
      response.json(await simulator.snapshot(verb, hostName(request), call, clientGone(response)));
    });
  for (const verb of ['migrate', 'move'] as const)
    routes.post(`/hosts/:name/${verb}`, async (request, response) => {
      const call = MoveCall.parse(request.body);
      response.json(await simulator.move(verb, hostName(request), call, clientGone(response)));
    });
  for (const verb of DeviceCallName.options)
    routes.post(`/hosts/:name/${verb}`, async (request, response) => {
      const call = ChangeCall.parse(request.body);
      response.json(await simulator.change(verb, hostName(request), call, clientGone(response)));
    });
  routes.post('/hosts/:name/adopt', async (request, response) => {
    const call = AdoptCall.parse(request.body);
    response.json(await simulator.adopt(hostName(request), call, clientGone(response)));
  });
  routes.post('/hosts/:name/probe', async (request, response) => {
    const call = ProbeCall.parse(request.body);
    response.json(await simulator.probe(hostName(request), call, clientGone(response)));
  });
  routes.get('/journal', async (request, response) => {
    response.json(await simulator.journal(JournalQuery.parse(request.query)));
  });
  routes.get('/healthz', (_request, response) => {
    response.json({ status: 'ok', hosts: simulator.state.hosts.size });
  });
  return routes;
}

/** Aborts when the client hangs up before its answer. */
function clientGone(response: Response): AbortSignal {
  const controller = new AbortController();
  // Who hangs up while the body is read is gone before anybody listens.
  if (response.destroyed) controller.abort();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

const answerErrors =
  (log: Logger): ErrorRequestHandler =>
  (error, _request, response, _next) => {
    if (response.destroyed || response.headersSent) return;
    const refusal = refusalOf(error);
    if (refusal.code === 'internal') log.error({ err: error }, 'a call met a bug');
    response.status(simulatorRefusals[refusal.code]).json({ code: refusal.code, detail: refusal.message });
  };

const BodyParserError = z.object({ type: z.string(), status: z.int().min(400).max(499) });

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof z.ZodError) return new Refusal('invalid_request', sentenceOf(error));
  const parser = BodyParserError.safeParse(error);
  if (parser.data?.type === 'entity.too.large') return new Refusal('body_too_large', 'The body is larger than 1 MB.');
  if (parser.success) return new Refusal('invalid_request', 'The body is not valid JSON.');
  if (error instanceof URIError) return new Refusal('invalid_request', 'The address is not valid: a % is misplaced.');
  return new Refusal('internal', 'Something went wrong in the simulator; its log says what.');
}

/** `epoch: expected number, received string; vm: …` */
function sentenceOf(error: z.ZodError): string {
  const findings = error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  return `The request is not valid: ${findings.join('; ')}.`;
}
