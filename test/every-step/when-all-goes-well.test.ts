import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { storage } from '../../adapters/hypervisor/simulated/simulated.js';
import { isArmed } from '../../domain/failover/armed.js';
import { placeOf } from '../../domain/vms/stays.js';
import { isVmRunning } from '../../domain/vms/vm-states.js';
import { unconditional } from '../../requests/precondition.js';
import { HaPolicy } from '../../schemas/hosts/ha.js';
import { type Deed, everyStep } from '../support/every-step.js';
import { type PlantedWild, wildOn } from '../support/wilds.js';
import { newWorld, pair, type World } from '../support/world.js';
import { newImage } from '../support/world-images.js';
import { leasesOf, newNetwork } from '../support/world-networks.js';
import { development } from '../support/world-server.js';

let world: World;
let planted: PlantedWild;
let system: number;
let backbone: number;
let isolated: number;
/** A host that takes no VMs. */
let untaken: number | undefined;
beforeAll(async () => {
  world = await newWorld({ server: development });
  await newNetwork(world, 'public', '10.0.0.1', 4_096);
  backbone = await newNetwork(world, 'backbone', '10.1.0.1', 4_096);
  const template = { name: 'isolated', vn_mad: 'vxlan', phydev: 'eth0' } as const;
  const address_ranges = [{ type: 'ETHER' as const, size: 64 }];
  isolated = (await world.operations.networkTemplates.create(world.caller, { ...template, address_ranges })).id;
  system = await newImage(world, 'system');
  // Whatever is done to a VM is done to one that has a disk of an image, and one of its own, and whose guest is told something.
  world.inTemplates = { DISK: [{ IMAGE_ID: system }, { TYPE: 'swap', SIZE: 4 }], CONTEXT: { NETWORK: 'YES' } };
});
afterAll(() => world.stop());

/**
 * What tries leave running, once all is as it should be: others begin from it. To make something for each of them anew
 * took as long as what is tried.
 */
const left = { services: [] as number[], vms: [] as number[] };

/** A service with networks of its own, one reserved and one of a template, which are made before its VMs and go after them. */
const networked = (): Parameters<World['deploy']> => [
  pair.map((role) => ({ ...role, vm_template_contents: 'NIC=[NETWORK_ID="$Own"]\nNIC=[NETWORK_ID="$Apart"]' })),
  { deployment: 'straight', networks: { Own: 'M|network|For its VMs', Apart: 'M|network|For them alone' } },
  { networks: { Own: { reserve_from: backbone, size: 5 }, Apart: { template_id: isolated } } },
];

const runningService = async (): Promise<number> => left.services.pop() ?? (await world.running(...networked())).id;

/** What was made for a service of the network that it asked for, which is what the service says of it. */
async function networkOf(service: number) {
  const [said, apart] = (await world.store.services.find(service))?.networks ?? [];
  const made = await world.store.networks.model.find({ service }).sort({ _id: 1 }).lean();
  expect(apart?.template?.made).toBe(said?.reserved?.made);
  const taken = await world.store.leases.model.countDocuments({
    'holder.type': 'network',
    'holder.id': said?.id ?? -1,
  });
  expect({ made: made.map(({ _id }) => _id), taken }).toEqual(
    said?.reserved?.made ? { made: [said.id, apart?.id], taken: 5 } : { made: [], taken: 0 },
  );
  return said;
}

async function runningVm(): Promise<number> {
  for (let spare = left.vms.pop(); spare !== undefined; spare = left.vms.pop())
    if ((await vmState(spare)) === 'RUNNING') return spare;
  const { id: vm, op } = await world.createVm();
  expect((await world.ended(op)).state).toBe('succeeded');
  return vm;
}

async function stoppedVm(): Promise<number> {
  const vm = await runningVm();
  expect((await world.ended((await world.switch(vm, 'stop')).op)).state).toBe('succeeded');
  return vm;
}

const leavesService = (service: number): void => {
  left.services.push(service);
};
const leavesVm = (vm: number): void => {
  left.vms.push(vm);
};

const id = (known: number | null): number => {
  if (known === null) throw new Error('the deed begins from a resource');
  return known;
};

async function serviceRuns(service: number): Promise<void> {
  const { state, roles } = await world.service(service);
  expect({ state, roles: roles.map((role) => role.state) }).toEqual({
    state: 'RUNNING',
    roles: ['RUNNING', 'RUNNING'],
  });
  const vms = await world.vms(service);
  expect(vms.filter(isVmRunning)).toHaveLength(4);
  expect(vms).toHaveLength(4);
  for (const { _id, service: place } of vms) expect(world.hypervisor.timesMade(_id), `VM ${place?.ordinal}`).toBe(1);
  await networkOf(service);
  const its = (await world.store.services.find(service))?.networks?.map(({ id }) => id);
  for (const { _id } of vms) expect((await leasesOf(world, _id)).map(([, of]) => of)).toEqual(its);
}

async function serviceIsGone(service: number, document: 'stays' | 'goes'): Promise<void> {
  expect(await world.vms(service)).toEqual([]);
  const found = await world.store.services.find(service);
  expect(found?.state).toBe(document === 'stays' ? 'DONE' : undefined);
  expect((await networkOf(service))?.reserved?.made ?? false).toBe(false);
}

/** The state, and what the roles that the cancel met say of themselves. */
async function cancelledService(service: number): Promise<string> {
  const { state, roles } = await world.service(service);
  const met = roles.filter((role) => role.state.startsWith('FAILED')).map(({ reason }) => reason);
  const network = await networkOf(service);
  // It is undone with a deployment that has made no VM, and stays for those that there are.
  if (network && state === 'FAILED_DEPLOYING')
    expect(network.reserved?.made).toBe((await world.vms(service)).length > 0);
  return [state, ...met].join(' ');
}

const serviceState = async (service: number): Promise<string> => (await world.service(service)).state;

async function vmState(vm: number): Promise<string> {
  const { state, lcm_state } = await world.vm(vm);
  return state === 'ACTIVE' ? lcm_state : state;
}

const nicAttach = { action: 'nic-attach', nic: { network: 'public' } } as const;
/** What its host has, which is what is written. */
async function nicsOf(vm: number): Promise<number[]> {
  const there = world.hypervisor.domains().find((domain) => domain.vm === vm)?.devices.nics ?? [];
  const ids = there.map(({ nic_id }) => nic_id);
  expect(((await world.vm(vm)).nics ?? []).map(({ nic_id }) => nic_id)).toEqual(ids);
  expect((await leasesOf(world, vm)).map(([nic_id]) => nic_id)).toEqual(ids);
  return ids;
}

const diskAttach = () => ({ action: 'disk-attach', disk: { image: system } }) as const;
/** What its host has, which is what is written, and what lies in its datastore. */
async function disksOf(vm: number): Promise<number[]> {
  const there = world.hypervisor.domains().find((domain) => domain.vm === vm)?.devices.disks ?? [];
  const ids = there.map(({ disk_id }) => disk_id);
  expect(((await world.vm(vm)).disks ?? []).map(({ disk_id }) => disk_id)).toEqual(ids);
  const kept = world.storage.disks.in(0).flatMap((disk) => (disk.vm === vm ? [disk.disk] : []));
  expect(kept.sort((one, other) => one - other)).toEqual(ids);
  return ids;
}

/** A VM that goes to the other host, and back again for the next try. */
const migration = (live: boolean): Deed => {
  const where = async (vm: number) => placeOf(await world.vm(vm))?.hid;
  const from = new Map<number, number | undefined>();
  return {
    prepare: async () => {
      const vm = await runningVm();
      from.set(vm, await where(vm));
      return vm;
    },
    ask: (vm) => world.migrate(id(vm), { live }),
    again: async (vm) => ((await where(vm)) === from.get(vm) ? world.migrate(vm, { live }) : null),
    arrived: async (vm) => {
      expect(await vmState(vm)).toBe('RUNNING');
      expect(await where(vm)).not.toBe(from.get(vm));
      expect((await world.vm(vm)).moving ?? null).toBeNull();
      expect(world.hypervisor.timesMade(vm)).toBe(1);
    },
    leaves: leavesVm,
    cancelled: vmState,
    // What was on its way is looked for before the operation ends.
    afterCancel: /^RUNNING$/,
    stops: 0,
  };
};

/** Those that leave something running before those that end it. */
const deeds: Record<string, Deed> = {
  deployService: {
    prepare: async () => null,
    ask: () => world.deploy(...networked()),
    again: async (service) => ((await serviceState(service)) === 'RUNNING' ? null : world.recover(service)),
    arrived: serviceRuns,
    leaves: leavesService,
    cancelled: cancelledService,
    afterCancel: /^FAILED_DEPLOYING( cancelled)?$/,
  },
  repairService: {
    prepare: async () => {
      const service = await runningService();
      // The first of each role, so that a repair may stop between the two.
      const firsts = new Map((await world.vms(service)).toReversed().map((vm) => [vm.service?.role, vm._id]));
      await world.failed(service, ({ _id }) => [...firsts.values()].includes(_id));
      return service;
    },
    ask: (service) => world.repair(id(service)),
    again: async (service) => ((await serviceState(service)) === 'RUNNING' ? null : world.repair(service)),
    arrived: serviceRuns,
    leaves: leavesService,
    cancelled: cancelledService,
    afterCancel: /^WARNING$/,
    stops: 0,
  },
  undeployService: {
    prepare: runningService,
    ask: (service) => world.undeploy(id(service)),
    again: async (service) => {
      const state = await serviceState(service);
      if (state === 'DONE') return null;
      return state === 'RUNNING' ? world.undeploy(service) : world.recover(service);
    },
    arrived: (service) => serviceIsGone(service, 'stays'),
    cancelled: cancelledService,
    afterCancel: /^FAILED_UNDEPLOYING( cancelled)?$/,
  },
  'undeployService of a deletion': {
    prepare: async () => (await world.running([{ name: 'only' }])).id,
    ask: (service) => world.remove(id(service)),
    again: async (service) => ((await world.store.services.find(service)) === null ? null : world.remove(service)),
    arrived: (service) => serviceIsGone(service, 'goes'),
    cancelled: cancelledService,
    afterCancel: /^FAILED_UNDEPLOYING( cancelled)?$/,
    stops: 0,
  },
  deployVm: {
    prepare: async () => null,
    ask: () => world.createVm(),
    again: async (vm) => ((await vmState(vm)) === 'RUNNING' ? null : world.terminate(vm)),
    arrived: async (vm) => {
      expect(['RUNNING', 'DONE']).toContain(await vmState(vm));
      expect(world.hypervisor.timesMade(vm)).toBeLessThanOrEqual(1);
    },
    leaves: leavesVm,
    cancelled: vmState,
    // A step that cannot stop half-way ends before the cancel is heeded.
    afterCancel: /^(PENDING|PROLOG_FAILURE|BOOT_FAILURE)$/,
    stops: 0,
  },
  recoverVm: {
    prepare: async () => {
      const vm = await runningVm();
      await world.store.vms.model.updateOne({ _id: vm }, { $set: { lcm_state: 'UNKNOWN' } });
      return vm;
    },
    ask: (vm) => world.recoverVm(id(vm), 'success'),
    again: async (vm) => ((await vmState(vm)) === 'RUNNING' ? null : world.recoverVm(vm, 'success')),
    arrived: async (vm) => expect(await vmState(vm)).toBe('RUNNING'),
    leaves: leavesVm,
    cancelled: vmState,
    afterCancel: /^(RUNNING|UNKNOWN)$/,
    stops: 0,
  },
  'deployVm that recreates': {
    prepare: runningVm,
    ask: (vm) => world.recoverVm(id(vm), 'recreate'),
    again: async (vm) => ((await vmState(vm)) === 'RUNNING' ? null : world.recoverVm(vm, 'retry')),
    arrived: async (vm) => expect(await vmState(vm)).toBe('RUNNING'),
    leaves: leavesVm,
    cancelled: vmState,
    afterCancel: /^(RUNNING|UNKNOWN|PENDING|PROLOG_FAILURE|BOOT_FAILURE)$/,
    stops: 0,
  },
  performOnVm: {
    prepare: runningVm,
    ask: (vm) => world.switch(id(vm), 'undeploy'),
    again: async (vm) => {
      const state = await vmState(vm);
      if (state === 'UNDEPLOYED') return null;
      if (state === 'UNKNOWN') await world.tick('monitorHosts');
      return world.switch(vm, 'undeploy');
    },
    arrived: async (vm) => {
      expect(await world.vm(vm)).toMatchObject({ state: 'UNDEPLOYED', hold: null, operation: null, reason: null });
      expect(world.hypervisor.domains().filter((domain) => domain.vm === vm)).toEqual([]);
    },
    cancelled: vmState,
    afterCancel: /^(RUNNING|UNKNOWN)$/,
    stops: 0,
  },
  'performOnVm stop': {
    prepare: runningVm,
    ask: (vm) => world.switch(id(vm), 'stop'),
    again: async (vm) => {
      const state = await vmState(vm);
      if (state === 'STOPPED') return null;
      if (state === 'UNKNOWN') await world.tick('monitorHosts');
      return world.switch(vm, 'stop');
    },
    arrived: async (vm) => {
      expect(await world.vm(vm)).toMatchObject({ state: 'STOPPED', hold: null, operation: null, reason: null });
      const kept = world.hypervisor.domains().filter((domain) => domain.vm === vm);
      expect(kept).toMatchObject([{ host: storage.name, down: 'suspended' }]);
    },
    cancelled: vmState,
    afterCancel: /^(RUNNING|UNKNOWN|EPILOG_STOP_FAILURE)$/,
    stops: 0,
  },
  'deployVm of what was stopped': {
    prepare: stoppedVm,
    ask: (vm) => world.resume(id(vm)),
    again: async (vm) => {
      const state = await vmState(vm);
      if (state === 'RUNNING') return null;
      return state === 'PROLOG_RESUME_FAILURE' ? world.recoverVm(vm, 'retry') : world.resume(vm);
    },
    arrived: async (vm) => {
      expect(await vmState(vm)).toBe('RUNNING');
      expect((await world.vm(vm)).stored).toBeNull();
      expect(world.hypervisor.domains().filter((domain) => domain.vm === vm)).toMatchObject([{ down: null }]);
      expect(world.hypervisor.timesMade(vm)).toBe(1);
    },
    leaves: leavesVm,
    cancelled: vmState,
    afterCancel: /^(STOPPED|PENDING|SUSPENDED|PROLOG_RESUME_FAILURE)$/,
    stops: 0,
  },
  migrateVm: migration(false),
  'migrateVm live': migration(true),
  changeDevices: {
    prepare: runningVm,
    ask: (vm) => world.changeDevices(id(vm), nicAttach),
    again: async (vm) => ((await nicsOf(vm)).length === 0 ? world.changeDevices(vm, nicAttach) : null),
    arrived: async (vm) => {
      expect(await vmState(vm)).toBe('RUNNING');
      expect(await nicsOf(vm)).toHaveLength(1);
      const { nics, device_change } = await world.vm(vm);
      expect(device_change?.open).toBe(false);
      // For the next try.
      const nic_id = nics?.[0]?.nic_id ?? -1;
      expect((await world.ended((await world.changeDevices(vm, { action: 'nic-detach', nic_id })).op)).state).toBe(
        'succeeded',
      );
      expect(await nicsOf(vm)).toEqual([]);
    },
    leaves: leavesVm,
    cancelled: vmState,
    // What its host has is looked for before the operation ends.
    afterCancel: /^RUNNING$/,
    stops: 0,
  },
  'changeDevices of a disk': {
    prepare: runningVm,
    ask: (vm) => world.changeDevices(id(vm), diskAttach()),
    again: async (vm) => ((await disksOf(vm)).length === 2 ? world.changeDevices(vm, diskAttach()) : null),
    arrived: async (vm) => {
      expect(await vmState(vm)).toBe('RUNNING');
      expect(await disksOf(vm)).toHaveLength(3);
      const disk_id = (await disksOf(vm)).at(-1) ?? -1;
      expect((await world.ended((await world.changeDevices(vm, { action: 'disk-detach', disk_id })).op)).state).toBe(
        'succeeded',
      );
      expect(await disksOf(vm)).toHaveLength(2);
    },
    leaves: leavesVm,
    cancelled: vmState,
    afterCancel: /^RUNNING$/,
    stops: 0,
  },
  debugVm: {
    prepare: async () => {
      const vm = await runningVm();
      await world.store.vms.model.updateOne({ _id: vm }, { $set: { lcm_state: 'EPILOG_FAILURE' } });
      return vm;
    },
    ask: (vm) => world.debug(id(vm), 'run'),
    again: async (vm) => {
      const { debugging } = await world.operations.vms.show(world.caller, vm);
      return debugging?.current === null ? null : world.debug(vm, 'run');
    },
    arrived: async (vm) => {
      expect(await vmState(vm)).toBe('EPILOG_FAILURE');
      expect(world.hypervisor.domains().filter((domain) => domain.vm === vm)).toEqual([]);
      // What it has on its host is given back.
      expect((await world.ended((await world.recoverVm(vm, 'success')).op)).state).toBe('succeeded');
    },
    cancelled: vmState,
    afterCancel: /^EPILOG_FAILURE$/,
    stops: 0,
  },
  terminateVm: {
    prepare: runningVm,
    ask: (vm) => world.terminate(id(vm)),
    again: async (vm) => ((await vmState(vm)) === 'DONE' ? null : world.terminate(vm)),
    arrived: async (vm) => expect(await vmState(vm)).toBe('DONE'),
    cancelled: vmState,
    afterCancel: /^(RUNNING|UNKNOWN)$/,
    stops: 0,
  },
  importVm: {
    prepare: async () => {
      planted = await wildOn(world, 'host-1');
      return null;
    },
    ask: () => world.importWild(planted.host, planted.deployId),
    again: async (vm) => (/^(RUNNING|DONE)$/.test(await vmState(vm)) ? null : world.terminate(vm)),
    arrived: async (vm) => {
      // It is the one's or the other's, and runs.
      const its = world.hypervisor.domains().filter((domain) => domain.vm === vm);
      expect([...its, ...(await planted.theirs())]).toMatchObject([{}]);
      if ((await vmState(vm)) === 'DONE') return expect(its).toEqual([]);
      expect(its).toMatchObject([{ deploy_id: planted.deployId, down: null }]);
      expect((await world.ended((await world.terminate(vm)).op)).state).toBe('succeeded');
    },
    cancelled: vmState,
    afterCancel: /^(DONE|RUNNING)$/,
    stops: 0,
  },
  failoverHost: {
    prepare: async () => {
      await allAnswer();
      const vm = await runningVm();
      const place = placeOf(await world.vm(vm));
      world.powerOff(place?.hostname ?? '');
      await expect
        .poll(async () => {
          await world.tick('monitorHosts');
          return (await world.vm(vm)).lcm_state;
        })
        .toBe('UNKNOWN');
      await world.operations.hosts.callFenced(world.caller, place?.hid ?? -1, unconditional);
      return place?.hid ?? null;
    },
    ask: (host) => world.failOver(id(host)),
    again: async (host) =>
      Object.keys((await world.store.hosts.find(host))?.vms ?? {}).length === 0 ? null : world.failOver(host),
    arrived: async (host) => expect(await world.store.hosts.find(host)).toMatchObject({ vms: {}, operation: null }),
    steps: /^host-/,
    settles: async () => {
      await expect.poll(() => world.store.operations.model.countDocuments({ ended_at: null }).exec()).toBe(0);
    },
    cancelled: async (host) => String((await world.store.hosts.find(host))?.state),
    afterCancel: /^ERROR$/,
    stops: 0,
  },
  testFencing: {
    prepare: async () => {
      untaken ??= await world.addHost();
      await world.tick('monitorHosts');
      const fencing = [{ kind: 'command' as const, program: 'off', arguments: [], timeout: 60 }];
      const ha = { ...HaPolicy.parse({ action: 'recreate', polls: 1_000 }), fencing, by: 2, methods: randomUUID() };
      await world.store.hosts.update(untaken, { state: 'DISABLED', error: null, ha });
      return untaken;
    },
    ask: (host) => world.testFencing(id(host)),
    again: async (host) => {
      const found = await world.store.hosts.find(host);
      return found && isArmed(found) ? null : world.testFencing(host);
    },
    arrived: async (host) => {
      const found = await world.store.hosts.find(host);
      expect(found).toMatchObject({ state: 'DISABLED', operation: null });
      expect(found && isArmed(found)).toBe(true);
      expect(world.hypervisor.isCutOff(found?.name ?? '')).toBe(false);
    },
    cancelled: async (host) => {
      const found = await world.store.hosts.find(host);
      return `${found?.state}, ${world.hypervisor.isCutOff(found?.name ?? '') ? 'off' : 'on'}`;
    },
    afterCancel: /^DISABLED, on$/,
  },
  // The last: it leaves a host disabled.
  flushHost: {
    prepare: async () => {
      await allAnswer();
      const vm = await runningVm();
      return placeOf(await world.vm(vm))?.hid ?? null;
    },
    ask: (host) => world.flush(id(host)),
    again: async (host) =>
      Object.keys((await world.store.hosts.find(host))?.vms ?? {}).length === 0 ? null : world.flush(host),
    arrived: async (host) =>
      expect(await world.store.hosts.find(host)).toMatchObject({ state: 'DISABLED', vms: {}, operation: null }),
    steps: /^host-/,
    settles: async () => {
      await expect.poll(() => world.store.operations.model.countDocuments({ ended_at: null }).exec()).toBe(0);
    },
    cancelled: async (host) => String((await world.store.hosts.find(host))?.state),
    afterCancel: /^DISABLED$/,
    stops: 0,
  },
};

/** Whatever was done to them before, hosts answer and take VMs. */
async function allAnswer(): Promise<void> {
  for (const { _id, name } of await world.store.hosts.all()) {
    world.hypervisor.reach(name);
    await world.store.hosts.update(_id, { state: 'INIT' });
  }
  // The first clears them, the second finds them clear.
  await world.tick('monitorHosts');
  await world.tick('monitorHosts');
}

const inTurn = Object.entries(deeds).map(([name, deed], at) => [name, deed, at] as const);
describe.each(inTurn)('%s', (_, deed, at) => everyStep(() => world, deed, at));
