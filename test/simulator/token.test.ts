import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Router } from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { simulatedHypervisor } from '../../adapters/hypervisor/simulated/simulated.js';
import { Problem } from '../../domain/problems.js';
import { simulatorApp } from '../../simulator/app.js';
import { Simulator } from '../../simulator/simulator.js';
import { ownDirectory } from '../support/directories.js';
import { simulatedHost } from '../support/simulated-vm.js';
import { SimulatorProcess } from '../support/simulator-process.js';

let simulator: SimulatorProcess;
beforeAll(async () => {
  simulator = await SimulatorProcess.start();
});
afterAll(() => simulator.dispose());

/** Every method and path that the simulator knows, from its own tables of routes. */
function routes(): { method: string; path: string }[] {
  const inner = new Simulator(ownDirectory(), () => {});
  const app = simulatorApp(inner, pino({ level: 'silent' }), 'of a test');
  inner.stop();
  inner.close();
  const Layers = z.array(z.object({ handle: z.custom<Router>(), route: z.unknown() }));
  const Route = z.object({ path: z.string(), methods: z.record(z.string(), z.boolean()) });
  return Layers.parse(app.router.stack).flatMap(({ handle }) =>
    (handle.stack ?? []).flatMap(({ route }) => {
      const known = Route.safeParse(route);
      if (!known.success) return [];
      return Object.keys(known.data.methods).map((method) => ({
        method: method.toUpperCase(),
        path: known.data.path.replaceAll(/:\w+/g, '1'),
      }));
    }),
  );
}

it('nothing is answered and nothing is done without the token, on any route', async () => {
  const all = routes();
  expect(all.length).toBeGreaterThan(14);
  for (const { method, path } of [...all, { method: 'GET', path: '/nothing' }, { method: 'PUT', path: '/%zz' }])
    for (const authorization of [undefined, '', 'Bearer', 'Bearer guessed', `Basic ${simulator.token}`]) {
      const response = await fetch(`${simulator.url}${path}`, {
        method,
        headers: { ...(authorization !== undefined && { authorization }) },
        // Nor is a body read that would be refused.
        ...(method !== 'GET' && { body: '{' }),
      });
      expect([response.status, await response.json()], `${method} ${path} ${authorization}`).toEqual([
        401,
        { code: 'unauthorized', detail: expect.stringMatching(/^The simulator asks for its token: /) },
      ]);
    }
});

it('the token is its owner’s alone, and the same after a kill', async () => {
  const { token } = simulator;
  expect(statSync(join(simulator.directory, 'token')).mode & 0o777).toBe(0o600);
  await simulator.end('SIGKILL');
  await simulator.startAgain();
  expect(simulator.token).toBe(token);
  expect((await simulator.send('GET', '/healthz')).status).toBe(200);
});

it('a worker whose token is wrong tries again, and says what to do', async () => {
  const hypervisor = simulatedHypervisor({ url: simulator.url, token: 'wrong' }, 'tests');
  const refused = hypervisor.probe(simulatedHost('host-1', { cpu: 100, memory: 100 }), new AbortController().signal);
  await expect(refused).rejects.toSatisfy(
    (problem) =>
      problem instanceof Problem &&
      problem.code === 'backend_unavailable' &&
      /^host-1 refuses this worker: .*ARCUS_SIMULATOR_TOKEN/.test(problem.message),
  );
});
