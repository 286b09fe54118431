import { Router } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { Capacity } from '../schemas/common/capacity.js';
import { ObjectId } from '../schemas/common/common.js';
import { eachCounter } from '../schemas/hosts/metrics.js';
import {
  type LoadRule,
  PutDomainState,
  PutFaults,
  PutLoad,
  type SimulatedHost,
  UpdateSimulatorSettings,
} from '../schemas/hosts/simulator.js';
import { hostName } from './host-name.js';
import { reportOf } from './metrics.js';
import { Refusal } from './refusal.js';
import type { Simulator } from './simulator.js';
import { domainsOn, type Machine, usedCapacity } from './state.js';

const mostRules = 1000;

/** What people and tests change: hosts, their faults, guests, load, settings. Every PUT may be sent again. */
export function controlRoutes(simulator: Simulator, log: Logger): Router {
  const routes = Router();

  routes.get('/hosts', (_request, response) => {
    response.json({ items: [...simulator.state.hosts.values()].map((host) => hostAnswer(simulator, host)) });
  });
  routes.get('/hosts/:name', (request, response) => {
    const host = simulator.host(hostName(request));
    const now = Date.now();
    const reports = domainsOn(host, now).map((domain) => reportOf(domain, host, simulator.state.rules, now));
    response.json({ ...hostAnswer(simulator, host), domains: reports });
  });
  routes.put('/hosts/:name', async (request, response) => {
    const total = z.strictObject(Capacity.shape).parse(request.body);
    const name = hostName(request);
    const known = simulator.state.hosts.get(name)?.total;
    if (known?.cpu !== total.cpu || known.memory !== total.memory) {
      await simulator.control({ kind: 'host', host: name, total });
    }
    response.json(hostAnswer(simulator, simulator.host(name)));
  });
  routes.put('/hosts/:name/faults', async (request, response) => {
    const host = simulator.host(hostName(request));
    const faults = PutFaults.parse(request.body);
    await simulator.control({ kind: 'faults', host: host.name, faults });
    log.info({ host: host.name, faults }, 'faults set');
    response.json(hostAnswer(simulator, host));
  });
  routes.put('/hosts/:name/vms/:vm', async (request, response) => {
    const host = simulator.host(hostName(request));
    const vm = z.coerce.number().pipe(ObjectId).parse(request.params.vm);
    const { state } = PutDomainState.parse(request.body);
    const here = () => domainsOn(host, Date.now()).find((domain) => domain.vm === vm);
    if (!here()) throw new Refusal('not_found', `${host.name} has no domain of VM ${vm}.`);
    await simulator.control({ kind: 'domain', host: host.name, vm, state });
    const domain = here();
    response.json(domain ? reportOf(domain, host, simulator.state.rules, Date.now()) : { vm, state: 'gone' });
  });

  routes.get('/settings', (_request, response) => {
    response.json(simulator.state.settings);
  });
  routes.put('/settings', async (request, response) => {
    const change = UpdateSimulatorSettings.parse(request.body);
    await simulator.control({ kind: 'settings', settings: { ...simulator.state.settings, ...change } });
    response.json(simulator.state.settings);
  });

  routes.get('/load', (_request, response) => {
    response.json({ items: activeRules(simulator) });
  });
  routes.put('/load', async (request, response) => {
    const before = activeRules(simulator);
    const rule = ruleOf(PutLoad.parse(request.body), 1 + Math.max(0, ...before.map(({ id }) => id)), Date.now());
    const others = before.filter((other) => selector(other) !== selector(rule));
    if (others.length >= mostRules) {
      throw new Refusal('invalid_request', `There are ${mostRules} rules of load already: delete some.`);
    }
    await simulator.control({ kind: 'load', rules: [...others, rule] });
    response.json(rule);
  });
  routes.delete('/load', async (_request, response) => {
    await simulator.control({ kind: 'load', rules: [] });
    response.status(204).end();
  });
  routes.delete('/load/:id', async (request, response) => {
    const id = z.coerce.number().int().parse(request.params.id);
    const rules = activeRules(simulator).filter((rule) => rule.id !== id);
    await simulator.control({ kind: 'load', rules });
    response.status(204).end();
  });
  return routes;
}

function hostAnswer(simulator: Simulator, host: Machine): SimulatedHost {
  const now = Date.now();
  return {
    name: host.name,
    ...host.total,
    used: usedCapacity(host, now),
    probes: simulator.probes.get(host.name) ?? 0,
    waiting: simulator.changes.waiting(host.name),
    faults: host.faults,
    domains: domainsOn(host, now).length,
  };
}

const activeRules = (simulator: Simulator): LoadRule[] =>
  simulator.state.rules.filter((rule) => rule.until === null || Date.parse(rule.until) > Date.now());

function ruleOf(rule: PutLoad, id: number, now: number): LoadRule {
  return {
    id,
    host: rule.host ?? null,
    service: rule.service ?? null,
    role: rule.role ?? null,
    vm: rule.vm ?? null,
    cpu_percent: rule.cpu_percent ?? null,
    memory_percent: rule.memory_percent ?? null,
    ...eachCounter((name) => rule[name] ?? null),
    until: rule.for_seconds === undefined ? null : new Date(now + rule.for_seconds * 1000).toISOString(),
  };
}

/** A rule for the same VMs takes the place of the one before. */
const selector = ({ host, service, role, vm }: LoadRule): string => JSON.stringify([host, service, role, vm]);
