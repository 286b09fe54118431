import { resolve } from 'node:path';
import { temporalAccess } from '../adapters/engine/access.js';
import { clientFor } from '../client/node/client.js';
import { printableLines } from '../schemas/common/printable.js';
import { isLoopback } from '../schemas/common/request-source.js';
import { tlsFilesIn } from '../schemas/config.js';
import { ensureWritable, type Home, homeAt } from './home/home.js';
import { lockHome } from './home/home-lock.js';
import { prepare } from './prepare.js';
import { endLeftovers } from './processes/leftovers.js';
import { Obstacle, reasonOf } from './processes/obstacle.js';
import { listenForStop } from './processes/stop-request.js';
import { Supervisor } from './processes/supervisor.js';
import { cloudFor } from './sample/cloud.js';
import { presentSample } from './sample/sample-report.js';
import { startReport } from './sample/start-report.js';
import { ensureCredentials } from './servers/credentials.js';
import { builtVersion, makeVersionCurrent } from './servers/deployment-version.js';
import { keepTls, withoutTls } from './servers/kept-tls.js';
import {
  ownProcess,
  type Ports,
  portsOf,
  provideProcess,
  provideServers,
  reachable,
  requireFree,
} from './servers/servers.js';
import { readSettings, type Settings } from './settings.js';

/** Who ends before whom, and how long each may take, in milliseconds: 15 s together at most. */
const shutdown = [
  { names: ['api', 'worker'], patience: 7_000 },
  { names: ['simulator'], patience: 1_000 },
  { names: ['Temporal'], patience: 4_000 },
  { names: ['MongoDB'], patience: 2_500 },
];

async function serve(
  settings: Settings,
  home: Home,
  supervisor: Supervisor,
  say: (line: string) => void,
): Promise<void> {
  await endLeftovers(home, say);
  const cloud = await cloudFor(settings, home, say);
  const credentials = ensureCredentials(home.auth);
  const ports: Ports = await portsOf(settings, home);
  say('starting');
  const tls = tlsFilesIn(settings);
  const trust = tls && { pinned: resolve(tls.certificate) };
  keepTls(home.tls, trust?.pinned);
  if (!tls && !isLoopback(settings.ARCUS_LISTEN)) say(`warning: ${withoutTls(settings.ARCUS_LISTEN)}`);
  const addresses = await provideServers({ settings, home, ports, supervisor, say });
  await prepare({ ...settings, ...addresses }, credentials);

  const environment = { ...addresses, ARCUS_HOME: home.directory };
  const api = reachable(settings.ARCUS_LISTEN, ports.api, tls !== undefined);
  const oneflow = ports.oneflow === null ? null : reachable(settings.ARCUS_LISTEN, ports.oneflow, tls !== undefined);
  // Looked at again: the servers took seconds to come up, and whatever has the port now would answer in the API's place.
  await requireFree('ARCUS_PORT', ports.api, settings.ARCUS_LISTEN);
  await Promise.all([
    provideProcess(
      supervisor,
      ownProcess('worker', 'worker/main.js', [], { ...environment, ARCUS_WORKER_PORT: String(ports.worker) }),
      `http://127.0.0.1:${ports.worker}/readyz`,
    ),
    provideProcess(
      supervisor,
      ownProcess('api', 'api/main.js', [], {
        ...environment,
        ARCUS_PORT: String(ports.api),
        ARCUS_ONEFLOW_PORT: String(ports.oneflow ?? 'off'),
      }),
      `${api}/readyz`,
      undefined,
      trust,
    ),
  ]);
  await makeVersionCurrent(temporalAccess({ ...settings, ...addresses }), builtVersion(), 60_000);
  say(`serving, ${(performance.now() / 1_000).toFixed(1)} s after the command`);
  const client = clientFor({ endpoint: new URL(api), credentials, trust });
  const service = await presentSample(client, home, { wanted: settings.sample, cloud }, process.stdout);
  const temporalUi = addresses.ARCUS_TEMPORAL_UI_URL ?? null;
  console.log(
    startReport({ home, api, oneflow, certificate: trust?.pinned, temporalUi, service, guests: cloud.hypervisor }),
  );
}

/**
 * Starts everything, shows the way in, and keeps it running until it is asked to stop. Resolves to the exit code: 0 after an
 * orderly stop, 1 when it cannot start, 130 when it was told twice to stop.
 */
async function run(args: readonly string[]): Promise<number> {
  const say = (line: string) => console.log(`arcus: ${printableLines(line)}`);
  const settings = readSettings(args, process.env);
  const home = homeAt(settings.ARCUS_HOME);
  ensureWritable(home);
  const lock = await lockHome(home.lock, home.directory);
  const supervisor = new Supervisor(home.children, home.logs, say);
  const stop = listenForStop();
  try {
    const served = serve(settings, home, supervisor, say).then(() => new Promise<never>(() => {}));
    // A start that fails because it was told to stop has said all there is to say.
    served.catch(() => {});
    await Promise.race([served, stop.requested]);
    say('stopping');
    const orderly = supervisor.stop(shutdown).then(() => 0);
    const code = await Promise.race([orderly, stop.forced.then(() => 130)]);
    if (code === 0) say('stopped');
    return code;
  } finally {
    await supervisor.kill();
    lock.release();
    stop.dispose();
  }
}

/** `npm start`. Ends the process: nothing that is still on its way may keep it. */
export async function start(args: readonly string[]): Promise<never> {
  try {
    process.exit(await run(args));
  } catch (error) {
    console.error(`arcus: ${printableLines(error instanceof Obstacle ? error.message : reasonOf(error))}`);
    process.exit(1);
  }
}
