import { Client, Connection } from '@temporalio/client';
import { expect } from 'vitest';
import { temporalEngine } from '../../adapters/engine/temporal.js';
import type { Caller } from '../../domain/identity/caller.js';
import { openStates } from '../../domain/operation-states.js';
import { ensureOneadmin } from '../../requests/identity/first-user.js';
import { unconditional } from '../../requests/precondition.js';
import type { DebugStep } from '../../schemas/operations/debug-step.js';
import type { HaAction } from '../../schemas/operations/ha-action.js';
import type { Answer } from '../../schemas/operations/question.js';
import type { SnapshotArgs, VmSwitch } from '../../schemas/operations/vm-action.js';
import type { DeviceChange } from '../../schemas/operations/vm-devices.js';
import type { PerformAction } from '../../schemas/scaling/actions.js';
import type { ScaleRole } from '../../schemas/scaling/scaling.js';
import type { InstantiateService, RecoverService } from '../../schemas/services/service.js';
import { RoleTemplate, ServiceTemplateBody } from '../../schemas/services/service-template.js';
import type { RecoverAction, ResizeVm, Vm } from '../../schemas/vms/vm.js';
import type { VmConfiguration } from '../../schemas/vms/vm-configuration.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { createDirectory } from '../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore } from '../../store/store.js';
import { MemoryHypervisor } from './memory-hypervisor.js';
import { addUser } from './people.js';
import { ownDatabaseUri } from './servers.js';
import { WorldAtWork } from './world-at-work.js';
import { timeSkipping, type WorldServer } from './world-server.js';

/** An administrator whose quotas are counted, as user 0's and group 0's are not. */
const alice: Caller = { id: 2, name: 'alice', gid: 1, groups: [1, 0], rules: [] };
const admission = { requestId: 'test' };

/** As in a template, where what is not named has its default. */
export type FailurePolicy = { retries?: number; replacements?: number; finally?: 'fail' | 'wait' };

type RoleWish = {
  name: string;
  cardinality?: number;
  parents?: string[];
  vm_template_contents?: string;
  cpu?: number;
  shutdown_action?: string;
  failure_policy?: FailurePolicy;
  placement?: { affinity: string[] };
  min_vms?: number;
  max_vms?: number;
  cooldown?: number;
  on_hold?: boolean;
  scale_in?: 'oldest' | 'newest' | 'least_loaded';
  elasticity_policies?: { expression: string; type: 'CHANGE'; adjust: number }[];
  scheduled_policies?: (
    | { type: 'CARDINALITY'; adjust: number; start_time: string; cooldown?: number }
    | { action: 'recreate' | 'resume'; number: number; period: number; start_time: string }
  )[];
};
type ServiceWish = {
  deployment?: 'none' | 'straight';
  ready_status_gate?: boolean;
  shutdown_action?: string;
  on_hold?: boolean;
  networks?: Record<string, string>;
  custom_attrs?: Record<string, string>;
};

/** Something that was asked for: the operation, and what it is about. */
export type Asked = { op: string; id: number };

/** Two roles, two VMs each, the second under the first. */
export const pair: RoleWish[] = [
  { name: 'front', cardinality: 2 },
  { name: 'back', cardinality: 2, parents: ['front'] },
];

/** A zone of one test file: a database, a part of Temporal and workers of its own, and a hypervisor in memory. */
export class World extends WorldAtWork {
  readonly caller = alice;
  /** What all VM templates that are made have besides. */
  inTemplates: Record<string, unknown> = {};
  #templates = 0;

  /** A host that is monitored already. `cpu` in cores. */
  async addHost({ cpu = 1_000, memory = 1_000_000 }: { cpu?: number; memory?: number } = {}): Promise<number> {
    const hosts = await this.store.hosts.model.countDocuments();
    const body = { name: `host-${hosts + 1}`, vm_mad: 'simulated' as const, cpu, memory };
    const { id } = await this.operations.hosts.create(this.caller, body);
    await this.tick('monitorHosts');
    return id;
  }

  /** Reconciles now, whatever the age of the operations. */
  async reconcile(): Promise<void> {
    const longAgo = new Date(Date.now() - 60_000);
    await this.store.operations.model.updateMany({ state: { $in: openStates } }, { $set: { created_at: longAgo } });
    await this.tick('reconcile');
  }

  async vmTemplate({ cpu = 1, memory = 128 }: { cpu?: number; memory?: number } = {}): Promise<number> {
    this.#templates += 1;
    const body = {
      name: `small-${this.#templates}`,
      template: { CPU: cpu, MEMORY: memory, VCPU: undefined, ...this.inTemplates },
    };
    return (await this.operations.vmTemplates.create(this.caller, body)).id;
  }

  /** Asks for a service of these roles. */
  async deploy(
    roles: readonly RoleWish[] = pair,
    wish: ServiceWish = { deployment: 'straight' },
    request: InstantiateService = {},
  ): Promise<Asked> {
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
    return asked(await this.operations.serviceTemplates.instantiate(this.caller, template.id, request, admission));
  }

  /** Deploys a service and waits until it runs. */
  async running(roles?: readonly RoleWish[], wish?: ServiceWish, request?: InstantiateService): Promise<Asked> {
    const service = await this.deploy(roles, wish, request);
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

  /** `role` null: of all of them. */
  async perform(id: number, role: string | null, wish: PerformAction): Promise<Asked> {
    return asked((await this.operations.scaling.perform(this.caller, id, role, wish, admission)).operation);
  }

  async addRole(id: number, wish: { name: string } & Record<string, unknown>): Promise<Asked> {
    const role = RoleTemplate.parse({ vm_template: await this.vmTemplate(), ...wish });
    return asked(await this.operations.scaling.addRole(this.caller, id, role, admission));
  }

  async removeRole(id: number, role: string, force = false): Promise<Asked> {
    return asked(await this.operations.scaling.removeRole(this.caller, id, role, { force }, admission));
  }

  /** `role` absent: all that is on hold. */
  async release(id: number, role?: string): Promise<Asked> {
    const request = role === undefined ? {} : { role };
    return asked(await this.operations.services.release(this.caller, id, request, admission));
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

  async createVm({ cpu = 1, hold }: { cpu?: number; hold?: boolean } = {}): Promise<Asked> {
    const template_id = await this.vmTemplate({ cpu });
    return asked(await this.operations.vms.create(this.caller, { template_id, ...(hold && { hold }) }, admission));
  }

  async terminate(id: number, hard = false): Promise<Asked> {
    return asked(await this.operations.vms.terminate(this.caller, id, { hard }, admission));
  }

  async resume(id: number): Promise<Asked> {
    return asked(await this.operations.vms.resume(this.caller, id, admission));
  }

  async switch(id: number, action: VmSwitch, args: SnapshotArgs = {}): Promise<Asked> {
    return asked(await this.operations.vms.switch(this.caller, id, { action, ...args }, admission));
  }

  async hold(id: number) {
    return this.operations.vms.hold(this.caller, id, unconditional);
  }

  async resize(id: number, wish: ResizeVm) {
    return this.operations.vms.resize(this.caller, id, wish, unconditional);
  }

  async configure(id: number, template: VmConfiguration, append = false) {
    return this.operations.vms.configure(this.caller, id, { template, append }, unconditional);
  }

  async releaseVm(id: number): Promise<Asked> {
    return asked(await this.operations.vms.release(this.caller, id, admission));
  }

  async deployOn(id: number, host: number): Promise<Asked> {
    return asked(await this.operations.vms.deploy(this.caller, id, { host }, admission));
  }

  async resched(id: number, wish: boolean) {
    return this.operations.vms.resched(this.caller, id, wish, unconditional);
  }

  async migrate(id: number, wish: { host?: number; live?: boolean } = {}): Promise<Asked> {
    return asked(await this.operations.vms.migrate(this.caller, id, { live: false, ...wish }, admission));
  }

  async flush(host: number): Promise<Asked> {
    return asked(await this.operations.hosts.flush(this.caller, host, admission));
  }

  async failOver(host: number, wish: { action?: HaAction; stopped?: boolean } = {}): Promise<Asked> {
    return asked(await this.operations.hosts.failOver(this.caller, host, wish, admission));
  }

  async testFencing(host: number): Promise<Asked> {
    return asked(await this.operations.hosts.testFencing(this.caller, host, admission));
  }

  /** A host that has no VMs is turned off and on, and takes VMs then: the policy that it has is armed. */
  async arm(host: number): Promise<void> {
    await this.store.hosts.update(host, { state: 'DISABLED', error: null });
    const { op } = await this.testFencing(host);
    expect(await this.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await this.store.hosts.update(host, { state: 'MONITORED', error: null });
  }

  async importWild(host: number, wild: string): Promise<Asked> {
    return asked(await this.operations.hosts.importWild(this.caller, host, { wild }, admission));
  }

  async changeDevices(id: number, change: DeviceChange): Promise<Asked> {
    return asked(await this.operations.vms.changeDevices(this.caller, id, change, admission));
  }

  async recoverVm(id: number, action: RecoverAction): Promise<Asked> {
    return asked(await this.operations.vms.recover(this.caller, id, { action }, admission));
  }

  /** Answers one action of what failed of a VM; what is not said is as it stands. */
  async debug(id: number, answer: DebugStep['answer'], at: Partial<DebugStep> = {}): Promise<Asked> {
    const { debugging } = await this.operations.vms.show(this.caller, id);
    const { session = -1, current } = debugging ?? {};
    const interactive = { session, number: current ?? 1, ...at, answer };
    return asked(await this.operations.vms.recover(this.caller, id, { action: 'retry', interactive }, admission));
  }

  async report(vm: number): Promise<void> {
    await this.operations.vms.update(this.caller, vm, {
      revise: ({ name, user_template }) => ({
        wish: { name, user_template: { ...user_template, READY: 'YES' } },
        named: new Set(['user_template']),
      }),
      precondition: unconditional,
    });
  }

  /**
   * Those of a service's VMs for which it holds have failed by themselves, and the service is WARNING. (Their domains run: what
   * failed to boot, and is found to run, monitoring would call RUNNING.)
   */
  async failed(service: number, which: (vm: Vm) => boolean): Promise<void> {
    const ids = (await this.vms(service)).filter(which).map(({ _id }) => _id);
    await this.store.vms.model.updateMany({ _id: { $in: ids } }, { $set: { lcm_state: 'PROLOG_FAILURE' } });
    await this.store.health.refresh([service]);
    expect((await this.service(service)).state).toBe('WARNING');
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
  const client = new Client({ connection, namespace: server.namespaces.operations });
  const ticks = new Client({ connection, namespace: server.namespaces.ticks });
  return new World(server, store, directory, hypervisor, temporalEngine(server), client, ticks);
}
