import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { json } from '../../client/message.js';
import { clientFor } from '../../client/node/client.js';
import { type Bench, tenVms } from '../bench.js';
import { hostileCases, largeTemplate } from '../hostile/cases.js';
import type { HostileCase, Reply, Sender, Tenant } from '../hostile/tenant.js';
import type { Measured, Result } from '../result.js';

/** Milliseconds that no request keeps the api's event loop, and no step the worker's, at a stretch. */
const goal = 50;
const slower = 2;
const times = 3;
const password = 'of-no-worth';

const Identified = z.object({ id: z.int() });

/**
 * The worst of each kind, from a user without rights beyond his own objects: how long the event loops of api and worker
 * stand at a stretch, and how long another's deployment of ten VMs takes while it is sent without a pause; once, where it is
 * accepted as an operation.
 */
export async function measureHostile(bench: Bench): Promise<Measured> {
  const tenant = await signUp(bench, 'bench-hostile');
  await deployed(bench);
  const alone = middle(await deployedTimes(bench, 5));
  const rows: readonly HostileCase[] = [
    { name: 'for comparison: a large service template as people write it', attack: largeTemplate },
    ...hostileCases,
  ].filter(({ name }) => name.includes(bench.cases));
  const results: Result[] = [];
  const table = [['Input', 'api', 'worker', 'another’s deployment', 'Met']];
  for (const { name, prepare, attack, once } of rows) {
    await prepare?.(tenant);
    const stood = await stretches(bench, () => attack(tenant), once ? 1 : times);
    const beside = middle(await deployedTimes(bench, times, () => attack(tenant)));
    const longest = Math.max(stood.api, stood.worker);
    console.error(`  ${name}: ${stood.api.toFixed(0)}, ${stood.worker.toFixed(0)}, ${beside.toFixed(0)} ms`);
    const met = longest < goal && beside <= slower * alone;
    const ratio = `${(beside / alone).toFixed(2)} ×`;
    results.push({
      work: `hostile: ${name}`,
      runs: once ? 1 : times,
      measured: `api ${stood.api.toFixed(0)}, worker ${stood.worker.toFixed(0)} ms at a stretch; another’s deployment ${beside.toFixed(0)} ms`,
      floor: `${alone.toFixed(0)} ms`,
      ratio,
      goal: `< ${goal} ms, ≤ ${slower} ×`,
      met,
    });
    const other = `${Math.round(beside).toLocaleString('en-US')} ms, ${ratio}`;
    table.push([name, said(stood.api), said(stood.worker), other, met ? 'yes' : '**no**']);
  }
  return {
    results,
    table,
    notes: [
      `hostile: another’s deployment takes ${alone.toFixed(0)} ms alone (median of five; beside, of three); stretches are in ms of CPU time`,
    ],
  };
}

/** Shorter stretches are not told (watch-loop.mjs). */
const said = (ms: number): string => (ms === 0 ? '< 10' : ms.toFixed(0));

/** A new user of this name. */
export async function signUp({ arcus }: Bench, name: string): Promise<Tenant> {
  const root = arcus.api;
  await arcus.client.send('POST', '/users', Identified, json({ name, password }));
  const own = clientFor({ endpoint: new URL(root), credentials: { name, password } });
  const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  const client: Sender = {
    async send(method, path, body, headers = {}) {
      const response = await fetch(`${root}${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      if (response.status >= 500) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return { status: response.status, body: await response.json() };
    },
    make: async (path, body) => (await own.send('POST', path, Identified, json(body))).value.id,
  };
  let names = 0;
  const vmTemplate = await client.make('/vm-templates', { name: 'hostile', template: { CPU: 0.1, MEMORY: 16 } });
  const roles = [{ name: 'a', vm_template: vmTemplate }];
  const serviceTemplate = await client.make('/service-templates', { name: 'hostile', roles });
  return { client, vmTemplate, serviceTemplate, fresh: () => `hostile-${++names}` };
}

/** The longest of the last of some requests: the first are as slow as code that has not been compiled. */
async function stretches(
  { arcus, loops }: Bench,
  ask: () => Promise<unknown>,
  times: number,
): Promise<{ api: number; worker: number }> {
  const { api = 0, worker = 0 } = arcus.processes();
  let since = 0;
  for (let time = 0; time < times; time++) {
    since = Date.now();
    await ask();
    await sleep(300);
  }
  const longest = (pid: number) => loops?.longestOf(pid, since) ?? 0;
  return { api: longest(api), worker: longest(worker) };
}

export const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

export async function deployedTimes(bench: Bench, count: number, meanwhile?: () => Promise<Reply>): Promise<number[]> {
  const took: number[] = [];
  for (let time = 0; time < count; time++) took.push(await deployed(bench, meanwhile));
  return took;
}

/** Milliseconds of a deployment of ten VMs, beside what is done again and again until one is accepted as an operation. */
export async function deployed({ arcus }: Bench, meanwhile?: () => Promise<Reply>): Promise<number> {
  let over = false;
  const besides = (async () => {
    while (meanwhile && !over && (await meanwhile()).status !== 202);
  })();
  const begin = performance.now();
  const id = await arcus.deploy(tenVms);
  await arcus.reach([id], 'RUNNING');
  const took = performance.now() - begin;
  over = true;
  await besides;
  await arcus.undeploy(id);
  await arcus.reach([id], 'DONE');
  return took;
}
