import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { expect } from 'vitest';
import { createStepLog, type StepLog } from '../../activities/operations/step-log.js';
import type { StepPorts } from '../../activities/ports.js';
import { taskQueues } from '../../adapters/engine/names.js';
import { type TemporalEngine, temporalEngine } from '../../adapters/engine/temporal.js';
import type { Caller } from '../../domain/identity/caller.js';
import { openStates } from '../../domain/operation-states.js';
import { problemOf } from '../../domain/problems.js';
import { ensureOneadmin } from '../../requests/identity/first-user.js';
import { createOperations, type Operations } from '../../requests/operations.js';
import { unconditional } from '../../requests/precondition.js';
import { namespaces } from '../../schemas/config.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Answer } from '../../schemas/operations/question.js';
import type { ScaleRole } from '../../schemas/scaling/scaling.js';
import type { RecoverService, Service } from '../../schemas/services/service.js';
import { ServiceTemplateBody } from '../../schemas/services/service-template.js';
import type { RecoverAction, Vm } from '../../schemas/vms/vm.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { createDirectory, type MongodbDirectory } from '../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { workerOptions } from '../../worker/workers.js';
import { MemoryHypervisor } from './memory-hypervisor.js';
import { addUser } from './people.js';
import { eventually } from './processes.js';
import { ownDatabaseUri, ownName } from './servers.js';
import { disagreements } from './world-accounts.js';
import { builtBundle, builtVersion, timeSkipping, type WorldServer } from './world-server.js';
import { Steps } from './world-steps.js';

/** An administrator whose quotas are counted, as user 0's and group 0's are not. */
const alice: Caller = { id: 2, name: 'alice', gid: 1, groups: [1, 0], rules: [] };
const admission = { requestId: 'test' };

/** As in a template, where what is not named has its default. */
export type FailurePolicy = { retries?: number; replacements?: number; finally?: 'fail' | 'wait' };

type RoleWish = {
  name: string;
  cardinality?: number;
  parents?: string[];
  cpu?: number;
  shutdown_action?: string;
  failure_policy?: FailurePolicy;
  placement?: { affinity: string[] };
  min_vms?: number;
  max_vms?: number;
  cooldown?: number;
  scale_in?: 'oldest' | 'newest';
};
type ServiceWish = { deployment?: 'none' | 'straight'; ready_status_gate?: boolean; shutdown_action?: string };

/** Something that was asked for: the operation, and what it is about. */
export type Asked = { op: string; id: number };

/** Two roles, two VMs each, the second under the first. */
export const pair: RoleWish[] = [
  { name: 'front', cardinality: 2 },
  { name: 'back', cardinality: 2, parents: ['front'] },
];

/** A zone of one test file: a database, a Temporal and workers of its own, and a hypervisor in memory. */
export class World {
  readonly caller = alice;
  readonly steps = new Steps();
  readonly operations: Operations;
  /** What steps go by; tests may set what is not set. */
  readonly settings: StepPorts['settings'] = {
    vmNameTemplate: '$ROLE_NAME_$VM_NUMBER_(service_$SERVICE_ID)',
    shutdownAction: 'terminate',
  };
  /** What operations could not do at once, in their words. */
  readonly delayed: string[] = [];
  readonly #stepLog: StepLog;
  #templates = 0;
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
    this.operations = createOperations({
      store,
      directory,
      engine,
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      onDelayed: (message, error) => this.delayed.push(`${message}: ${String(problemOf(error)?.cause ?? error)}`),
    });
  }

  /**
   * Workers with the product's own options; the steps of `steps` in between. They poll when this resolves. Workflows run in
   * this thread (debugMode): to start one for each of two workers a world costs more than most tests do.
   */
  async work(over: { codePath?: string } = {}): Promise<void> {
    const options = workerOptions({
      connection: this.server.connection,
      ports: {
        store: this.store,
        directory: this.directory,
        hypervisors: { of: () => this.hypervisor },
        engine: this.engine,
        settings: this.settings,
      },
      stepLog: this.#stepLog,
      bundle: over.codePath === undefined ? builtBundle : { codePath: over.codePath },
      buildId: builtVersion(),
    });
    for (const queue of ['orchestration', 'shared', 'compute', 'ticks'] as const) {
      const product = options[queue]();
      const activity = [...(product.interceptors?.activity ?? []), this.steps.interceptor];
      const worker = await Worker.create({ ...product, interceptors: { activity }, debugMode: true });
      this.#workers.push({ worker, ended: worker.run() });
    }
    await this.server.welcome();
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
  }

  /** A host that is monitored already. `cpu` in cores. */
  async addHost({ cpu = 1_000, memory = 1_000_000 }: { cpu?: number; memory?: number } = {}): Promise<number> {
    const hosts = await this.store.hosts.model.countDocuments();
    const body = { name: `host-${hosts + 1}`, vm_mad: 'simulated' as const, cpu, memory };
    const { id } = await this.operations.hosts.create(this.caller, body);
    await this.tick('monitorHosts');
    return id;
  }

  /** A periodic work, now. On the time-skipping server there are no schedules that would. Returns the ID of its run. */
  async tick(workflowType: 'reconcile' | 'monitorHosts'): Promise<string> {
    const workflowId = ownName(workflowType);
    await this.ticks.workflow.execute(workflowType, { workflowId, taskQueue: taskQueues.ticks });
    return workflowId;
  }

  /** Reconciles now, whatever the age of the operations. */
  async reconcile(): Promise<void> {
    const longAgo = new Date(Date.now() - 60_000);
    await this.store.operations.model.updateMany({ state: { $in: openStates } }, { $set: { created_at: longAgo } });
    await this.tick('reconcile');
  }

  async vmTemplate({ cpu = 1, memory = 128 }: { cpu?: number; memory?: number } = {}): Promise<number> {
    this.#templates += 1;
    const body = { name: `small-${this.#templates}`, template: { CPU: cpu, MEMORY: memory, VCPU: undefined } };
    return (await this.operations.vmTemplates.create(this.caller, body)).id;
  }

  /** Asks for a service of these roles. */
  async deploy(roles: readonly RoleWish[] = pair, wish: ServiceWish = { deployment: 'straight' }): Promise<Asked> {
    this.#templates += 1;
    const name = `service-template-${this.#templates}`;
    const templates = new Map<number, number>();
    const withTemplates = [];
    for (const { cpu = 1, ...role } of roles) {
      const vm_template = templates.get(cpu) ?? (await this.vmTemplate({ cpu }));
      templates.set(cpu, vm_template);
      withTemplates.push({ ...role, vm_template });
    }
    const body = ServiceTemplateBody.parse({ name, ...wish, roles: withTemplates });
    const template = await this.operations.serviceTemplates.create(this.caller, body);
    return asked(await this.operations.serviceTemplates.instantiate(this.caller, template.id, {}, admission));
  }

  /** Deploys a service and waits until it runs. */
  async running(roles?: readonly RoleWish[], wish?: ServiceWish): Promise<Asked> {
    const service = await this.deploy(roles, wish);
    expect(await this.ended(service.op)).toMatchObject({ state: 'succeeded', error: null });
    return service;
  }

  async undeploy(id: number, hard?: boolean): Promise<Asked> {
    const request = hard === undefined ? {} : { hard };
    return asked(await this.operations.services.undeploy(this.caller, id, request, admission));
  }

  async remove(id: number): Promise<Asked> {
    return asked(await this.operations.services.remove(this.caller, id, admission));
  }

  async recover(id: number, wish: RecoverService = {}): Promise<Asked> {
    return asked(await this.operations.services.recover(this.caller, id, wish, admission));
  }

  /** Asks that a role have another number of VMs. */
  async scale(id: number, role: string, cardinality: number, over: Partial<ScaleRole> = {}): Promise<Asked> {
    const request = { cardinality, ...over };
    return asked(await this.operations.scaling.scale(this.caller, id, role, request, admission));
  }

  async repair(id: number): Promise<Asked> {
    return asked(await this.operations.services.repair(this.caller, id, admission));
  }

  async cancel(op: string): Promise<Asked> {
    return asked(await this.operations.operations.cancel(this.caller, op));
  }

  async answer(op: string, answer: Answer): Promise<Asked> {
    return asked(await this.operations.operations.answer(this.caller, op, { answer }));
  }

  async retry(op: string): Promise<Asked> {
    return asked(await this.operations.operations.retry(this.caller, op, admission));
  }

  async createVm({ cpu = 1 }: { cpu?: number } = {}): Promise<Asked> {
    const template_id = await this.vmTemplate({ cpu });
    return asked(await this.operations.vms.create(this.caller, { template_id }, admission));
  }

  async terminate(id: number, hard = false): Promise<Asked> {
    return asked(await this.operations.vms.terminate(this.caller, id, { hard }, admission));
  }

  async resume(id: number): Promise<Asked> {
    return asked(await this.operations.vms.resume(this.caller, id, admission));
  }

  async recoverVm(id: number, action: RecoverAction): Promise<Asked> {
    return asked(await this.operations.vms.recover(this.caller, id, { action }, admission));
  }

  async report(vm: number): Promise<void> {
    await this.operations.vms.update(this.caller, vm, {
      revise: ({ user_template }) => ({
        wish: { user_template: { ...user_template, READY: 'YES' } },
        named: new Set(['user_template']),
      }),
      precondition: unconditional,
    });
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

  /** Those of a service's VMs for which it holds have failed by themselves, and the service is WARNING. */
  async failed(service: number, which: (vm: Vm) => boolean): Promise<void> {
    const ids = (await this.vms(service)).filter(which).map(({ _id }) => _id);
    await this.store.vms.model.updateMany({ _id: { $in: ids } }, { $set: { lcm_state: 'BOOT_FAILURE' } });
    await this.store.health.refresh([service]);
    expect((await this.service(service)).state).toBe('WARNING');
  }

  /** Fails unless every document, reservation, hold, operation and domain agrees. */
  async accounted(after = ''): Promise<void> {
    const found = await disagreements(this);
    expect(found, after).toEqual([]);
  }
}

const asked = ({ id, resource }: { id: string; resource: { id: number } }): Asked => ({ op: id, id: resource.id });

/** A world with two large hosts and workers that poll. Whoever makes it stops it. */
export async function newWorld({
  server = timeSkipping,
  hosts = 2,
  idle = false,
}: {
  server?: () => Promise<WorldServer>;
  hosts?: number;
  /** true: no workers yet, and no hosts, which they would monitor. */
  idle?: boolean;
} = {}): Promise<World> {
  const own = await server();
  const uri = ownDatabaseUri('world');
  const first = await connectMongodb(uri);
  await bootstrapStore(first);
  await first.close();
  const mongodb = await connectMongodb(uri);
  const store = createStore(mongodb);
  const hypervisor = new MemoryHypervisor();
  const directory = createDirectory(mongodb);
  await ensureOneadmin(directory, 'oneadmin');
  await addUser(directory, alice.name, { gid: alice.gid, groups: alice.groups, password_hash: '' });
  const world = await worldOn(own, { store, directory, hypervisor });
  if (idle) return world;
  await world.work();
  for (let made = 0; made < hosts; made++) await world.addHost();
  return world;
}

/** A world over what is there already: a Temporal that has lost its data meets a MongoDB that has not. */
export async function worldOn(
  server: WorldServer,
  { store, directory, hypervisor }: Pick<World, 'store' | 'directory' | 'hypervisor'>,
): Promise<World> {
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection, namespace: namespaces.operations });
  const ticks = new Client({ connection, namespace: namespaces.ticks });
  return new World(server, store, directory, hypervisor, temporalEngine({ address: server.address }), client, ticks);
}
