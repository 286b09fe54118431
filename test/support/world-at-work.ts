import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { expect } from 'vitest';
import { createStepLog, type StepLog } from '../../activities/operations/step-log.js';
import type { StepPorts } from '../../activities/ports.js';
import { networkedHypervisors } from '../../activities/vms/networked-hypervisors.js';
import { taskQueues } from '../../adapters/engine/names.js';
import type { TemporalEngine } from '../../adapters/engine/temporal.js';
import type { Fencing } from '../../adapters/fencing/port.js';
import { networks } from '../../adapters/network/networks.js';
import { problemOf } from '../../domain/problems.js';
import type { OperationsContext } from '../../requests/context.js';
import { deployForFailover, failOverByPolicy, recoverForFailover } from '../../requests/failover/failover.js';
import { restartDown } from '../../requests/failover/restarts.js';
import { createOperations, type Operations } from '../../requests/operations.js';
import { performByPolicy, performOnVm } from '../../requests/scaling/actions.js';
import { scaleByPolicy } from '../../requests/scaling/scaling.js';
import { retireBackup } from '../../requests/vms/backups.js';
import { migrateForFlush } from '../../requests/vms/host-flush.js';
import { migrateMarked } from '../../requests/vms/vm-resched.js';
import { performScheduled } from '../../requests/vms/vm-schedules.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { MongodbDirectory } from '../../store/identity/mongodb-directory.js';
import type { Store } from '../../store/store.js';
import type { DueAction } from '../../store/vms/vm-schedules.js';
import { workerOptions } from '../../worker/workers.js';
import type { MemoryHypervisor } from './memory-hypervisor.js';
import { MemoryMarket } from './memory-market.js';
import { MemoryStorage } from './memory-storage.js';
import { noSealer } from './no-storages.js';
import { eventually } from './processes.js';
import { ownName } from './servers.js';
import { disagreements } from './world-accounts.js';
import { builtBundle, builtVersion, type WorldServer } from './world-server.js';
import { Steps } from './world-steps.js';

/** The servers and workers of a world, and what is there: what is asked of it is World's. */
export class WorldAtWork {
  readonly steps = new Steps();
  readonly operations: Operations;
  /** What steps go by; tests may set what is not set. */
  readonly settings: StepPorts['settings'] = {
    vmNameTemplate: '$ROLE_NAME_$VM_NUMBER_(service_$SERVICE_ID)',
    shutdownAction: 'terminate',
    // The tick is the test's: nothing is gained by most of one.
    insistence: 2,
  };
  /** Hosts that were turned off, in this order, and what comes of turning them off and on. */
  readonly fenced: string[] = [];
  readonly usualPower: Fencing = {
    status: async ({ name }) => (this.hypervisor.isCutOff(name) ? 'off' : 'on'),
    off: async ({ name }) => this.powerOff(name),
    on: async ({ name }) => this.hypervisor.reach(name),
  };
  power: Fencing = this.usualPower;
  /** What comes between the plan of a flush and what it asks for. */
  beforeFlushAsks: () => Promise<void> = async () => {};
  /** What operations could not do at once, in their words. */
  readonly delayed: string[] = [];
  readonly #asking: OperationsContext;
  readonly #stepLog: StepLog;
  #workers: { worker: Worker; ended: Promise<void> }[] = [];

  constructor(
    readonly server: WorldServer,
    readonly store: Store,
    readonly directory: MongodbDirectory,
    readonly hypervisor: MemoryHypervisor,
    readonly engine: TemporalEngine,
    readonly client: Client,
    readonly ticks: Client,
  ) {
    this.#stepLog = createStepLog(store.steps);
    this.#asking = {
      store,
      directory,
      engine,
      storages: this.storage.ports.storages,
      sealer: noSealer,
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      onDelayed: (message, error) => this.delayed.push(`${message}: ${String(problemOf(error)?.cause ?? error)}`),
    };
    this.storage.published = (key) => this.market.kept.get(key);
    this.operations = createOperations(this.#asking);
  }

  /**
   * Workers with the product's own options; the steps of `steps` in between. They poll when this resolves. Workflows run in
   * this thread (debugMode): to start one for each of two workers a world costs more than most tests do.
   */
  async work(over: { codePath?: string } = {}): Promise<void> {
    const options = workerOptions({
      connection: this.server.connection,
      namespaces: this.server.namespaces,
      ports: {
        store: this.store,
        directory: this.directory,
        hypervisors: networkedHypervisors({ of: () => this.hypervisor }, this.networks, this.store),
        networks: this.networks,
        engine: this.engine,
        ...this.storage.ports,
        markets: this.market.markets,
        scaleByPolicy: (scaling) => scaleByPolicy(this.#asking, scaling),
        performOnVm: (deed) => performOnVm(this.#asking, deed),
        performByPolicy: (performing) => performByPolicy(this.#asking, performing),
        performScheduled: this.performScheduled,
        retireBackup: (deed) => retireBackup(this.#asking, deed),
        migrateMarked: (marked) => migrateMarked(this.#asking, marked),
        migrateForFlush: async (deed) => {
          await this.beforeFlushAsks();
          return migrateForFlush(this.#asking, deed);
        },
        fencing: {
          status: (...asked) => this.power.status(...asked),
          off: (host, method, signal) => {
            this.fenced.push(host.name);
            return this.power.off(host, method, signal);
          },
          on: (...asked) => this.power.on(...asked),
        },
        restartDown: (down) => restartDown(this.#asking, down),
        failOver: (due) => failOverByPolicy(this.#asking, due),
        deployForFailover: (deed) => deployForFailover(this.#asking, deed),
        recoverForFailover: (deed) => recoverForFailover(this.#asking, deed),
        settings: this.settings,
      },
      stepLog: this.#stepLog,
      bundle: over.codePath === undefined ? builtBundle : { codePath: over.codePath },
      buildId: builtVersion(),
    });
    for (const queue of ['orchestration', 'shared', 'compute', 'storage', 'ticks'] as const) {
      const product = options[queue]();
      const activity = [...(product.interceptors?.activity ?? []), this.steps.interceptor];
      const worker = await Worker.create({ ...product, interceptors: { activity }, debugMode: true });
      this.#workers.push({ worker, ended: worker.run() });
    }
    await this.server.welcome();
  }

  readonly #home = mkdtempSync(join(tmpdir(), 'arcus-world-'));
  /** The networks of all hosts. */
  readonly networks = networks({ ARCUS_HOME: this.#home }, 'tests');

  /** Where images are. */
  readonly storage = new MemoryStorage();
  /** Where apps are. */
  readonly market = new MemoryMarket();

  /** What a worker is given to do scheduled actions of VMs by. */
  readonly performScheduled = (due: DueAction) => performScheduled(this.#asking, due);

  /** Its power is gone, and with it all that ran there. */
  powerOff(host: string): void {
    this.hypervisor.cutOff(host);
    for (const domain of this.hypervisor.domains()) if (domain.host === host) this.hypervisor.lose(domain.vm);
  }

  /** The workers end; what they were at stays as it is. */
  async rest(): Promise<void> {
    for (const { worker } of this.#workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(this.#workers.map(({ ended }) => ended));
    await this.#stepLog.flush();
    this.#workers = [];
  }

  /** Temporal goes, with all that it knew. */
  async forget(): Promise<void> {
    await this.rest();
    await Promise.all([this.engine.close(), this.client.connection.close()]);
    await this.server.stop();
  }

  async stop(): Promise<void> {
    await this.forget();
    await this.store.connection.dropDatabase();
    await this.store.connection.close();
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** A periodic work, now. On the time-skipping server there are no schedules that would. Returns the ID of its run. */
  async tick(
    workflowType: 'reconcile' | 'monitorHosts' | 'monitorDatastores' | 'monitorMarketplaces' | 'evaluatePolicies',
  ): Promise<string> {
    const workflowId = ownName(workflowType);
    await this.ticks.workflow.execute(workflowType, { workflowId, taskQueue: taskQueues.ticks });
    return workflowId;
  }

  /** The operation when it has ended and its run is closed; or as it is when its run has closed without ending it. */
  async ended(op: string): Promise<Operation> {
    const quiet = eventually(async () => {
      const { workflow_id: workflowId } = await this.operation(op);
      const run = await this.engine.latestRun(workflowId);
      if (run?.op === op && run.status === 'open') return this.#closed(workflowId, run.runId);
      // Read after its run was seen closed, which ends it before that. Under another's run it may not have begun yet.
      const operation = await this.operation(op);
      return run?.op === op || operation.ended_at !== null ? operation : undefined;
    });
    return quiet.catch(async (error: unknown) => {
      const operation = await this.operation(op);
      const run = await this.engine.latestRun(operation.workflow_id);
      const seen = this.steps.names().slice(-20).join(', ');
      throw new Error(`${JSON.stringify(operation)} goes on; its run: ${JSON.stringify(run)}; steps: ${seen}`, {
        cause: error,
      });
    });
  }

  /** The server says when the run closes: asking again and again would take the time of those that work. */
  async #closed(workflowId: string, runId: string): Promise<undefined> {
    const result = this.client.workflow.getHandle(workflowId, runId).result();
    await Promise.race([result.catch(() => undefined), sleep(20_000, undefined, { ref: false })]);
    return undefined;
  }

  async operation(op: string): Promise<Operation> {
    const operation = await this.store.operations.find(op);
    if (!operation) throw new Error(`there is no operation ${op}`);
    return operation;
  }

  async service(id: number): Promise<Service> {
    const service = await this.store.services.find(id);
    if (!service) throw new Error(`there is no service ${id}`);
    return service;
  }

  async vm(id: number): Promise<Vm> {
    const vm = await this.store.vms.find(id);
    if (!vm) throw new Error(`there is no VM ${id}`);
    return vm;
  }

  /** VMs of a service that are not DONE. */
  vms(service: number, role?: string): Promise<Vm[]> {
    const ofRole = role === undefined ? {} : { 'service.role': role };
    return this.store.vms.model
      .find({ 'service.id': service, ...ofRole, state: { $ne: 'DONE' } })
      .sort({ _id: 1 })
      .lean<Vm[]>()
      .exec();
  }

  /** Fails unless every document, reservation, hold, operation and domain agrees. */
  async accounted(after = ''): Promise<void> {
    const found = await disagreements(this);
    expect(found, after).toEqual([]);
  }
}
