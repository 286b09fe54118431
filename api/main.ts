import type { Logger } from 'pino';
import { temporalAccess } from '../adapters/engine/access.js';
import { type TemporalEngine, temporalEngine } from '../adapters/engine/temporal.js';
import { screens } from '../adapters/hypervisor/screens.js';
import { version } from '../adapters/process/checkout.js';
import { createLogger } from '../adapters/process/logger.js';
import { createSealer } from '../adapters/process/sealer.js';
import { readSettings } from '../adapters/process/settings.js';
import { connectionsBy } from '../adapters/storage/connections.js';
import { storages } from '../adapters/storage/storages.js';
import { createIdentity } from '../requests/identity/identity.js';
import { createOperations } from '../requests/operations.js';
import { printableLines } from '../schemas/common/printable.js';
import { isLoopback } from '../schemas/common/request-source.js';
import { withoutPasswords } from '../schemas/common/without-passwords.js';
import { tlsFilesIn } from '../schemas/config.js';
import { createDirectory } from '../store/identity/mongodb-directory.js';
import { connectMongodb, pingMongodb } from '../store/mongo/connection.js';
import { createStore } from '../store/store.js';
import type { Probes } from './http/health.js';
import { createMetrics } from './http/metrics.js';
import { close, listen } from './http/serve.js';
import { createShell, type Face, type ShellParts } from './http/shell.js';
import { nativeFace } from './native/native-face.js';
import { oneflowFace } from './oneflow/oneflow-face.js';

/** Time from the signal to the end of the process, whatever hangs. */
const longestDrain = 6_500;

/** Of that, for a Temporal that does not answer: time is left to say that what was accepted is. */
const longestWait = 1_500;

const withoutTls =
  'listens beyond this machine without TLS: passwords and tokens can be read on the way, unless a proxy before it has TLS';

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const logger = createLogger(settings.ARCUS_LOG_LEVEL, 'api');
  const mongodb = await connectMongodb(settings.ARCUS_MONGODB_URI);
  // It connects when first used: the API starts and accepts operations without Temporal; they begin when it is back.
  const engine = temporalEngine(temporalAccess(settings));
  const directory = createDirectory(mongodb);
  const store = createStore(mongodb);
  const sealer = createSealer(settings);
  const operations = createOperations({
    store,
    directory,
    engine,
    screens: screens(() => store.installation.id()),
    storages: storages(settings, connectionsBy(store.datastores.find, sealer.open)),
    sealer,
    settings: {
      temporalUiUrl: settings.ARCUS_TEMPORAL_UI_URL,
      temporalNamespace: settings.ARCUS_TEMPORAL_NAMESPACE,
      failedLogins: settings.ARCUS_FAILED_LOGINS,
      timeZone: settings.ARCUS_TIME_ZONE,
      actionNumber: settings.ARCUS_ACTION_NUMBER,
      actionPeriod: settings.ARCUS_ACTION_PERIOD,
      monitoringInterval: settings.ARCUS_MONITORING_INTERVAL,
    },
    onDelayed: (message, error) => logger.warn({ err: error }, message),
  });

  const files = tlsFilesIn(settings);
  let draining = false;
  const metrics = createMetrics();
  const isDraining = () => draining;
  const shell: ShellParts = {
    ...{ metrics, logger, isDraining },
    trustedProxies: settings.ARCUS_TRUSTED_PROXIES,
    ours: { names: settings.ARCUS_HOSTS, loopback: isLoopback(settings.ARCUS_LISTEN) },
    isSecure: files !== undefined,
  };
  const identity = createIdentity({ directory, failedLogins: settings.ARCUS_FAILED_LOGINS });
  const probes = probesOf(() => pingMongodb(mongodb), engine);
  /** Each on a port of its own. */
  const faces: { face: Face; port: number }[] = [
    {
      face: nativeFace({ operations, identity, probes, metrics, isDraining, version: version() }),
      port: settings.ARCUS_PORT,
    },
    ...(typeof settings.ARCUS_ONEFLOW_PORT === 'number'
      ? [{ face: oneflowFace({ operations, identity, metrics }), port: settings.ARCUS_ONEFLOW_PORT }]
      : []),
  ];
  const servers = await Promise.all(
    faces.map(({ face, port }) =>
      listen(createShell(face, shell), {
        ...{ port, address: settings.ARCUS_LISTEN, refusalOf: face.refusalOf },
        ...(files && { tls: { files, logger } }),
      }),
    ),
  );
  if (!files && !isLoopback(settings.ARCUS_LISTEN)) logger.warn({ address: settings.ARCUS_LISTEN }, withoutTls);
  for (const server of servers) logger.info({ address: server.address() }, 'listening');

  const drain = async (signal: string) => {
    if (draining) return;
    draining = true;
    logger.info({ signal }, 'draining');
    setTimeout(() => process.exit(1), longestDrain).unref();
    setTimeout(() => engine.abandon(), longestWait).unref();
    await Promise.all(servers.map(close));
    await mongodb.close();
    logger.info('ended');
    // The engine is not closed: a retry of Temporal's client that is pending then would throw.
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      drain(signal).catch((error: unknown) => fail(logger, error));
    });
  }
}

const probesOf = (mongodb: Probes['mongodb'], temporal: TemporalEngine): Probes => ({
  mongodb,
  temporal: async () => {
    if (!(await temporal.reachable())) throw new Error('Temporal does not answer');
  },
});

function fail(logger: Pick<Logger, 'fatal'>, error: unknown): void {
  logger.fatal({ err: error }, error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(`arcus: ${printableLines(withoutPasswords(error instanceof Error ? error.message : String(error)))}`);
  process.exit(1);
});
