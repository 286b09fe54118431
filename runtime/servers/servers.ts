import { join } from 'node:path';
import { execa } from 'execa';
import { temporalAccess } from '../../adapters/engine/access.js';
import { built } from '../../adapters/process/checkout.js';
import { givenSecret } from '../../adapters/process/given-secret.js';
import type { Trust } from '../../client/node/trusting-fetch.js';
import type { Home } from '../home/home.js';
import { ensureSecret, randomSecret } from '../home/secret-file.js';
import { Obstacle, reasonOf } from '../processes/obstacle.js';
import { isPortFree, keepPorts } from '../processes/ports.js';
import type { ServiceCommand, Supervisor } from '../processes/supervisor.js';
import { watchAnswers } from '../processes/watch-answers.js';
import type { Settings } from '../settings.js';
import { awaitReady, EndedEarly, probeHttp } from './await-ready.js';
import { type Tool, temporal } from './downloads.js';
import type { FetchOptions } from './fetch-binary.js';
import { findBinary } from './find-binary.js';
import { mongoUri } from './mongodb-access.js';
import { probeMongo } from './mongodb-server.js';
import { startBestMongod } from './start-mongod.js';
import { withTemporalFile } from './temporal-file.js';
import { awaitTemporal, probeTemporal, temporalCommand } from './temporal-server.js';
import { watchCommits } from './watch-commits.js';

const portNames = ['temporal', 'temporalUi', 'mongodb', 'simulator', 'worker', 'api', 'oneflow'] as const;
type PortName = (typeof portNames)[number];
/** `oneflow`: null, when nothing is to listen there. */
export type Ports = Record<Exclude<PortName, 'oneflow'>, number> & { oneflow: number | null };

/** Where clients of OneFlow look for it. */
const oneflowPort = 2474;

/** Where the servers are that the processes of Arcus work with, whoever runs them. */
export type ServerAddresses = {
  ARCUS_TEMPORAL_ADDRESS: string;
  ARCUS_TEMPORAL_UI_URL?: string;
  ARCUS_MONGODB_URI: string;
  ARCUS_SIMULATOR_URL: string;
  ARCUS_SIMULATOR_TOKEN?: string;
};

export const fetchOptionsOf = (settings: Settings, home: Home, progress: (line: string) => void): FetchOptions => ({
  cache: settings.ARCUS_CACHE ?? home.cache,
  platform: `${process.platform}-${process.arch}`,
  mirror: settings.ARCUS_MIRROR ?? null,
  progress,
});

/** The address under which this machine reaches a server that listens on `listen`. */
export const reachable = (listen: string, port: number, isSecure = false): string => {
  const host = listen === '0.0.0.0' || listen === '::' ? '127.0.0.1' : listen;
  return `http${isSecure ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

/** Throws an Obstacle when something listens on the port of a setting. */
export async function requireFree(setting: string, port: number, address: string): Promise<void> {
  if (await isPortFree(port, address)) return;
  const otherwise = setting === 'ARCUS_PORT' || setting === 'ARCUS_ONEFLOW_PORT' ? ', or to 0 to have one chosen' : '';
  throw new Obstacle(`port ${port} of ${address} is in use: set ${setting} to another one${otherwise}`);
}

/** The ports of everything that Arcus runs: those given, which must be free, else those kept in the home. */
export async function portsOf(settings: Settings, home: Home): Promise<Ports> {
  const uiPort = settings.ARCUS_TEMPORAL_UI_PORT === 'off' ? undefined : settings.ARCUS_TEMPORAL_UI_PORT;
  const given = [
    { setting: 'ARCUS_TEMPORAL_PORT', port: settings.ARCUS_TEMPORAL_PORT, address: '127.0.0.1' },
    { setting: 'ARCUS_TEMPORAL_UI_PORT', port: uiPort, address: '127.0.0.1' },
    { setting: 'ARCUS_MONGODB_PORT', port: settings.ARCUS_MONGODB_PORT, address: '127.0.0.1' },
    { setting: 'ARCUS_PORT', port: settings.ARCUS_PORT || undefined, address: settings.ARCUS_LISTEN },
    { setting: 'ARCUS_ONEFLOW_PORT', port: numberIn(settings.ARCUS_ONEFLOW_PORT), address: settings.ARCUS_LISTEN },
  ];
  for (const { setting, port, address } of given) if (port !== undefined) await requireFree(setting, port, address);
  const oneflow = numberIn(settings.ARCUS_ONEFLOW_PORT) ?? (await usualOneflowPort(settings));
  const kept = await keepPorts(home.ports, portNames, {
    ...(oneflow !== undefined && { oneflow }),
    ...(settings.ARCUS_PORT > 0 && { api: settings.ARCUS_PORT }),
    ...(settings.ARCUS_TEMPORAL_PORT && { temporal: settings.ARCUS_TEMPORAL_PORT }),
    ...(uiPort !== undefined && { temporalUi: uiPort }),
    ...(settings.ARCUS_MONGODB_PORT && { mongodb: settings.ARCUS_MONGODB_PORT }),
  });
  const port = (name: PortName) => kept.get(name) ?? 0;
  return {
    temporal: port('temporal'),
    temporalUi: port('temporalUi'),
    mongodb: port('mongodb'),
    simulator: port('simulator'),
    worker: port('worker'),
    api: port('api'),
    oneflow: settings.ARCUS_ONEFLOW_PORT === 'off' ? null : port('oneflow'),
  };
}

const numberIn = (port: Settings['ARCUS_ONEFLOW_PORT']): number | undefined =>
  typeof port === 'number' && port > 0 ? port : undefined;

/** Where its clients look, if nobody said otherwise and nothing else is there: another Arcus of this machine may be. */
async function usualOneflowPort({
  ARCUS_ONEFLOW_PORT,
  ARCUS_PORT,
  ARCUS_LISTEN,
}: Settings): Promise<number | undefined> {
  const isUsual = ARCUS_ONEFLOW_PORT === undefined && ARCUS_PORT !== 0;
  return isUsual && (await isPortFree(oneflowPort, ARCUS_LISTEN)) ? oneflowPort : undefined;
}

/** The command of one of Arcus's own processes. */
export const ownProcess = (
  name: string,
  module: string,
  args: readonly string[],
  environment: Record<string, string>,
): ServiceCommand => ({
  name,
  command: process.execPath,
  args: ['--enable-source-maps', built(module), ...args],
  environment,
});

type Context = { settings: Settings; home: Home; ports: Ports; supervisor: Supervisor; say: (line: string) => void };

async function reach<T>(what: string, setting: string, probe: () => Promise<T>): Promise<T> {
  try {
    return await probe();
  } catch (error) {
    throw new Obstacle(`${what} given in ${setting} does not answer: ${reasonOf(error)}`);
  }
}

async function binaryOf(tool: Tool, { settings, home, say }: Context): Promise<string> {
  const found = await findBinary(tool, fetchOptionsOf(settings, home, say));
  return found.path;
}

/** Said at each start: of everything that Arcus runs, this alone asks nobody who he is. */
const openToTheMachine =
  'Temporal’s development server asks nobody for credentials: other accounts of this machine reach it (docs/identity.md says what that means)';

/** What is meant for a Temporal of the user's own must not be left unsaid when there is none: it would be believed to hold. */
function refuseForeignSettings(settings: Settings): void {
  for (const setting of [
    'ARCUS_TEMPORAL_TLS',
    'ARCUS_TEMPORAL_TLS_CA',
    'ARCUS_TEMPORAL_TLS_CERT',
    'ARCUS_TEMPORAL_TLS_SERVER_NAME',
    'ARCUS_TEMPORAL_API_KEY',
    'ARCUS_TEMPORAL_API_KEY_FILE',
  ] as const)
    if (settings[setting] !== undefined)
      throw new Obstacle(`${setting} is for a Temporal of your own: give its address in ARCUS_TEMPORAL_ADDRESS`);
}

async function provideTemporal(
  context: Context,
): Promise<Pick<ServerAddresses, 'ARCUS_TEMPORAL_ADDRESS' | 'ARCUS_TEMPORAL_UI_URL'>> {
  const { settings, home, ports, supervisor, say } = context;
  const { ARCUS_TEMPORAL_ADDRESS: given, ARCUS_TEMPORAL_UI_URL: ui } = settings;
  if (given !== undefined) {
    const access = temporalAccess({ ...settings, ARCUS_TEMPORAL_ADDRESS: given });
    await reach('the Temporal', 'ARCUS_TEMPORAL_ADDRESS', () => probeTemporal(access));
    return { ARCUS_TEMPORAL_ADDRESS: given, ...(ui === undefined ? {} : { ARCUS_TEMPORAL_UI_URL: ui }) };
  }
  refuseForeignSettings(settings);
  const binary = await binaryOf(temporal, context);
  const { stdout: version } = await execa(binary, ['--version']);
  const address = `127.0.0.1:${ports.temporal}`;
  const uiPort = settings.ARCUS_TEMPORAL_UI_PORT === 'off' ? null : ports.temporalUi;
  const command = temporalCommand({ binary, directory: home.temporal, port: ports.temporal, uiPort }, '');
  say(openToTheMachine);
  await withTemporalFile(
    home.temporal,
    version.trim(),
    say,
    async () => {
      const server = supervisor.start(command, { supervise: false });
      try {
        await awaitTemporal(server.current(), server.log, address);
      } catch (error) {
        await supervisor.end(server, 5_000);
        throw error;
      }
      supervisor.keep(server, command);
    },
    (error) => error instanceof EndedEarly && !supervisor.isStopping,
  );
  const shown = ui ?? (uiPort === null ? undefined : `http://127.0.0.1:${uiPort}`);
  return { ARCUS_TEMPORAL_ADDRESS: address, ...(shown !== undefined && { ARCUS_TEMPORAL_UI_URL: shown }) };
}

async function provideMongo(context: Context): Promise<Pick<ServerAddresses, 'ARCUS_MONGODB_URI'>> {
  const { settings, home, ports, supervisor, say } = context;
  const { ARCUS_MONGODB_URI: given } = settings;
  if (given !== undefined) {
    await reach('the MongoDB', 'ARCUS_MONGODB_URI', () => probeMongo(given));
    return { ARCUS_MONGODB_URI: given };
  }
  const { server, command, access } = await startBestMongod({
    directory: home.mongodb,
    port: ports.mongodb,
    fetch: fetchOptionsOf(settings, home, say),
    supervisor,
    say,
  });
  supervisor.keep(server, command);
  watchCommits({
    uri: mongoUri(access),
    pid: () => server.current().pid,
    kill: () => {
      say('MongoDB has committed nothing for a minute: ending it');
      return supervisor.restart(server);
    },
  });
  return { ARCUS_MONGODB_URI: mongoUri(access, 'arcus') };
}

/** Starts one of Arcus's own processes and keeps it once its address answers; one that hangs is killed. */
export async function provideProcess(
  supervisor: Supervisor,
  command: ServiceCommand,
  readyUrl: string,
  token?: string,
  trust?: Trust,
): Promise<void> {
  const server = supervisor.start(command, { supervise: false });
  await awaitReady(server.current(), server.log, 60_000, () => probeHttp(readyUrl, { token, trust }));
  supervisor.keep(server, command);
  void watchAnswers(supervisor, server, new URL('/healthz', readyUrl).href, { trust });
}

async function provideSimulator({
  settings,
  home,
  ports,
  supervisor,
}: Context): Promise<Pick<ServerAddresses, 'ARCUS_SIMULATOR_URL' | 'ARCUS_SIMULATOR_TOKEN'>> {
  const { ARCUS_SIMULATOR_URL: given } = settings;
  if (given !== undefined) {
    const token = givenSecret(settings.ARCUS_SIMULATOR_TOKEN, settings.ARCUS_SIMULATOR_TOKEN_FILE);
    const health = new URL('/healthz', given).href;
    await reach('the simulated hypervisor', 'ARCUS_SIMULATOR_URL', () => probeHttp(health, { token }));
    return { ARCUS_SIMULATOR_URL: given };
  }
  const url = `http://127.0.0.1:${ports.simulator}`;
  const args = ['--port', String(ports.simulator), '--directory', home.simulator];
  const token = ensureSecret(join(home.simulator, 'token'), randomSecret);
  const access = { ARCUS_SIMULATOR_URL: url, ARCUS_SIMULATOR_TOKEN: token };
  await provideProcess(supervisor, ownProcess('simulator', 'simulator/main.js', args, access), `${url}/healthz`, token);
  return access;
}

/** Provides Temporal, MongoDB and the simulated hypervisor: those that were given, and the rest as children. All serve when it resolves. */
export async function provideServers(context: Context): Promise<ServerAddresses> {
  const [ofTemporal, ofMongo, ofSimulator] = await Promise.all([
    provideTemporal(context),
    provideMongo(context),
    provideSimulator(context),
  ]);
  return { ...ofTemporal, ...ofMongo, ...ofSimulator };
}
