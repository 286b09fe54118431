import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import { z } from 'zod';
import { ApiClient } from '../runtime/api-client.js';
import { checkout } from '../runtime/checkout.js';
import { readCredentials } from '../runtime/credentials.js';

// Times of whole services on an Arcus of its own, with simulated boot time 0: from the request to RUNNING, and to DONE.

const runs = 7;
const patience = 120_000;

const Identified = z.object({ id: z.int() });
const Accepted = z.object({ id: z.string(), resource: z.object({ id: z.int() }) });
const Stated = z.object({ state: z.string() });

/** Role graph of the ten VMs: frontend 1, db_master 1, db_slave 3 under it, web_server 5 under the three. */
const tenVms = (vm_template: number) => [
  { name: 'frontend', vm_template },
  { name: 'db_master', vm_template },
  { name: 'db_slave', cardinality: 3, parents: ['db_master'], vm_template },
  { name: 'web_server', cardinality: 5, parents: ['frontend', 'db_master', 'db_slave'], vm_template },
];

async function main(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'arcus-bench-'));
  const cache = process.env.ARCUS_CACHE;
  const arcus = spawn(
    process.execPath,
    [join(checkout, 'runtime', 'bootstrap.mjs'), 'start', '--no-sample', '--home', home],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ARCUS_PORT: '0',
        ARCUS_LOG_LEVEL: 'warn',
        ...(cache !== undefined && { ARCUS_CACHE: cache }),
      },
    },
  );
  const ended = new Promise<void>((resolve) => arcus.once('exit', () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      let said = '';
      arcus.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Ctrl-C stops everything')) resolve();
      });
      arcus.once('exit', () => reject(new Error(`Arcus did not start: ${said}`)));
    });
    const Ports = z.object({ api: z.int(), simulator: z.int() });
    const ports = Ports.parse(JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8')));
    await measure(home, ports);
  } finally {
    arcus.kill('SIGINT');
    await ended;
    rmSync(home, { recursive: true, force: true });
  }
}

async function measure(home: string, ports: { api: number; simulator: number }): Promise<void> {
  const client = new ApiClient(`http://127.0.0.1:${ports.api}`, readCredentials(join(home, 'auth')));
  await fetch(`http://127.0.0.1:${ports.simulator}/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ boot_ms: 0, shutdown_ms: 0 }),
  });
  for (const name of ['bench-1', 'bench-2', 'bench-3'])
    await client.post('/hosts', { name, cpu: 4_000, memory: 4_000_000 }, Identified);
  const template = { CPU: 1, MEMORY: 512 };
  const vm = await client.post('/vm-templates', { name: 'bench', template }, Identified);
  const works = [
    { label: 'ten VMs, straight, three levels', deployment: 'straight', roles: tenVms(vm.id), runs },
    {
      label: 'one role × 50',
      deployment: 'none',
      roles: [{ name: 'web', cardinality: 50, vm_template: vm.id }],
      runs: 3,
    },
    {
      label: 'one role × 200',
      deployment: 'none',
      roles: [{ name: 'web', cardinality: 200, vm_template: vm.id }],
      runs: 3,
    },
  ];
  const table = new Table({
    head: ['work', 'runs', 'to RUNNING, ms: min', 'median', 'max', 'to DONE, ms: median'],
    style: { head: [], border: [] },
  });
  console.log(
    `Arcus, Node.js ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}, simulated boot time 0, one api and one worker`,
  );
  for (const { label, deployment, roles, runs: times } of works) {
    const made = await client.post('/service-templates', { name: label, deployment, roles }, Identified);
    // The first fills caches and is not counted.
    await once(client, made.id);
    const measured = [];
    for (let run = 0; run < times; run++) measured.push(await once(client, made.id));
    const deploys = measured.map(({ deployed }) => deployed).sort((a, b) => a - b);
    const undeploys = measured.map(({ undeployed }) => undeployed).sort((a, b) => a - b);
    table.push([label, times, deploys.at(0), median(deploys), deploys.at(-1), median(undeploys)].map(String));
  }
  console.log(table.toString());
  console.log(
    `load at the end ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
}

const median = (sorted: readonly number[]): number | undefined => sorted[Math.floor(sorted.length / 2)];

/** Milliseconds from the request until the state is seen, asked for every 5 ms. */
async function once(client: ApiClient, template: number): Promise<{ deployed: number; undeployed: number }> {
  const begin = performance.now();
  const { resource } = await client.post(`/service-templates/${template}/instantiate`, {}, Accepted);
  await until(client, resource.id, 'RUNNING');
  const deployed = Math.round(performance.now() - begin);
  const middle = performance.now();
  await client.post(`/services/${resource.id}/undeploy`, {}, Accepted);
  await until(client, resource.id, 'DONE');
  return { deployed, undeployed: Math.round(performance.now() - middle) };
}

async function until(client: ApiClient, service: number, aim: string): Promise<void> {
  for (const end = Date.now() + patience; ; await sleep(5)) {
    const { state } = await client.get(`/services/${service}`, Stated);
    if (state === aim) return;
    if (state.startsWith('FAILED') || Date.now() > end) throw new Error(`service ${service} is ${state}, not ${aim}`);
  }
}

await main();
