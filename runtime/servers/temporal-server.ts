import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { clientConnection, type TemporalAccess } from '../../adapters/engine/access.js';
import { type Child, type ChildCommand, Children } from '../processes/children.js';
import { awaitReady } from './await-ready.js';

export type TemporalSettings = {
  /** Path of the `temporal` command. */
  binary: string;
  /** Directory of its database file and log; made when missing. Never one that another server has open. */
  directory: string;
  port: number;
  /** Null: without its web page. */
  uiPort: number | null;
};

/** A running server, whoever started it. */
export type TemporalServer = { address: string; uiUrl: string | null; pid: number; stop: () => Promise<void> };

/** Name of the database file in its directory. */
export const temporalFile = 'temporal.db';

/**
 * Without these the server polls its own queues so slowly that every hop of a task waits up to 50 ms; the limits on
 * requests are those of a shared installation. A worker that is frozen, or whose machine has gone, keeps its polls open,
 * and would be given task after task, each to be missed only at its time-out: a connection that is silent for 2 s is
 * asked, and dropped with its polls when it does not answer within 3 s.
 */
const dynamicConfig = {
  'history.transferProcessorMaxPollRPS': 2_000,
  'history.timerProcessorMaxPollRPS': 2_000,
  'history.visibilityProcessorMaxPollRPS': 200,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'matching.enableFairness': true,
  'frontend.rps': 100_000,
  'frontend.namespaceRPS': 100_000,
  'frontend.keepAliveTime': '"2s"',
  'frontend.keepAliveTimeout': '"3s"',
};

/**
 * What a killed process has committed is in the log. Synced at checkpoints only, not at each of the two dozen commits of
 * a deployment: the end of the machine may cost the last of them, which reconciliation makes good from MongoDB, where
 * everything that was accepted is synced.
 */
const sqlitePragmas = { journal_mode: 'wal', synchronous: 'normal' };

/** The command that runs the development server, with its data in `directory`. */
export function temporalCommand({ binary, directory, port, uiPort }: TemporalSettings, log: string): ChildCommand {
  return {
    name: 'Temporal',
    command: binary,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)],
      ...(uiPort === null ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)]),
      ...['--db-filename', join(directory, temporalFile)],
      ...Object.entries(sqlitePragmas).flatMap(([key, value]) => ['--sqlite-pragma', `${key}=${value}`]),
      ...['--log-level', 'error', '--log-format', 'json'],
      ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ],
    log,
  };
}

/** Throws unless a Temporal server answers at the address. Returns its version. */
export async function probeTemporal(access: TemporalAccess): Promise<string> {
  const connection = await Connection.connect({ ...clientConnection(access), connectTimeout: 2_000 });
  try {
    const { serverVersion } = await connection.withDeadline(Date.now() + 2_000, () =>
      connection.workflowService.getSystemInfo({}),
    );
    return serverVersion ?? '';
  } finally {
    await connection.close();
  }
}

/** Waits until the child serves. */
export function awaitTemporal(child: Child, log: string, address: string): Promise<string> {
  return awaitReady(child, log, 60_000, () => probeTemporal({ address }));
}

/** Starts a development server and waits until it serves. It ends with this process, however that ends. */
export async function startTemporal(settings: TemporalSettings): Promise<TemporalServer> {
  mkdirSync(settings.directory, { recursive: true });
  const children = new Children(join(settings.directory, 'children.json'));
  const log = join(settings.directory, 'temporal.log');
  const child = children.start(temporalCommand(settings, log));
  const stop = async () => {
    await children.end(child, 10_000);
    children.release();
  };
  const address = `127.0.0.1:${settings.port}`;
  try {
    await awaitTemporal(child, log, address);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address,
    uiUrl: settings.uiPort === null ? null : `http://127.0.0.1:${settings.uiPort}`,
    pid: child.pid,
    stop,
  };
}
