import { Readable } from 'node:stream';
import { Problem } from '../../domain/problems.js';
import { uploadPatience } from '../../domain/storage/uploads.js';
import { placeOf } from '../../domain/vms/stays.js';
import { unconditional } from '../../requests/precondition.js';
import { HaPolicy } from '../../schemas/hosts/ha.js';
import type { HostState } from '../../schemas/hosts/host.js';
import type { Answer } from '../../schemas/operations/question.js';
import { NewDisk } from '../../schemas/operations/vm-devices.js';
import { giveDisk, ownDisk } from '../support/own-disk.js';
import { eventually } from '../support/processes.js';
import { wildOn } from '../support/wilds.js';
import { type FailurePolicy, pair, type World } from '../support/world.js';
import { datastoreElsewhere, newImage } from '../support/world-images.js';
import { newNetwork } from '../support/world-networks.js';
import { holding } from '../support/world-steps.js';

/** A run whose history is kept. */
export type PlayedRun = { workflowId: string; runId?: string; of: 'operations' | 'ticks' };

const forever = 3_600_000;

/** Where the run of an operation is kept: the one that has it now. */
async function runOf(world: World, op: string): Promise<PlayedRun> {
  const { workflow_id: workflowId, run_id } = await world.operation(op);
  return { workflowId, of: 'operations', ...(run_id !== null && { runId: run_id }) };
}

async function ended(world: World, { op }: { op: string }): Promise<PlayedRun> {
  await world.ended(op);
  return runOf(world, op);
}

async function refused(world: World): Promise<{ id: number; op: string }> {
  world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
  const service = await world.deploy(pair);
  await world.ended(service.op);
  return service;
}

/** A disk of a VM that runs is being saved. */
async function savedDisk(world: World): Promise<{ op: string }> {
  const { id: vm, op } = await world.createVm();
  await world.ended(op);
  await giveDisk(world, vm);
  const wish = { name: `disk of ${vm}`, description: '', persistent: false };
  const { id } = await world.operations.vms.saveDisk(world.caller, { vm, disk: 0 }, wish, { requestId: 'story' });
  return { op: id };
}

/** An image is being reverted to a snapshot. */
async function revertedImage(world: World): Promise<{ op: string }> {
  const { id: op, resource } = await imageOf(world, 'http://source.test/2');
  await world.ended(op);
  const snapshots = [{ snapshot_id: 0, name: 'first', parent: null, taken_at: new Date() }];
  const $set = { snapshots: { snapshots, current: 0, snapshot_ids: 1 } };
  await world.store.images.model.updateOne({ _id: resource.id }, { $set });
  world.storage.snapshots.set(`1/${resource.id}`, [0]);
  const change = { action: 'snapshot-revert', snapshot: 0 } as const;
  const asked = world.operations.images.changeSnapshots(world.caller, resource.id, change, { requestId: 'story' });
  return { op: (await asked).id };
}

/** A disk of a VM that is off is being restored. */
async function restoredDisk(world: World): Promise<{ op: string }> {
  const { id: vm, op } = await world.createVm();
  await world.ended(op);
  await world.ended((await world.switch(vm, 'poweroff')).op);
  await giveDisk(world, vm);
  const made = await imageOf(world, 'http://source.test/2');
  await world.ended(made.id);
  const wish = { image_id: made.resource.id };
  const { id } = await world.operations.vms.restoreDisk(world.caller, { vm, disk: 0 }, wish, { requestId: 'story' });
  return { op: id };
}

const imageOf = (world: World, url: string) =>
  world.operations.images.create(
    world.caller,
    { name: `image ${Date.now()}`, description: '', type: 'OS', persistent: false, source: { url } },
    { requestId: 'story' },
  );
const uploadOf = (world: World) =>
  world.operations.images.create(
    world.caller,
    {
      ...{ name: `image ${Date.now()}`, description: '', type: 'OS', persistent: false },
      source: { upload: { bytes: 2 ** 21 } },
    },
    { requestId: 'story' },
  );
const sent = (world: World, id: number) =>
  world.operations.uploads.append(world.caller, id, {
    offset: 0,
    bytes: Readable.from([Buffer.alloc(2 ** 21)]),
    signal: AbortSignal.timeout(60_000),
  });

const madeImage = async (world: World, url: string): Promise<PlayedRun> =>
  ended(world, { op: (await imageOf(world, url)).id });

/** An app of an image, in a marketplace of its own. */
async function publishedApp(world: World): Promise<{ op: string; id: number }> {
  const name = `market ${Date.now()}`;
  const http = { base_url: 'http://market.test', public_dir: '/srv/market' };
  const wish = { name, description: '', market_mad: 'http' as const, http };
  const { id: market_id } = await world.operations.marketplaces.create(world.caller, wish);
  const { id: op, resource } = await imageOf(world, 'http://source.test/2');
  await world.ended(op);
  const told = { name, description: '', version: '1.0', tags: [], vm_template: { CPU: 1, MEMORY: 64 } };
  const app = { ...told, market_id, image_id: resource.id };
  const { id, resource: made } = await world.operations.apps.publish(world.caller, app, { requestId: 'story' });
  return { op: id, id: made.id };
}

/** An image of an app, and its VM template. */
async function exportedApp(world: World, fault?: Problem): Promise<{ op: string }> {
  const { op, id } = await publishedApp(world);
  await world.ended(op);
  world.storage.beforeEach = async (call) => {
    if (fault && call === 'bringIn') throw fault;
  };
  const wish = { name: `export ${Date.now()}` };
  return { op: (await world.operations.apps.export(world.caller, id, wish, { requestId: 'story' })).id };
}

/** A VM that its host has refused. */
async function failed(world: World): Promise<number> {
  world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
  const { id, op } = await world.createVm();
  await world.ended(op);
  return id;
}

const noImage = new Problem('deploy_refused', 'there is no such image');

/** A service whose one VM cannot be deployed at its first tries, under this failure policy. */
async function failing(
  world: World,
  tries: number,
  failure_policy: FailurePolicy,
): Promise<{ id: number; op: string }> {
  for (let nth = 1; nth <= tries; nth++) world.hypervisor.failOn(nth, { error: noImage });
  return world.deploy([
    { name: 'web', cardinality: 2, failure_policy },
    { name: 'child', parents: ['web'] },
  ]);
}

/** A run that carries out an answer. */
async function answered(world: World, reply: Answer): Promise<PlayedRun> {
  const { op } = await failing(world, 1, { finally: 'wait' });
  await world.ended(op);
  await world.answer(op, reply);
  return ended(world, { op });
}

/** The host of a VM is flushed, and the others are in this state. */
async function flushed(world: World, others: HostState): Promise<PlayedRun> {
  const { id, op } = await world.createVm();
  await world.ended(op);
  const from = placeOf(await world.vm(id))?.hid ?? -1;
  const hosts = (await world.store.hosts.all()).map(({ _id }) => _id);
  for (const host of hosts) if (host !== from) await world.store.hosts.update(host, { state: others });
  const told = await ended(world, await world.flush(from));
  for (const host of hosts) await world.store.hosts.update(host, { state: 'MONITORED' });
  await ended(world, await world.terminate(id));
  return told;
}

/** The host of a VM dies, and is turned off by a program, or called off by a person. */
async function failedOver(world: World, byPerson: boolean): Promise<PlayedRun> {
  const { id, op } = await world.createVm();
  await world.ended(op);
  const place = placeOf(await world.vm(id));
  const host = place?.hid ?? -1;
  const fencing = [{ kind: 'command' as const, program: 'off', arguments: [], timeout: 60 }];
  const ha = {
    action: 'recreate' as const,
    polls: 1_000,
    stopped: false,
    restarts: 0,
    alive: 'ask' as const,
    fencing,
    by: 0,
  };
  if (!byPerson) await world.store.hosts.update(host, { ha });
  world.powerOff(place?.hostname ?? '');
  await world.tick('monitorHosts');
  const asked = await world.failOver(host);
  if (byPerson) {
    await eventually(async () => (await world.operation(asked.op)).state === 'waiting');
    await world.operations.hosts.callFenced(world.caller, host, unconditional);
  }
  const told = await ended(world, asked);
  world.hypervisor.reach(place?.hostname ?? '');
  await world.store.hosts.update(host, { ha: null });
  await world.tick('monitorHosts');
  await world.tick('monitorHosts');
  await ended(world, await world.terminate(id));
  return told;
}

/** A host that is there for that alone is turned off and on; `goes`: whether it goes then. */
async function fenceTested(world: World, goes: boolean): Promise<PlayedRun> {
  const host = await world.addHost();
  const fencing = [{ kind: 'command' as const, program: 'off', arguments: [], timeout: 60 }];
  const ha = { ...HaPolicy.parse({ action: 'recreate', polls: 1_000 }), fencing, by: 0, methods: 'those' };
  await world.store.hosts.update(host, { state: 'DISABLED', error: null, ha });
  world.settings.powerPatience = { going: 1, booting: 30 };
  if (!goes) world.power = { ...world.usualPower, off: async () => {} };
  const told = await ended(world, await world.testFencing(host));
  world.power = world.usualPower;
  await world.operations.hosts.remove(world.caller, host, unconditional);
  return told;
}

async function booting(world: World): Promise<{ id: number; op: string }> {
  world.hypervisor.bootMilliseconds = forever;
  const service = await world.deploy(pair);
  await eventually(() => world.hypervisor.domains().some(({ labels }) => labels.service === service.id));
  return service;
}

/** Roles that are booted together, of which one is slow as long as the hypervisor is not told otherwise. */
async function slowBesideQuick(world: World): Promise<{ id: number; op: string }> {
  world.hypervisor.beforeEach = async ({ call, vm }) => {
    if (call !== 'deploy' || vm === null || (await world.vm(vm)).service?.role !== 'slow') return;
    throw new Problem('backend_unavailable', 'the rack has no power');
  };
  return world.deploy([{ name: 'quick' }, { name: 'slow' }, { name: 'child', parents: ['quick'] }]);
}

/** A role is given another number of VMs. */
const scaled = async (world: World, from: number, to: number): Promise<{ id: number; op: string }> =>
  world.scale((await world.running([{ name: 'web', cardinality: from }])).id, 'web', to);

/** A role whose new VMs do not come up. */
async function growing(world: World): Promise<{ id: number; op: string }> {
  const { id } = await world.running([{ name: 'web' }]);
  world.hypervisor.bootMilliseconds = 3_600_000;
  const { op } = await world.scale(id, 'web', 3);
  await eventually(async () => (await world.vms(id)).some(({ lcm_state }) => lcm_state === 'BOOT'));
  world.hypervisor.bootMilliseconds = 0;
  return { id, op };
}

/** A service with a network that is reserved of another one. */
async function onOwnNetwork(world: World, name: string, ip: string): Promise<{ id: number; op: string }> {
  const reserve_from = await newNetwork(world, name, ip, 8);
  return world.deploy(
    [{ name: 'only', vm_template_contents: 'NIC=[NETWORK_ID="$Own"]' }],
    { deployment: 'none', networks: { Own: 'M|network|For its VMs' } },
    { networks: { Own: { reserve_from, size: 4 } } },
  );
}

/** What is recorded: each story a run that takes its own way through its workflow's code. */
export const stories: Record<string, (world: World) => Promise<PlayedRun>> = {
  'deploy-service': async (world) => ended(world, await world.deploy(pair)),
  'deploy-service-all-at-once': async (world) => ended(world, await world.deploy(pair, { deployment: 'none' })),
  'deploy-service-on-hold': async (world) =>
    ended(
      world,
      await world.deploy([{ name: 'db', on_hold: true }, { name: 'web', parents: ['db'] }, { name: 'free' }]),
    ),
  'deploy-service-released': async (world) => {
    const { id, op } = await world.deploy(pair, { deployment: 'straight', on_hold: true });
    await world.ended(op);
    return ended(world, await world.release(id));
  },
  'deploy-service-refused': async (world) => ended(world, await refused(world)),
  'deploy-service-recovered': async (world) => ended(world, await world.recover((await refused(world)).id)),
  'deploy-service-ready-gate': async (world) => {
    const service = await world.deploy([{ name: 'only' }], { deployment: 'none', ready_status_gate: true });
    await eventually(async () => (await world.operation(service.op)).waiting_for !== null);
    for (const vm of await world.vms(service.id)) await world.report(vm._id);
    return ended(world, service);
  },
  'deploy-service-waits-for-capacity': async (world) => {
    const service = await world.deploy([{ name: 'small' }, { name: 'large', cpu: 2_000 }], { deployment: 'none' });
    await eventually(async () => (await world.vms(service.id, 'large'))[0]?.reason);
    await world.addHost({ cpu: 2_500 });
    return ended(world, service);
  },
  'deploy-service-slow-beside-quick': async (world) => {
    const service = await slowBesideQuick(world);
    await eventually(async () =>
      (await world.service(service.id)).roles.some(({ name, state }) => name === 'child' && state === 'RUNNING'),
    );
    world.hypervisor.beforeEach = () => {};
    return ended(world, service);
  },
  'deploy-service-many-roles': async (world) =>
    ended(
      world,
      await world.deploy(
        Array.from({ length: 120 }, (_, at) => ({ name: `r${at}`, ...(at % 7 === 3 && { parents: [`r${at - 1}`] }) })),
      ),
    ),
  'deploy-service-with-networks': async (world) => ended(world, await onOwnNetwork(world, 'story-1', '10.77.1.1')),
  'undeploy-service-with-networks': async (world) => {
    const { id, op } = await onOwnNetwork(world, 'story-2', '10.77.2.1');
    await world.ended(op);
    return ended(world, await world.undeploy(id));
  },
  'deploy-service-cancelled': async (world) => {
    const { op } = await booting(world);
    const { workflowId } = await runOf(world, op);
    const run = await world.engine.latestRun(workflowId);
    await world.engine.cancel(workflowId, { firstRunId: run?.firstRunId ?? '' });
    return ended(world, { op });
  },
  'deploy-service-pre-empted': async (world) => {
    const service = await booting(world);
    await ended(world, await world.undeploy(service.id));
    return runOf(world, service.op);
  },
  'deploy-service-in-slices': async (world) =>
    ended(world, await world.deploy([{ name: 'web', cardinality: 12 }, { name: 'db' }], { deployment: 'none' })),
  'deploy-service-broken-off': async (world) => {
    for (let nth = 1; nth <= 12; nth++) world.hypervisor.failOn(nth, { error: noImage });
    return ended(world, await world.deploy([{ name: 'web', cardinality: 12 }]));
  },
  'deploy-service-after-removals': async (world) => {
    world.hypervisor.beforeEach = ({ call }) => {
      if (call === 'deploy') throw noImage;
      if (call === 'destroy') throw new Problem('destroy_refused', 'the disk is locked');
    };
    const { id, op } = await world.deploy([{ name: 'web' }]);
    await world.ended(op);
    await world.ended((await world.recover(id)).op);
    world.hypervisor.beforeEach = () => {};
    return ended(world, await world.recover(id));
  },
  'deploy-service-retries': async (world) => ended(world, await failing(world, 3, { retries: 2 })),
  'deploy-service-replaces': async (world) => ended(world, await failing(world, 3, { retries: 1, replacements: 1 })),
  'deploy-service-asks': async (world) => ended(world, await failing(world, 1, { finally: 'wait' })),
  'deploy-service-answered-retry': async (world) => answered(world, 'retry'),
  'deploy-service-answered-skip': async (world) => answered(world, 'skip'),
  'deploy-service-given-up': async (world) => answered(world, 'give_up'),
  'repair-service': async (world) => {
    const { id } = await world.running(pair);
    await world.failed(id, (vm) => vm.service?.role === 'front' && vm.service.ordinal === 0);
    return ended(world, await world.repair(id));
  },
  'repair-service-lost': async (world) => {
    const { id } = await world.running(pair);
    const vms = await world.vms(id);
    const host = vms[0]?.history.at(-1)?.hostname ?? '';
    world.hypervisor.cutOff(host);
    await world.tick('monitorHosts');
    await world.tick('monitorHosts');
    const repair = await ended(world, await world.repair(id));
    world.hypervisor.reach(host);
    return repair;
  },
  'repair-service-refused': async (world) => {
    const { id } = await world.running([{ name: 'only', cardinality: 2 }]);
    await world.failed(id, (vm) => vm.service?.ordinal === 0);
    world.hypervisor.beforeEach = ({ call }) => {
      if (call === 'deploy') throw noImage;
    };
    const repair = await ended(world, await world.repair(id));
    world.hypervisor.beforeEach = () => {};
    return repair;
  },
  'scale-role-up': async (world) => ended(world, await scaled(world, 2, 4)),
  'scale-role-in-slices': async (world) => ended(world, await scaled(world, 1, 15)),
  'scale-role-broken-off': async (world) => {
    const { id } = await world.running([{ name: 'only' }]);
    for (let nth = 2; nth <= 29; nth++) world.hypervisor.failOn(nth, { error: noImage });
    return ended(world, await world.scale(id, 'only', 30));
  },
  'scale-role-down': async (world) => ended(world, await scaled(world, 3, 1)),
  'scale-role-refused': async (world) => {
    const { id } = await world.running([{ name: 'only' }]);
    world.hypervisor.failOn(1, { error: noImage });
    return ended(world, await world.scale(id, 'only', 3));
  },
  'scale-role-waits-for-capacity': async (world) => {
    await world.addHost({ cpu: 5_000 });
    const { id } = await world.running([{ name: 'large', cpu: 4_000 }]);
    const asked = await world.scale(id, 'large', 2);
    await eventually(async () => (await world.operation(asked.op)).waiting_for !== null);
    await world.addHost({ cpu: 5_000 });
    return ended(world, asked);
  },
  'scale-role-ready-gate': async (world) => {
    const service = await world.deploy([{ name: 'only' }], { deployment: 'none', ready_status_gate: true });
    const report = async (op: string) => {
      await eventually(async () => (await world.operation(op)).waiting_for !== null);
      for (const vm of await world.vms(service.id)) await world.report(vm._id);
    };
    await report(service.op);
    await world.ended(service.op);
    const asked = await world.scale(service.id, 'only', 2);
    await report(asked.op);
    return ended(world, asked);
  },
  'scale-role-added': async (world) => {
    const { id } = await world.running([{ name: 'web' }]);
    return ended(world, await world.addRole(id, { name: 'cache', cardinality: 2 }));
  },
  'scale-role-removed': async (world) => {
    const { id } = await world.running([{ name: 'web' }, { name: 'cache', cardinality: 2 }]);
    return ended(world, await world.removeRole(id, 'cache'));
  },
  'perform-on-role': async (world) => {
    const { id } = await world.running([{ name: 'web', cardinality: 3 }]);
    return ended(world, await world.perform(id, 'web', { action: 'recreate', number: 2, period: 1 }));
  },
  'perform-on-role-refused': async (world) => {
    const { id } = await world.running([{ name: 'web', cardinality: 2 }]);
    return ended(world, await world.perform(id, 'web', { action: 'resume' }));
  },
  'scale-role-cancelled': async (world) => {
    const { op } = await growing(world);
    await world.cancel(op);
    return ended(world, { op });
  },
  'scale-role-pre-empted': async (world) => {
    const { id, op } = await growing(world);
    await ended(world, await world.undeploy(id));
    await world.ended(op);
    return runOf(world, op);
  },
  'scale-role-waits-for-a-vm': async (world) => {
    const { id } = await world.running([{ name: 'only', cardinality: 2 }]);
    const [vm] = await world.vms(id);
    await world.store.vms.model.updateOne({ _id: vm?._id }, { $set: { hold: { op: 'other', epoch: 1, attempt: 0 } } });
    const asked = await world.scale(id, 'only', 0, { force: true });
    await eventually(() => world.steps.done().includes('retakeVictims'));
    await world.store.vms.model.updateOne({ _id: vm?._id }, { $set: { hold: null } });
    return ended(world, asked);
  },
  'undeploy-service': async (world) => ended(world, await world.undeploy((await world.running(pair)).id)),
  'undeploy-service-pre-empting': async (world) => ended(world, await world.undeploy((await booting(world)).id)),
  'undeploy-service-refused': async (world) => {
    const { id } = await world.running(pair);
    world.hypervisor.failOn(1, { error: new Problem('destroy_refused', 'the disk is locked') });
    return ended(world, await world.undeploy(id));
  },
  'undeploy-service-deletes': async (world) => ended(world, await world.remove((await world.running(pair)).id)),
  'undeploy-service-waits-for-a-vm': async (world) => {
    const { id } = await world.running([{ name: 'only', cardinality: 2 }]);
    const [vm] = await world.vms(id);
    const held = holding('destroyVms');
    world.steps.watch(held.around);
    await world.terminate(vm?._id ?? -1);
    await held.reached;
    const asked = await world.undeploy(id);
    await eventually(() => world.steps.done().includes('startRoleRemovals'));
    held.release();
    return ended(world, asked);
  },
  'deploy-vm': async (world) => ended(world, await world.createVm()),
  'deploy-vm-brings': async (world) => {
    const image = await newImage(world, `far ${Date.now()}`, { datastore_id: await datastoreElsewhere(world) });
    const template = { DISK: [{ IMAGE_ID: image }] };
    const request = { template_id: await world.vmTemplate(), template };
    const { id: op } = await world.operations.vms.create(world.caller, request, { requestId: 'story' });
    return ended(world, { op });
  },
  'change-devices-brings': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    const image = await newImage(world, `far ${Date.now()}`, { datastore_id: await datastoreElsewhere(world) });
    return ended(world, await world.changeDevices(id, { action: 'disk-attach', disk: NewDisk.parse({ image }) }));
  },
  'deploy-vm-refused': async (world) => {
    world.hypervisor.failOn(1, { error: new Problem('deploy_refused', 'there is no such image') });
    return ended(world, await world.createVm());
  },
  'deploy-vm-again': async (world) => {
    world.hypervisor.failOn(1, { error: noImage });
    const { op } = await world.createVm();
    await world.ended(op);
    return ended(world, await world.retry(op));
  },
  'deploy-vm-recreated': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    return ended(world, await world.recoverVm(id, 'recreate'));
  },
  'recover-vm': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    await world.store.vms.model.updateOne({ _id: id }, { $set: { lcm_state: 'UNKNOWN' } });
    world.hypervisor.bringDown(id, 'stopped');
    return ended(world, await world.recoverVm(id, 'failure'));
  },
  'recover-vm-contradicted': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    await world.store.vms.model.updateOne({ _id: id }, { $set: { lcm_state: 'UNKNOWN' } });
    return ended(world, await world.recoverVm(id, 'failure'));
  },
  'deploy-vm-parked': async (world) => {
    const { op } = await world.createVm({ cpu: 4_000 });
    await eventually(async () => (await world.operation(op)).state === 'waiting');
    const told = await runOf(world, op);
    await eventually(async () => (await world.engine.latestRun(told.workflowId))?.status === 'completed');
    return told;
  },
  'debug-vm': async (world) => ended(world, await world.debug(await failed(world), 'run')),
  'debug-vm-refused': async (world) => {
    const id = await failed(world);
    await world.ended((await world.debug(id, 'skip')).op);
    world.hypervisor.failVm(id, { error: new Problem('deploy_refused', 'there is no such image') });
    return ended(world, await world.debug(id, 'run'));
  },
  'perform-on-vm': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    return ended(world, await world.switch(id, 'suspend'));
  },
  'stop-vm': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    return ended(world, await world.switch(id, 'stop'));
  },
  'resume-stopped': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    await world.ended((await world.switch(id, 'stop')).op);
    return ended(world, await world.resume(id));
  },
  'migrate-vm': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    return ended(world, await world.migrate(id));
  },
  'change-devices': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    await newNetwork(world, 'public', '10.0.0.1', 4);
    return ended(world, await world.changeDevices(id, { action: 'nic-attach', nic: { network: 'public' } }));
  },
  'change-devices-refused': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    await newNetwork(world, 'public', '10.0.0.1', 4);
    const error = new Problem('action_refused', 'it has no slot left');
    world.hypervisor.failVm(id, { call: 'attachNic', error });
    return ended(world, await world.changeDevices(id, { action: 'nic-attach', nic: { network: 'public' } }));
  },
  'migrate-vm-refused': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    world.hypervisor.failVm(id, { call: 'migrate', error: new Problem('action_refused', 'its processor is another') });
    return ended(world, await world.migrate(id, { live: true }));
  },
  'import-vm': async (world) => {
    const { host, deployId } = await wildOn(world);
    const asked = await world.importWild(host, deployId);
    const told = await ended(world, asked);
    await ended(world, await world.terminate(asked.id));
    return told;
  },
  'import-vm-given-back': async (world) => {
    const { host, deployId, ends } = await wildOn(world);
    await ends();
    return ended(world, await world.importWild(host, deployId));
  },
  'create-image': (world) => madeImage(world, 'http://source.test/2'),
  'create-image-refused': (world) => {
    world.storage.beforeEach = async () => {
      throw new Problem('source_refused', 'http://source.test answered 404');
    };
    return madeImage(world, 'http://source.test/2').finally(() => {
      world.storage.beforeEach = async () => {};
    });
  },
  'create-image-cancelled': async (world) => {
    world.storage.pieceMilliseconds = forever;
    const { id: op } = await imageOf(world, 'http://source.test/2');
    await eventually(async () => (await world.operation(op)).state === 'running');
    await world.cancel(op);
    world.storage.pieceMilliseconds = 0;
    return ended(world, { op });
  },
  'create-image-uploaded': async (world) => {
    const { id: op, resource } = await uploadOf(world);
    await sent(world, resource.id);
    return ended(world, { op });
  },
  'create-image-given-up': async (world) => {
    const { id: op, resource } = await uploadOf(world);
    await eventually(async () => (await world.operation(op)).state === 'running');
    const at = new Date(Date.now() - uploadPatience - 1_000);
    await world.store.images.model.updateOne({ _id: resource.id }, { $set: { 'upload.at': at } });
    await world.engine.signal(`image-${resource.id}`, 'uploadChanged');
    return ended(world, { op });
  },
  'clone-image': async (world) => {
    const { id: op, resource } = await imageOf(world, 'http://source.test/2');
    await world.ended(op);
    const wish = { name: `copy of ${resource.name}` };
    const { id } = await world.operations.images.clone(world.caller, resource.id, wish, { requestId: 'story' });
    return ended(world, { op: id });
  },
  'resize-image': async (world) => {
    const { id: op, resource } = await imageOf(world, 'http://source.test/2');
    await ended(world, { op });
    const asked = world.operations.images.resize(world.caller, resource.id, { size_mb: 4 }, { requestId: 'story' });
    return ended(world, { op: (await asked).id });
  },
  'snapshot-image': async (world) => {
    const { op } = await revertedImage(world);
    return ended(world, { op });
  },
  'snapshot-image-failed': async (world) => {
    world.storage.beforeEach = async (call) => {
      if (call === 'snapshotImage') throw new Problem('datastore_full', 'there is no room for it');
    };
    const { op } = await revertedImage(world);
    const end = await ended(world, { op });
    world.storage.beforeEach = async () => {};
    return end;
  },
  'publish-app': async (world) => ended(world, await publishedApp(world)),
  'publish-app-failed': async (world) => {
    world.market.beforeEach = async (call) => {
      if (call === 'publish') throw new Problem('datastore_full', 'there is no room for it');
    };
    const { op } = await publishedApp(world);
    const end = await ended(world, { op });
    world.market.beforeEach = async () => {};
    return end;
  },
  'export-app': async (world) => ended(world, await exportedApp(world)),
  'export-app-failed': async (world) => {
    const fault = new Problem('image_refused', 'its SHA-256 is another one');
    const end = await ended(world, await exportedApp(world, fault));
    world.storage.beforeEach = async () => {};
    return end;
  },
  'delete-app': async (world) => {
    const { op, id } = await publishedApp(world);
    await world.ended(op);
    const { id: removal } = await world.operations.apps.remove(world.caller, id, { requestId: 'story' });
    return ended(world, { op: removal });
  },
  'save-disk': async (world) => {
    const { op } = await savedDisk(world);
    return ended(world, { op });
  },
  'save-disk-failed': async (world) => {
    world.storage.beforeEach = async (call) => {
      if (call === 'saveDisk') throw new Problem('datastore_full', 'there is no room for it');
    };
    const { op } = await savedDisk(world);
    const end = await ended(world, { op });
    world.storage.beforeEach = async () => {};
    return end;
  },
  'save-disk-cancelled': async (world) => {
    world.steps.watch((step, run) => (step.name === 'fillImage' ? step.cancelled : run()));
    const { op } = await savedDisk(world);
    await eventually(() => world.steps.names().includes('fillImage'));
    await world.cancel(op);
    return ended(world, { op });
  },
  'save-disks-backup': async (world) => {
    const { id: vm, op } = await world.createVm();
    await world.ended(op);
    await giveDisk(world, vm);
    const disks = [ownDisk, { ...ownDisk, disk_id: 1, target: 'vdb' }];
    await world.store.vms.model.updateOne({ _id: vm }, { $set: { disks } });
    await world.storage.disks.calls.makeDisk(
      { vm, disk: 1, datastore: { id: 0, ds_mad: 'fs' }, epoch: 1 },
      { empty: { format: 'qcow2', size: 3 * 2 ** 20 }, content: 'none' },
      new AbortController().signal,
    );
    const yearly = { action: 'disk-saveas', recurrence: '0 0 29 2 *', keep: 1 } as const;
    await world.operations.vmSchedules.add(world.caller, vm, yearly, unconditional);
    const past = new Date(Date.now() - 60_000);
    const due = { 'schedule.due_at': past, 'schedule.of.0.next_at': past };
    await world.store.vms.model.updateOne({ _id: vm }, { $set: due });
    await world.reconcile();
    const { schedules } = await world.operations.vmSchedules.show(world.caller, vm);
    return ended(world, { op: schedules[0]?.last?.operation ?? '' });
  },
  'restore-disk': async (world) => {
    const { op } = await restoredDisk(world);
    return ended(world, { op });
  },
  'restore-disk-failed': async (world) => {
    world.storage.disks.beforeEach = async (call) => {
      if (call === 'restoreDisk') throw new Problem('datastore_full', 'there is no room for it');
    };
    const { op } = await restoredDisk(world);
    const end = await ended(world, { op });
    world.storage.disks.beforeEach = async () => {};
    return end;
  },
  'restore-disk-cancelled': async (world) => {
    world.steps.watch((step, run) => (step.name === 'restoreDisk' ? step.cancelled : run()));
    const { op } = await restoredDisk(world);
    await eventually(() => world.steps.names().includes('restoreDisk'));
    await world.cancel(op);
    return ended(world, { op });
  },
  'delete-image': async (world) => {
    const { id: op, resource } = await imageOf(world, 'http://source.test/2');
    await world.ended(op);
    const { id } = await world.operations.images.remove(world.caller, resource.id, { requestId: 'story' });
    return ended(world, { op: id });
  },
  'failover-host': (world) => failedOver(world, false),
  'failover-host-fenced': (world) => failedOver(world, true),
  'test-fencing': (world) => fenceTested(world, true),
  'test-fencing-fails': (world) => fenceTested(world, false),
  'flush-host': (world) => flushed(world, 'MONITORED'),
  'flush-host-stays': (world) => flushed(world, 'DISABLED'),
  'deploy-vm-restored': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    await world.ended((await world.switch(id, 'suspend')).op);
    return ended(world, await world.resume(id));
  },
  'terminate-vm': async (world) => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    return ended(world, await world.terminate(id));
  },
  'terminate-vm-waits': async (world) => {
    const { id } = await booting(world);
    const [vm] = await world.vms(id);
    const asked = await world.terminate(vm?._id ?? -1);
    await eventually(() => world.steps.names().filter((name) => name === 'takeForRemoval').length > 1);
    await ended(world, await world.remove(id));
    return ended(world, asked);
  },
  'hand-over': async (world) => {
    const { op } = await world.undeploy((await booting(world)).id);
    await world.ended(op);
    return { workflowId: `hand-over-${op}`, of: 'ticks' };
  },
  placement: async (world) => {
    await world.engine.signalPlacement();
    await eventually(async () => (await world.engine.latestRun('placement'))?.status === 'completed');
    return { workflowId: 'placement', of: 'operations' };
  },
  'check-consistency': async (world) => {
    const { id } = await world.operations.consistency.start(world.caller, { repair: false }, { requestId: 'test' });
    return ended(world, { op: id });
  },
  'check-consistency-repairs': async (world) => {
    const { id: service } = await world.running(pair);
    const [vm] = await world.vms(service);
    world.hypervisor.lose(vm?._id ?? -1);
    const { id } = await world.operations.consistency.start(world.caller, { repair: true }, { requestId: 'test' });
    return ended(world, { op: id });
  },
  'check-consistency-images': async (world) => {
    const wish = { description: '', type: 'DATABLOCK', persistent: false } as const;
    const source = { empty: { size_mb: 1, format: 'raw' as const } };
    const made = await world.operations.images.create(
      world.caller,
      { ...wish, name: 'empty', source },
      { requestId: 'test' },
    );
    await world.ended(made.id);
    await world.store.images.model.updateOne({ _id: made.resource.id }, { $set: { operation: 'NONE' } });
    world.storage.staged.set('1/7000', 2 ** 20);
    const { id } = await world.operations.consistency.start(world.caller, { repair: true }, { requestId: 'test' });
    return ended(world, { op: id });
  },
  'check-consistency-markets': async (world) => {
    const { op, id } = await publishedApp(world);
    await world.ended(op);
    await world.store.apps.model.updateOne({ _id: id }, { $set: { exports: ['NONE'] } });
    const { id: check } = await world.operations.consistency.start(
      world.caller,
      { repair: true },
      { requestId: 'test' },
    );
    return ended(world, { op: check });
  },
  reconcile: async (world) => ({ workflowId: await world.tick('reconcile'), of: 'ticks' }),
  'evaluate-policies': async (world) => ({ workflowId: await world.tick('evaluatePolicies'), of: 'ticks' }),
  'monitor-marketplaces': async (world) => ({ workflowId: await world.tick('monitorMarketplaces'), of: 'ticks' }),
  'monitor-datastores': async (world) => ({ workflowId: await world.tick('monitorDatastores'), of: 'ticks' }),
  'monitor-hosts': async (world) => ({ workflowId: await world.tick('monitorHosts'), of: 'ticks' }),
};
