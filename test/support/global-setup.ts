import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { freemem, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { checkout } from '../../adapters/process/checkout.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { temporal, temporalTestServer } from '../../runtime/servers/downloads.js';
import { findBinary } from '../../runtime/servers/find-binary.js';
import { findMongod } from '../../runtime/servers/find-mongod.js';
import type { MongoAccess } from '../../runtime/servers/mongodb-access.js';
import { startMongo } from '../../runtime/servers/mongodb-server.js';
import { startTemporal } from '../../runtime/servers/temporal-server.js';
import { installAllPrograms } from './programs.js';

declare module 'vitest' {
  export interface ProvidedContext {
    mongodPath: string;
    temporalPath: string;
    temporalTestServerPath: string;
    mongodb: MongoAccess;
    temporalAddress: string;
    temporalUiUrl: string;
    /** What can go wrong does so at every step in every way: in the project `long`. */
    inEveryWay: boolean;
  }
}

/** Each test file has a database of its own, and removes it. */
const everywhere = ['readWriteAnyDatabase', 'dbAdminAnyDatabase'].map((role) => ({ role, db: 'admin' }));

/**
 * A file for each collection and index of some four hundred databases, one after the other, is more than a process may have open: what was dropped goes at once,
 * and what nobody has used for a while is closed, not after the ten minutes that a server with one database can wait.
 */
const fewFiles = [
  ...['--setParameter', 'minSnapshotHistoryWindowInSeconds=5'],
  ...[
    '--wiredTigerEngineConfigString',
    'file_manager=(close_idle_time=20,close_scan_interval=5,close_handle_minimum=100)',
  ],
];

/** Where files lie in memory, if it has room for all that a run writes: nothing is read again after the machine has died. */
function inMemory(): string | null {
  const shared = '/dev/shm';
  if (!existsSync(shared)) return null;
  const { bavail, bsize } = statfsSync(shared);
  return Math.min(bavail * bsize, freemem()) > 6 * 2 ** 30 ? shared : null;
}

/** One MongoDB and one Temporal for the whole run: each test file has a database and a namespace of its own on them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const progress = (line: string) => console.error(`arcus: ${line}`);
  // The tests start compiled programs. `npm test` has built them already; a run of vitest alone has not.
  if (process.env.ARCUS_PREPARED === undefined)
    execFileSync(process.execPath, [join(checkout, 'runtime', 'bootstrap.mjs'), 'build'], { stdio: 'inherit' });
  // Whole runs want all of them; files that are run alone install what they need.
  else installAllPrograms(progress);
  const options = {
    cache: process.env.ARCUS_CACHE ?? join(homedir(), '.arcus', 'cache'),
    platform: `${process.platform}-${process.arch}`,
    mirror: process.env.ARCUS_MIRROR ?? null,
    progress,
  };
  const [mongodBinary, temporalBinary, testServer] = await Promise.all([
    findMongod(null, options),
    findBinary(temporal, options),
    findBinary(temporalTestServer, options),
  ]);

  const directory = mkdtempSync(join(inMemory() ?? tmpdir(), 'arcus-servers-'));
  const [mongodbPort, port, uiPort] = [await choosePort(), await choosePort(), await choosePort()];
  const [mongo, server] = await Promise.all([
    startMongo(
      { binary: mongodBinary.path, directory: join(directory, 'mongodb'), port: mongodbPort, more: fewFiles },
      everywhere,
    ),
    startTemporal({ binary: temporalBinary.path, directory: join(directory, 'temporal'), port, uiPort }),
  ]);
  project.provide('mongodPath', mongodBinary.path);
  project.provide('temporalPath', temporalBinary.path);
  project.provide('temporalTestServerPath', testServer.path);
  project.provide('mongodb', mongo.access);
  project.provide('temporalAddress', server.address);
  project.provide('temporalUiUrl', server.uiUrl ?? '');
  return async () => {
    await Promise.all([mongo.stop(), server.stop()]);
    rmSync(directory, { recursive: true, force: true });
  };
}
