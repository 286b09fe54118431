import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from 'mongoose';
import { inject } from 'vitest';
import { built, checkout } from '../../adapters/process/checkout.js';
import { prepare } from '../../runtime/prepare.js';
import { Children } from '../../runtime/processes/children.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { awaitReady, probeHttp } from '../../runtime/servers/await-ready.js';
import { builtVersion, makeVersionCurrent } from '../../runtime/servers/deployment-version.js';
import { awaitTemporal, temporalCommand } from '../../runtime/servers/temporal-server.js';
import { namespaces } from '../../schemas/config.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { ClusterClient } from './cluster-client.js';
import { type ClusterMongodb, startClusterMongodb } from './cluster-mongodb.js';
import { type ClusterCommand, ClusterProcess } from './cluster-process.js';
import { ensurePrograms } from './programs.js';
import { type OwnTemporal, ownDatabaseUri, ownTemporal, temporalSettings } from './servers.js';
import { settle } from './settle.js';
import { SimulatorProcess } from './simulator-process.js';

export type ClusterShape = {
  workers?: number;
  apis?: number;
  /**
   * A database and namespaces of its own on the servers of the run, rather than servers of its own: half as dear, for
   * whoever neither kills nor freezes them.
   */
  onServersOfTheRun?: boolean;
  mongodbMembers?: number;
  /** Of the simulated hypervisor. */
  settings?: object;
  /** Programs of the servers; absent: those that the run of vitest has found. */
  binaries?: { mongod: string; temporal: string };
  /** Where the data of servers and processes is; removed when the cluster stops. Absent: a temporary directory. */
  directory?: string;
  /** Added to the environment of these processes. */
  environments?: Partial<Record<'api' | 'worker' | 'mongodb', Record<string, string>>>;
};

export const credentials = { name: 'oneadmin', password: 'of a test' };

/** The whole of Arcus as processes: one Temporal, one MongoDB, one simulator, so many workers and apis. */
export class Cluster {
  readonly directory: string;
  readonly workers: ClusterProcess[] = [];
  readonly apis: ClusterProcess[] = [];
  /** One for each api. */
  readonly clients: ClusterClient[] = [];
  readonly #children: Children;
  /** Everything that has served, but for the simulator. */
  readonly #processes: ClusterProcess[] = [];
  readonly #environments: NonNullable<ClusterShape['environments']>;
  /** Its own servers, if it has such. */
  #servers: { temporal: ClusterProcess; mongodb: ClusterMongodb } | undefined;
  #addresses: { temporal: OwnTemporal; mongodb: string } | undefined;
  #simulator: SimulatorProcess | undefined;
  #connection: Connection | undefined;
  #store: Store | undefined;

  private constructor({ directory, environments }: ClusterShape) {
    this.directory = directory ?? mkdtempSync(join(tmpdir(), 'arcus-cluster-'));
    this.#children = new Children(join(this.directory, 'children.json'));
    this.#environments = environments ?? {};
  }

  /** One that cannot start as a whole leaves nothing behind. */
  static async start(shape: ClusterShape = {}): Promise<Cluster> {
    ensurePrograms('disks');
    const { workers = 1, apis = 1 } = shape;
    const cluster = new Cluster(shape);
    try {
      const simulator = SimulatorProcess.start(shape.settings, join(cluster.directory, 'simulator'));
      await settle([
        simulator.then((started) => {
          cluster.#simulator = started;
        }),
        shape.onServersOfTheRun ? cluster.#takeServers() : cluster.#startServers(shape),
      ]);
      await cluster.#prepare();
      await settle([
        ...Array.from({ length: workers }, () => cluster.startWorker()),
        ...Array.from({ length: apis }, () => cluster.startApi()),
      ]);
      if (workers > 0) await cluster.makeCurrent(builtVersion());
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get servers() {
    if (!this.#servers) throw new Error('the cluster has no servers of its own, or they do not run');
    return this.#servers;
  }

  get #at() {
    if (!this.#addresses) throw new Error('the servers do not run');
    return this.#addresses;
  }

  /** Where its Temporal is, with the namespaces of Arcus in it. */
  get temporal(): OwnTemporal {
    return this.#at.temporal;
  }

  get simulator(): SimulatorProcess {
    if (!this.#simulator) throw new Error('the simulator does not run');
    return this.#simulator;
  }

  /** What is in MongoDB, read past the processes. */
  get store(): Store {
    if (!this.#store) throw new Error('there is no connection to MongoDB');
    return this.#store;
  }

  get client(): ClusterClient {
    return of(this.clients, 0);
  }

  worker(at: number): ClusterProcess {
    return of(this.workers, at);
  }

  api(at: number): ClusterProcess {
    return of(this.apis, at);
  }

  /** One more worker, from this checkout or from a release that `release` has made; it polls when this resolves. */
  async startWorker(root = join(checkout, 'dist')): Promise<ClusterProcess> {
    const port = await choosePort();
    const process = await this.#start('worker', this.workers.length, root, port, { ARCUS_WORKER_PORT: String(port) });
    this.workers.push(process);
    return process;
  }

  /** One more api, and a client of it; it serves when this resolves. */
  async startApi(): Promise<ClusterProcess> {
    const port = await choosePort();
    const at = this.apis.length;
    const process = await this.#start('api', at, join(checkout, 'dist'), port, { ARCUS_PORT: String(port) });
    this.apis.push(process);
    this.clients.push(new ClusterClient(`http://127.0.0.1:${port}`, credentials));
    return process;
  }

  /** A copy of what is built, under another build id: what an upgrade brings, whose workflows are the same. */
  release(buildId: string): string {
    const root = join(this.directory, buildId);
    mkdirSync(root);
    cpSync(built('.'), join(root, 'dist'), { recursive: true });
    cpSync(join(checkout, 'package.json'), join(root, 'package.json'));
    symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'));
    writeFileSync(join(root, 'dist', 'build-id'), buildId);
    return join(root, 'dist');
  }

  makeCurrent(buildId: string): Promise<void> {
    return makeVersionCurrent(this.temporal, buildId, 300_000);
  }

  /** Starts again what has ended by itself; everything serves when it resolves. */
  async startWhatEnded(): Promise<void> {
    const servers = this.#servers ? [...this.#servers.mongodb.members, this.#servers.temporal] : [];
    const processes = [...servers, this.simulator, ...this.#own];
    await Promise.all(processes.filter(({ hasEnded }) => hasEnded).map((process) => process.startAgain()));
  }

  get #own(): readonly ClusterProcess[] {
    return [...this.workers, ...this.apis];
  }

  /** Ends every process at once and removes their data, unless it is to be looked at. */
  async stop({ keep = false } = {}): Promise<void> {
    if (!this.#servers && !keep) await this.#connection?.dropDatabase();
    await this.#connection?.close();
    await Promise.all([...this.#processes.map((process) => process.kill()), this.#simulator?.end('SIGKILL')]);
    this.#children.release();
    if (!keep) rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #takeServers(): Promise<void> {
    this.#addresses = { temporal: await ownTemporal('cluster'), mongodb: ownDatabaseUri('cluster') };
  }

  async #startServers({ mongodbMembers = 1, binaries }: ClusterShape): Promise<void> {
    const { temporal: temporalPath, mongod } = binaries ?? {
      temporal: inject('temporalPath'),
      mongod: inject('mongodPath'),
    };
    const [port, uiPort] = [await choosePort(), await choosePort()];
    const log = join(this.directory, 'temporal.log');
    const directory = join(this.directory, 'temporal');
    mkdirSync(directory);
    const temporalAddress = `127.0.0.1:${port}`;
    const [temporal, mongodb] = await settle([
      this.#run({
        ...temporalCommand({ binary: temporalPath, directory, port, uiPort }, log),
        awaitReady: (child) => awaitTemporal(child, log, temporalAddress),
      }),
      startClusterMongodb((command) => this.#run(command), {
        binary: mongod,
        directory: this.directory,
        members: mongodbMembers,
        environment: this.#environments.mongodb ?? {},
      }),
    ]);
    this.#servers = { temporal, mongodb };
    this.#addresses = { temporal: { address: temporalAddress, namespaces }, mongodb: mongodb.uri };
  }

  get #settings() {
    return { ...temporalSettings(this.#at.temporal), ARCUS_MONGODB_URI: this.#at.mongodb };
  }

  async #prepare(): Promise<void> {
    const { ARCUS_ELASTICITY_INTERVAL: elasticity = '10', ARCUS_MONITORING_INTERVAL: monitoring = '20' } =
      this.#environments.worker ?? {};
    const ticks = { ARCUS_ELASTICITY_INTERVAL: Number(elasticity), ARCUS_MONITORING_INTERVAL: Number(monitoring) };
    await prepare({ ...this.#settings, ...ticks }, credentials);
    this.#connection = await connectMongodb(this.#at.mongodb);
    this.#store = createStore(this.#connection);
  }

  async #run(command: ClusterCommand): Promise<ClusterProcess> {
    const process = await ClusterProcess.start(this.#children, command);
    this.#processes.push(process);
    return process;
  }

  #start(
    name: 'worker' | 'api',
    at: number,
    root: string,
    port: number,
    environment: Record<string, string>,
  ): Promise<ClusterProcess> {
    const log = join(this.directory, `${name}-${at}-${port}.log`);
    return this.#run({
      name,
      command: process.execPath,
      args: ['--enable-source-maps', join(root, name, 'main.js')],
      environment: {
        ARCUS_HOME: this.directory,
        ...this.#settings,
        ...this.simulator.settings,
        ...this.#environments[name],
        ...environment,
      },
      log,
      awaitReady: (child) => awaitReady(child, log, 300_000, () => probeHttp(`http://127.0.0.1:${port}/readyz`)),
    });
  }
}

function of<T>(items: readonly T[], at: number): T {
  const item = items[at];
  if (item === undefined) throw new Error(`there is no number ${at} of ${items.length}`);
  return item;
}
