import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepare } from '../../runtime/prepare.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { builtVersion, makeVersionCurrent } from '../../runtime/servers/deployment-version.js';
import { ensurePrograms } from '../support/programs.js';
import { ownDatabaseUri, ownTemporal, temporalSettings } from '../support/servers.js';
import { SimulatorProcess } from '../support/simulator-process.js';
import { launchProgram, type Options, type Program, type Result } from './launch-program.js';
import { runArcus } from './run-arcus.js';

/** A whole Arcus as processes: simulator, worker, API and a home; the MongoDB and the Temporal of the run. */
export type RunningArcus = {
  home: string;
  endpoint: string;
  /** Address of its database. */
  mongodb: string;
  /** What its VMs run on, to be broken and healed. */
  simulator: SimulatorProcess;
  /** `arcus …` against this Arcus: in this process, unless it is to read `input`, which only one of its own has. */
  arcus: (args: readonly string[], options?: Options) => Promise<Result>;
  /** The same as a process of its own, not waited for. */
  begin: (args: readonly string[], options?: Options) => Program;
  /** Ends the api by a signal and starts it again, at the same address, after `meanwhile`. */
  restartApi: (signal: 'SIGKILL' | 'SIGTERM', meanwhile: () => Promise<unknown>) => Promise<void>;
  stop: () => Promise<void>;
};

export async function startArcus(): Promise<RunningArcus> {
  ensurePrograms('disks');
  const home = mkdtempSync(join(tmpdir(), 'arcus-cli-'));
  const port = { worker: await choosePort(), api: await choosePort() };
  const [temporal, simulator] = await Promise.all([ownTemporal('cli'), SimulatorProcess.start()]);
  const servers = { ...temporalSettings(temporal), ARCUS_MONGODB_URI: ownDatabaseUri('cli') };
  await prepare(servers, { name: 'oneadmin', password: 'pass:word' });
  writeFileSync(join(home, 'auth'), 'oneadmin:pass:word\n', { mode: 0o600 });
  writeFileSync(join(home, 'ports.json'), JSON.stringify({ api: port.api }));

  const environment = {
    ...servers,
    ARCUS_HOME: home,
    ...simulator.settings,
    ARCUS_TEMPORAL_UI_URL: 'http://temporal.test',
    ARCUS_LOG_LEVEL: 'info',
  };
  const startApi = () =>
    launchProgram('api/main.js', [], { environment: { ...environment, ARCUS_PORT: String(port.api) } });
  let api = startApi();
  const worker = launchProgram('worker/main.js', [], {
    environment: { ...environment, ARCUS_WORKER_PORT: String(port.worker) },
  });
  const endpoint = `http://127.0.0.1:${port.api}`;
  await Promise.all([answers(`${endpoint}/readyz`, api), answers(`http://127.0.0.1:${port.worker}/readyz`, worker)]);
  await makeVersionCurrent(temporal, builtVersion(), 300_000);

  const begin = (args: readonly string[], { input, environment: more = {} }: Options = {}) =>
    launchProgram('arcus/main.js', args, {
      ...(input === undefined ? {} : { input }),
      environment: { ARCUS_HOME: home, ...more },
    });
  return {
    home,
    endpoint,
    mongodb: servers.ARCUS_MONGODB_URI,
    simulator,
    restartApi: async (signal, meanwhile) => {
      api.process.kill(signal);
      await api.ended;
      await meanwhile();
      api = startApi();
      await answers(`${endpoint}/readyz`, api);
    },
    begin,
    arcus: (args, options = {}) =>
      options.input === undefined
        ? runArcus(args, { ARCUS_HOME: home, ...options.environment })
        : begin(args, options).ended,
    stop: async () => {
      for (const program of [api, worker]) program.process.kill('SIGTERM');
      await Promise.all([api.ended, worker.ended]);
      await simulator.dispose();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function answers(url: string, program: Program): Promise<void> {
  for (const until = Date.now() + 300_000; Date.now() < until; await sleep(50)) {
    if (program.process.exitCode !== null) break;
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
  }
  throw new Error(`${url} does not answer: ${program.out()}${program.err()}`);
}
