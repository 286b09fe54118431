import { ulid } from 'ulid';
import type { HostState } from '../../../schemas/hosts/host.js';
import { kinds, type ManagedKind, managedKinds, type Pool } from '../../../schemas/kinds.js';
import type { App } from '../../../schemas/market/app.js';
import type { Operation, OperationState } from '../../../schemas/operations/operation.js';
import type { Service, ServiceState } from '../../../schemas/services/service.js';
import type { Image } from '../../../schemas/storage/image.js';
import type { HistoryRecord, Vm, VmLcmState, VmState } from '../../../schemas/vms/vm.js';
import { made } from '../../support/made-kinds.js';
import { addGroup, addUser } from '../../support/people.js';
import { publishedApp } from '../../support/published-app.js';
import type { World } from '../world.js';

/** What operations on a service have come to, each with the state that it has left the service in. */
const outcomes = {
  succeeded: 'RUNNING',
  failed: 'FAILED_DEPLOYING',
  cancelled: 'FAILED_DEPLOYING',
  waiting_for_you: 'DEPLOYING',
  running: 'DEPLOYING',
} as const satisfies Partial<Record<OperationState, ServiceState>>;
type Outcome = keyof typeof outcomes;

const vmStates: readonly [VmState, VmLcmState][] = [
  ['POWEROFF', 'LCM_INIT'],
  ['ACTIVE', 'RUNNING'],
  ['ACTIVE', 'UNKNOWN'],
  ['ACTIVE', 'BOOT_FAILURE'],
  ['DONE', 'LCM_INIT'],
];
const hostStates: readonly HostState[] = ['MONITORED', 'INIT', 'ERROR', 'DISABLED', 'OFFLINE'];

const nth = <T>(items: readonly T[], at: number): T => {
  const item = items[at % items.length];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
};

/** How many more there are of some kinds: what chance removes or changes most. */
const copied: Partial<Record<ManagedKind, number>> = { host: 19, vm_template: 19 };

/** Ids of what there is, by kind, for whoever guesses. */
export type Population = Record<string, readonly (number | string)[]>;

/**
 * Objects of every kind in every state from which a request leads on, so that what is sent by chance often finds one that
 * takes it. No worker runs: what is accepted stays so.
 */
export async function populate(world: World): Promise<Population> {
  const make = async (path: string, body: object) => {
    const { status, body: made } = await world.ask('oneadmin', 'post', path, body);
    if (status >= 300) throw new Error(`${path}: ${JSON.stringify(made)}`);
    return made;
  };
  const { store } = world;
  const many = (pool: Pool, count: number): Promise<number[]> => store.counters.next(pool, count);
  const copies = async <T extends { _id: number }>(
    first: T,
    pool: Pool,
    count: number,
    of: (id: number, at: number) => Partial<T>,
  ) => (await many(pool, count)).map((id, at): T => ({ ...first, ...of(id, at), _id: id }));

  for (const kind of managedKinds) await make(kinds[kind].path, made[kind].body(kind, 0));
  await make('/vms', { template_id: 0, name: 'vm-0' });
  const { resource } = await make('/service-templates/0/instantiate', {});
  const source = { empty: { size_mb: 1 } };
  const { resource: image } = await make('/images', { name: 'image-0', source });
  const whole = { state: 'READY', operation: null } as const;
  await store.images.model.updateOne({ _id: image.id }, { $set: whole });
  const check = await make('/consistency-checks', {});
  // It has ended, so that another may begin.
  await store.operations.model.updateOne({ _id: check.id }, { $set: { state: 'succeeded', ended_at: new Date() } });

  for (const kind of managedKinds) {
    const { collection, ids } = kinds[kind];
    const documents = world.mongodb.collection<{ _id: number; name: string; state?: HostState }>(collection);
    const first = await documents.findOne({ name: kind });
    if (!first) throw new Error(`there is no ${kind}`);
    const others = await copies(first, ids.pool, copied[kind] ?? 6, (_id, at) => ({
      name: `${kind}-${_id}`,
      ...(kind === 'host' && { state: nth(hostStates, at) }),
    }));
    await documents.insertMany(others);
  }

  const found = <T>(
    model: { findOne(filter: object): { lean<L>(): { orFail(): { exec(): Promise<L> } } } },
    id: number,
  ) => model.findOne({ _id: id }).lean<T>().orFail().exec();
  // Of the last, others are made, and nothing else is done to them.
  const first = await found<Image>(store.images.model, image.id);
  const images = await copies(first, 'image', 24, (id) => ({ name: `image-${id}`, ...whole }));
  await store.images.model.insertMany(images);
  const cloned = images.slice(-8).map(({ _id }) => _id);
  const app = await found<App>(store.apps.model, await publishedApp(make, store, 'app-0'));
  const apps = await copies(app, 'app', 32, (id) => ({ name: `app-${id}` }));
  await store.apps.model.insertMany(apps);
  const vm = await found<Vm>(store.vms.model, 0);
  await store.vms.model.insertMany(
    await copies(vm, 'vm', 29, (id, at) => {
      const [state, lcm_state] = nth(vmStates, at);
      return { name: `vm-${id}`, state, lcm_state, operation: null };
    }),
  );
  const service = await found<Service>(store.services.model, resource.id);
  const operation = await store.operations.model.findOne({ kind: 'deployService' }).lean<Operation>().orFail().exec();

  /** Services with the operation that has made of them what they are. */
  async function leftBy(outcome: Outcome, count: number): Promise<{ services: number[]; operations: string[] }> {
    const services = await copies(service, 'document', count, (id) => ({
      name: `shop ${id}`,
      state: outcomes[outcome],
      operation: null,
    }));
    const open = outcome === 'running' || outcome === 'waiting_for_you';
    const asks = outcome === 'waiting_for_you';
    const now = new Date();
    const operations = services.map(({ _id: id, name }) => ({
      ...operation,
      _id: ulid(),
      resource: { type: 'service' as const, id },
      resource_name: name,
      workflow_id: `service-${id}`,
      state: outcome,
      run_id: '019df252-b5b0-7c1e-9a2b-6f0e4c1d7a55',
      question: asks ? { text: 'Role web has failed. Retry?', roles: ['web'], asked_at: now } : null,
      waiting_for: asks ? 'your answer' : null,
      error: outcome === 'failed' ? { code: 'roles_failed', detail: 'role web: 0 of 2 VMs run' } : null,
      started_at: now,
      ended_at: open ? null : now,
    }));
    await store.operations.model.insertMany(operations);
    await store.services.model.insertMany(
      services.map((one, at) => ({ ...one, operation: open ? operations[at]?._id : null })),
    );
    return { services: services.map(({ _id }) => _id), operations: operations.map(({ _id }) => _id) };
  }
  const [deployed, waiting, running] = [
    await leftBy('succeeded', 8),
    await leftBy('waiting_for_you', 4),
    await leftBy('running', 4),
  ];
  const [asking, failed, cancelled] = [
    await leftBy('waiting_for_you', 8),
    await leftBy('failed', 8),
    await leftBy('cancelled', 8),
  ];
  const repairable = await leftBy('succeeded', 8);
  await store.services.model.updateMany(
    { _id: { $in: repairable.services } },
    { $set: { state: 'WARNING', 'roles.$[].state': 'WARNING' } },
  );
  const scalable = await leftBy('succeeded', 12);
  const onHold = await leftBy('succeeded', 8);
  await store.services.model.updateMany(
    { _id: { $in: onHold.services } },
    { $set: { state: 'HOLD', 'roles.$[].state': 'HOLD' } },
  );
  const off = await copies(vm, 'vm', 12, (id) => {
    return { name: `vm-${id}`, state: 'POWEROFF' as const, lcm_state: 'LCM_INIT' as const, operation: null };
  });
  const held = await copies(vm, 'vm', 24, (id) => {
    const state = { state: 'HOLD' as const, lcm_state: 'LCM_INIT' as const, operation: null };
    return { name: `vm-${id}`, ...state, service: null };
  });
  const monitored = (await store.hosts.model.distinct('_id', { state: 'MONITORED' }).exec()).map(Number);
  // Nothing is done to the host of those that something is done to.
  const [home = -1, ...flushable] = monitored.slice(-5);
  const stay = {
    seq: 0,
    hid: home,
    hostname: `host-${home}`,
    vm_mad: 'simulated',
    epoch: 0,
    etime: null,
    reason: 'none' as const,
  };
  const placed = await copies(vm, 'vm', 12, (id) => {
    const state = { state: 'ACTIVE' as const, lcm_state: 'RUNNING' as const, operation: null };
    return { name: `vm-${id}`, ...state, history: [{ ...stay, stime: vm.created_at }] };
  });
  const fitted = await copies(vm, 'vm', 64, (id) => fittedVm(id, { ...stay, stime: vm.created_at }));
  await store.vms.model.insertMany([...off, ...held, ...placed, ...fitted]);
  const scaled = await leftBy('succeeded', 20);
  await store.services.model.updateMany(
    { _id: { $in: [...scalable.services, ...scaled.services] } },
    { $set: { 'roles.$[].state': 'RUNNING' } },
  );
  const people = await populateDirectory(world);

  const idsIn = async (collection: string) =>
    (await world.mongodb.collection<{ _id: number }>(collection).distinct('_id')).map(Number);
  const idsOf = async (model: { distinct(field: '_id'): { exec(): Promise<unknown[]> } }) =>
    (await model.distinct('_id').exec()).map(Number);
  return {
    ...Object.fromEntries(
      await Promise.all(
        managedKinds.map(async (kind) => [kinds[kind].path.slice(1), await idsIn(kinds[kind].collection)]),
      ),
    ),
    // One that is flushed is not changed any more: no worker ends that.
    hosts: (await idsOf(store.hosts.model)).filter((id) => id !== home && !flushable.includes(id)),
    flushable,
    images: (await idsOf(store.images.model)).filter((id) => !cloned.includes(id)),
    cloned,
    // Of these, images are made, and nothing else is done to them.
    exported: apps.slice(-8).map(({ _id }) => _id),
    apps: apps.slice(0, -8).map(({ _id }) => _id),
    vms: (await idsOf(store.vms.model)).filter(
      (id) => ![...off, ...held, ...placed, ...fitted].some(({ _id }) => _id === id),
    ),
    // These are resumed, those released or deployed, the last migrated or switched, and nothing else is done to them.
    off: off.map(({ _id }) => _id),
    heldvms: held.map(({ _id }) => _id),
    placed: placed.map(({ _id }) => _id),
    // NICs and disks of these are changed, by each request those of some: none of them can be changed twice. And what they are called.
    ...Object.fromEntries(
      deviceRequests.map((name, at) => [name, fitted.slice(at * 8, at * 8 + 8).map(({ _id }) => _id)]),
    ),
    devices: [0, 1, 2],
    // Disks without snapshots: others are not made larger.
    bare: [1, 2],
    // Of these, VMs are missing; and the next have failed.
    repairable: repairable.services,
    // Roles come and go in these; and are scaled in the next.
    scalable: scalable.services,
    scaled: scaled.services,
    onhold: onHold.services,
    roles: service.roles.map(({ name }) => name),
    recoverable: failed.services,
    services: [...deployed.services, ...waiting.services, ...running.services],
    asking: asking.operations,
    retryable: cancelled.operations,
    operations: [...deployed.operations, ...waiting.operations, ...running.operations],
    checks: [check.id],
    ...people,
  };
}

const deviceRequests = [
  ...['attachNic', 'detachNic', 'attachDisk', 'detachDisk', 'resizeDisk', 'snapshotDisk'],
  ...['revertDiskSnapshot', 'deleteDiskSnapshot'],
];

/** Of its disks, the first has snapshots, and the others have none. */
function fittedVm(id: number, stay: HistoryRecord): Partial<Vm> {
  const disk = { type: 'fs', size: 1, format: 'qcow2', current: null, snapshot_ids: 0 } as const;
  const snapshots = [0, 1, 2].map((snapshot_id) => {
    return { snapshot_id, name: `snapshot-${snapshot_id}`, parent: null, taken_at: stay.stime };
  });
  return {
    ...{ name: `vm-${id}`, state: 'POWEROFF', lcm_state: 'LCM_INIT', operation: null, history: [stay] },
    nics: [0, 1, 2].map((nic_id) => ({ nic_id, network: 'public' })),
    disks: [0, 1, 2].map((disk_id) => {
      const its = disk_id === 0 ? snapshots : [];
      return { ...disk, disk_id, target: `vd${'abc'[disk_id]}`, snapshots: its, snapshot_ids: its.length };
    }),
    device_ids: { nic: 3, disk: 3 },
  };
}

/** Who asks. His id is one that nobody guesses: what is done to users and groups must not be done to him. */
const prober = { name: 'prober', id: 54_321 };

const unlimitedAll = { services: -2, vms: -2, cpu: -2, memory: -2, images: -2, storage: -2, operations: -2 };

async function populateDirectory({ directory, ask, store }: World): Promise<Population> {
  const { users, tokens, version } = directory;
  await addUser(directory, prober.name, { _id: prober.id, gid: 0 });
  // Whatever limits chance sets for others.
  await store.quotas.setLimits({ type: 'user', id: prober.id }, unlimitedAll);
  const alice = await users.find(2);
  if (!alice) throw new Error('alice is missing');
  const groups: number[] = [];
  for (let at = 0; at < 10; at++) groups.push((await addGroup(directory, `group-${at}`))._id);
  // Every user is in these, so that he can leave one.
  const teams = groups.slice(0, 2);
  const members: number[] = [];
  await version.change(async (session) => {
    for (let at = 0; at < 20; at++) {
      const _id = await version.take('user', session);
      await users.insert({ ...alice, _id, name: `user-${at}`, gid: 1, groups: [1, ...teams] }, session);
      members.push(_id);
    }
  });
  const acls: number[] = [];
  for (const gid of groups) {
    const { body } = await ask('oneadmin', 'post', '/acls', { rule: `@${gid} VM/@${gid} USE *` });
    acls.push(body.id);
  }
  const holder = members.pop() ?? prober.id;
  const [mine, held] = [await manyTokens(prober.id), await manyTokens(holder)];
  return { users: members, groups, teams, acls, tokens: mine, holder: [holder], held };

  async function manyTokens(uid: number): Promise<number[]> {
    const made: number[] = [];
    await version.change(async (session) => {
      for (let at = 0; at < 12; at++) {
        const _id = await version.take('token', session);
        const [prefix, hash] = [`ABCD${String(_id).padStart(4, '0')}`, `hash ${_id}`];
        const dates = { created_at: new Date(), expires_at: null, last_used_at: null };
        await tokens.insert({ _id, uid, name: `token-${_id}`, prefix, hash, ...dates }, session);
        made.push(_id);
      }
    });
    return made;
  }
}
