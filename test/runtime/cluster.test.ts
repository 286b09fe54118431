import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { clientFor } from '../../client/node/client.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { ensureSample, simulatedCloud } from '../../runtime/sample/sample.js';
import { probeHttp } from '../../runtime/servers/await-ready.js';
import { readCredentials } from '../../runtime/servers/credentials.js';
import { startMongo } from '../../runtime/servers/mongodb-server.js';
import { startTemporal } from '../../runtime/servers/temporal-server.js';
import { ServiceResource } from '../../schemas/services/service.js';
import { ownDirectory } from '../support/directories.js';
import { eventually, launchBuilt } from '../support/processes.js';

/** The topology of docker-compose.yml as processes of this machine: the same programs, each told everything by its environment. */
async function startCluster() {
  const directory = ownDirectory();
  const at = async (name: string) => {
    mkdirSync(join(directory, name));
    return { directory: join(directory, name), port: await choosePort() };
  };
  const [mongo, temporal] = await Promise.all([
    startMongo({ binary: inject('mongodPath'), ...(await at('mongodb')) }),
    startTemporal({ binary: inject('temporalPath'), ...(await at('temporal')), uiPort: await choosePort() }),
  ]);
  onTestFinished(() => Promise.all([mongo.stop(), temporal.stop()]).then(() => {}));
  const simulator = await at('simulator');
  const token = { ARCUS_SIMULATOR_TOKEN: 'of a test' };
  launchBuilt('simulator/main.js', ['--port', String(simulator.port), '--directory', simulator.directory], token);

  const settings = {
    ARCUS_HOME: directory,
    ARCUS_MONGODB_URI: mongo.databaseUri('arcus'),
    ARCUS_TEMPORAL_ADDRESS: temporal.address,
    ARCUS_SIMULATOR_URL: `http://127.0.0.1:${simulator.port}`,
    ...token,
  };
  const job = async (module: string) => {
    const { exit, text } = launchBuilt(module, [], settings);
    expect(await exit, text()).toBe(0);
  };
  // Both at once, as two that deploy a version might: the job may run beside itself.
  await Promise.all([job('runtime/prepare-cluster.js'), job('runtime/prepare-cluster.js')]);

  const ready = (port: number) =>
    eventually(() =>
      probeHttp(`http://127.0.0.1:${port}/readyz`).then(
        () => true,
        () => false,
      ),
    );
  const start = async (module: string, portSetting: string) => {
    const port = await choosePort();
    const output = launchBuilt(module, [], { ...settings, [portSetting]: String(port) });
    return { ...output, port };
  };
  const workers = [
    await start('worker/main.js', 'ARCUS_WORKER_PORT'),
    await start('worker/main.js', 'ARCUS_WORKER_PORT'),
  ];
  const apis = [await start('api/main.js', 'ARCUS_PORT'), await start('api/main.js', 'ARCUS_PORT')];
  await Promise.all([...workers, ...apis].map(({ port }) => ready(port)));
  await job('runtime/release.js');

  const credentials = readCredentials(join(directory, 'auth'));
  const clients = apis.map(({ port }) => clientFor({ endpoint: new URL(`http://127.0.0.1:${port}`), credentials }));
  return { directory, workers, apis, clients, simulatorUrl: settings.ARCUS_SIMULATOR_URL };
}

const Vms = z.object({ id: z.int(), name: z.string(), lcm_state: z.string() });

describe('two APIs and two workers on one Temporal and one MongoDB', () => {
  it('deploy a service that one API admitted and the other shows, though one worker is killed on the way', async () => {
    const { directory, workers, clients } = await startCluster();
    const [one, other] = clients;
    const [worker] = workers;
    if (one === undefined || other === undefined || worker === undefined) throw new Error('too few processes');
    const id = (await ensureSample(one, join(directory, 'sample.json'), simulatedCloud)) ?? -1;
    await eventually(async () => (await other.get(`/services/${id}`, ServiceResource)).value.state === 'DEPLOYING');
    worker.process.kill('SIGKILL');
    const service = await eventually(async () => {
      const seen = (await other.get(`/services/${id}`, ServiceResource)).value;
      return seen.state === 'RUNNING' ? seen : undefined;
    });
    expect(service.roles.map((role) => [role.name, role.nodes.length])).toEqual([
      ['frontend', 1],
      ['db_master', 1],
      ['db_slave', 3],
      ['worker', 10],
    ]);
    const vms = (await one.list('/vms', Vms)).map(({ value }) => value);
    expect(vms).toHaveLength(15);
    expect(new Set(vms.map((vm) => vm.name)).size).toBe(15);
    expect(new Set(vms.map((vm) => vm.lcm_state))).toEqual(new Set(['RUNNING']));
  });

  it('make the sample once, however often a start was killed on the way, and go on when one API drains', async () => {
    const { apis, clients, directory } = await startCluster();
    const [one, other] = clients;
    const [api] = apis;
    if (one === undefined || other === undefined || api === undefined) throw new Error('too few processes');
    const file = join(directory, 'sample.json');
    const id = await ensureSample(one, file, simulatedCloud);
    const { key } = z.object({ key: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8')));
    // Killed before it had noted the service down, and before it had noted anything down.
    writeFileSync(file, JSON.stringify({ key, service: null, declined: false }));
    expect(await ensureSample(other, file, simulatedCloud)).toBe(id);
    rmSync(file);
    expect(await ensureSample(other, file, simulatedCloud)).toBe(id);
    const Named = z.object({ id: z.int() });
    for (const [path, count] of [
      ['/services', 1],
      ['/hosts', 3],
      ['/vm-templates', 4],
    ] as const)
      expect(await one.list(path, Named), path).toHaveLength(count);

    api.process.kill('SIGTERM');
    expect(await api.exit).toBe(0);
    expect(await other.list('/services', Named)).toHaveLength(1);
  });
});
