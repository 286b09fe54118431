import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Runtime, type Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createStepLog } from '../activities/operations/step-log.js';
import { networkedHypervisors } from '../activities/vms/networked-hypervisors.js';
import { namespacesOf, type TemporalAccess, temporalAccess, workerConnection } from '../adapters/engine/access.js';
import { temporalEngine } from '../adapters/engine/temporal.js';
import { fencing } from '../adapters/fencing/fencing.js';
import { hypervisors } from '../adapters/hypervisor/hypervisors.js';
import { networks } from '../adapters/network/networks.js';
import { createLogger } from '../adapters/process/logger.js';
import { createSealer } from '../adapters/process/sealer.js';
import { readSettings } from '../adapters/process/settings.js';
import type { OperationsContext } from '../requests/context.js';
import {
  type DueFailover,
  deployForFailover,
  failOverByPolicy,
  type LeftToWait,
  type RecoveredService,
  recoverForFailover,
} from '../requests/failover/failover.js';
import { type DownVm, restartDown } from '../requests/failover/restarts.js';
import { type DeedOnVm, performByPolicy, performOnVm } from '../requests/scaling/actions.js';
import { scaleByPolicy } from '../requests/scaling/scaling.js';
import { type Retirement, retireBackup } from '../requests/vms/backups.js';
import { type FlushDeed, migrateForFlush } from '../requests/vms/host-flush.js';
import { migrateMarked, type Rescheduled } from '../requests/vms/vm-resched.js';
import { performScheduled } from '../requests/vms/vm-schedules.js';
import { printableLines } from '../schemas/common/printable.js';
import { withoutPasswords } from '../schemas/common/without-passwords.js';
import { createDirectory } from '../store/identity/mongodb-directory.js';
import { connectMongodb, pingMongodb } from '../store/mongo/connection.js';
import type { PolicyPerforming, PolicyScaling } from '../store/scaling/policy-scaling.js';
import { createStore } from '../store/store.js';
import type { DueAction } from '../store/vms/vm-schedules.js';
import { imagePorts } from './image-ports.js';
import { placementSettings } from './placement-settings.js';
import { createWorkers } from './workers.js';

const built = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** How often the database is asked, and after how many silences the worker stops polling. */
const pulse = 1_000;
const silences = 3;

async function main(): Promise<void> {
  const config = readSettings(process.env);
  const access = temporalAccess(config);
  const log = createLogger(config.ARCUS_LOG_LEVEL, 'worker');
  Runtime.install({
    // SIGINT and SIGTERM drain; the runtime's own handling would also take SIGUSR2.
    shutdownSignals: [],
    logger: {
      log: (level, message, meta) => log[logLevels[level]]({ ...meta }, message),
      trace: (message, meta) => log.trace({ ...meta }, message),
      debug: (message, meta) => log.debug({ ...meta }, message),
      info: (message, meta) => log.info({ ...meta }, message),
      warn: (message, meta) => log.warn({ ...meta }, message),
      error: (message, meta) => log.error({ ...meta }, message),
    },
  });
  const state = { stopping: false, polling: false };
  let running: Worker[] = [];
  const stop = (): void => {
    state.stopping = true;
    for (const worker of running) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  createServer((request, response) => {
    const ready = request.url === '/healthz' || state.polling;
    response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: ready ? 'ok' : 'not polling' }));
  }).listen(config.ARCUS_WORKER_PORT, '127.0.0.1');

  const mongodb = await untilStopped(state, log, () => connectMongodb(config.ARCUS_MONGODB_URI));
  const connection = await untilStopped(state, log, () => NativeConnection.connect(workerConnection(access)));
  if (!mongodb || !connection) return process.exit(0);
  renewKey(connection, access, log);
  const ping = () => pingMongodb(mongodb);
  const engine = temporalEngine(access);
  const store = createStore(mongodb);
  // What is not there yet is made before any worker is told to poll: a domain without it would be nobody's.
  const installation = await untilStopped(state, log, () => store.installation.id());
  if (installation === undefined) return process.exit(0);
  const stepLog = createStepLog(store.steps);
  const directory = createDirectory(mongodb);
  const sealer = createSealer(config);
  const images = imagePorts(config, store, sealer);
  const asking: OperationsContext = {
    ...{ store, directory, engine, storages: images.storages, sealer },
    settings: {
      ...{ temporalUiUrl: undefined, failedLogins: config.ARCUS_FAILED_LOGINS },
      ...{ actionNumber: config.ARCUS_ACTION_NUMBER, actionPeriod: config.ARCUS_ACTION_PERIOD },
    },
    onDelayed: (message, error) => log.warn({ err: error }, message),
  };
  const onHosts = networks(config, installation);
  const ports = {
    store,
    directory,
    scaleByPolicy: (scaling: PolicyScaling) => scaleByPolicy(asking, scaling),
    performOnVm: (deed: DeedOnVm) => performOnVm(asking, deed),
    performByPolicy: (performing: PolicyPerforming) => performByPolicy(asking, performing),
    hypervisors: networkedHypervisors(hypervisors(config, installation), onHosts, store),
    networks: onHosts,
    performScheduled: (due: DueAction) => performScheduled(asking, due),
    retireBackup: (deed: Retirement) => retireBackup(asking, deed),
    migrateMarked: (marked: Rescheduled) => migrateMarked(asking, marked),
    migrateForFlush: (deed: FlushDeed) => migrateForFlush(asking, deed),
    restartDown: (down: DownVm) => restartDown(asking, down),
    fencing: fencing({ directory: config.ARCUS_FENCING_DIRECTORY, open: sealer.open }),
    failOver: (due: DueFailover) => failOverByPolicy(asking, due),
    deployForFailover: (deed: LeftToWait) => deployForFailover(asking, deed),
    recoverForFailover: (deed: RecoveredService) => recoverForFailover(asking, deed),
    engine,
    ...images,
    settings: {
      vmNameTemplate: config.ARCUS_VM_NAME_TEMPLATE,
      shutdownAction: config.ARCUS_SHUTDOWN_ACTION,
      timeZone: config.ARCUS_TIME_ZONE,
      cooldown: config.ARCUS_DEFAULT_COOLDOWN,
      scalingPatience: config.ARCUS_SCALING_TIMEOUT,
      elasticityInterval: config.ARCUS_ELASTICITY_INTERVAL,
      monitoringInterval: config.ARCUS_MONITORING_INTERVAL,
      ...(config.ARCUS_KEEP_OPERATIONS > 0 && { keepOperations: config.ARCUS_KEEP_OPERATIONS }),
      placement: placementSettings(config),
    },
  };
  const bundle = { codePath: built('workflow-bundle.js') };
  const buildId = readFileSync(built('build-id'), 'utf8').trim();

  while (!state.stopping) {
    await untilStopped(state, log, ping);
    if (state.stopping) break;
    running = await createWorkers({
      connection,
      namespaces: namespacesOf(access),
      ports,
      stepLog,
      bundle,
      buildId,
      queues: config.ARCUS_TASK_QUEUES,
    });
    const runs = Promise.all(running.map((worker) => worker.run()));
    state.polling = true;
    log.info({ queues: config.ARCUS_TASK_QUEUES, buildId }, 'polling');
    // A worker that has lost its database would go on taking tasks, and fail each of them.
    await Promise.race([runs, untilSilent(ping, () => state.stopping)]);
    state.polling = false;
    for (const worker of running) if (worker.getState() === 'RUNNING') worker.shutdown();
    await runs;
    await stepLog.flush();
    log.info('stopped polling');
  }
  await Promise.allSettled([connection.close(), mongodb.close()]);
  // Not by running out of work: a call to an engine that is away would go on retrying.
  process.exit(0);
}

/** A key that is replaced in its file is told to the connection: workers do not ask for it. */
function renewKey(connection: NativeConnection, { apiKey }: TemporalAccess, log: Logger): void {
  if (!apiKey) return;
  let told = apiKey();
  setInterval(() => {
    const key = apiKey();
    if (key === told) return;
    told = key;
    connection.setApiKey(key).catch((error: unknown) => log.warn({ err: error }, 'the API key could not be renewed'));
  }, 10_000).unref();
}

const logLevels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Tries until it works or the process is asked to stop. */
async function untilStopped<T>(
  state: { stopping: boolean },
  log: Logger,
  work: () => Promise<T>,
): Promise<T | undefined> {
  while (!state.stopping) {
    try {
      return await work();
    } catch (error) {
      log.warn({ err: error }, 'not there yet');
      await sleep(pulse);
    }
  }
  return undefined;
}

/** Resolves when the database has not answered several times in a row. */
async function untilSilent(ping: () => Promise<void>, stopped: () => boolean): Promise<void> {
  for (let missed = 0; missed < silences && !stopped(); ) {
    await sleep(pulse, undefined, { ref: false });
    missed = await ping().then(
      () => 0,
      () => missed + 1,
    );
  }
}

main().catch((error: unknown) => {
  console.error(
    `arcus worker: ${printableLines(withoutPasswords(error instanceof Error ? error.message : String(error)))}`,
  );
  process.exit(1);
});
