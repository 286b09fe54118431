import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import { devicesOf, deviceVerb, domainDevices } from '../../../domain/vms/vm-devices.js';
import { type VmStateName, vmStateName } from '../../../domain/vms/vm-states.js';
import { vmVerbs } from '../../../domain/vms/vm-verbs.js';
import type { VmSwitch } from '../../../schemas/operations/vm-action.js';
import type { DeviceAction, DeviceChange } from '../../../schemas/operations/vm-devices.js';
import { newWorld, type World } from '../../support/world.js';
import { leasesOf, newNetwork } from '../../support/world-networks.js';
import { diesOnce, twice } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
  await newNetwork(world, 'public', '10.1.0.1', 1_000);
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.mend();
  world.hypervisor.beforeEach = () => {};
  world.hypervisor.afterEach = () => {};
  for (const host of ['host-1', 'host-2']) world.hypervisor.reach(host);
  world.steps.watch();
});

const stateOf = async (id: number): Promise<VmStateName> => vmStateName(await world.vm(id));
const domainOf = (id: number) => world.hypervisor.domains().find(({ vm }) => vm === id);
const ok = async (asked: Promise<{ op: string }>) =>
  expect(await world.ended((await asked).op)).toMatchObject({ state: 'succeeded', error: null });
const problem = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );
async function made(action?: VmSwitch): Promise<number> {
  const { id, op } = await world.createVm();
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  if (action) await ok(world.switch(id, action));
  return id;
}
const end = async (id: number): Promise<void> => {
  await ok(world.terminate(id));
  expect(await leasesOf(world, id)).toEqual([]);
};

/** What the host has is what is written and has its addresses, and nothing is under way. */
async function agree(id: number): Promise<void> {
  const vm = await world.vm(id);
  const { nics, disks } = domainOf(id)?.devices ?? { nics: [], disks: [] };
  expect({ nics, disks: disks.map((disk) => ({ ...disk, reverted: null })) }).toEqual(domainDevices(vm));
  expect(vm).toMatchObject({ hold: null, operation: null, reason: null });
  const had = (vm.nics ?? []).map(({ nic_id, lease }) => [nic_id, lease?.network, lease?.index]);
  expect(await leasesOf(world, id)).toEqual(had);
  expect(vm.device_change?.open ?? false).toBe(false);
}

const nic = { action: 'nic-attach', nic: { network: 'public' } } as const;
const disk = { action: 'disk-attach', disk: { type: 'fs', size: 100, format: 'qcow2' } } as const;
const snapshot = { action: 'disk-snapshot-create', disk_id: 0, name: 'first' } as const;
/** Each with what has to be done before it. */
const changes: { readonly [A in DeviceAction]: readonly [before: readonly DeviceChange[], change: DeviceChange] } = {
  'nic-attach': [[], nic],
  'nic-detach': [[nic], { action: 'nic-detach', nic_id: 0 }],
  'disk-attach': [[], disk],
  'disk-detach': [[disk], { action: 'disk-detach', disk_id: 0 }],
  'disk-resize': [[disk], { action: 'disk-resize', disk_id: 0, size: 200 }],
  'disk-snapshot-create': [[disk], snapshot],
  'disk-snapshot-revert': [[disk, snapshot, snapshot], { action: 'disk-snapshot-revert', disk_id: 0, snapshot_id: 0 }],
  'disk-snapshot-delete': [[disk, snapshot, snapshot], { action: 'disk-snapshot-delete', disk_id: 0, snapshot_id: 0 }],
};
/** As somebody has reverted it before: what is written after the first is deleted no more. */
const deleted = { action: 'disk-snapshot-delete', disk_id: 0, snapshot_id: 1 } as const;

const froms = [
  ['running', undefined],
  ['off', 'poweroff'],
  ['suspended', 'suspend'],
] as const;
const rows = Object.entries(changes).flatMap(([, [before, change]]) =>
  froms.flatMap(([from, action]) => {
    const verb = deviceVerb(change.action, from);
    return verb ? ([[change.action, from, { action, verb, before, change }]] as const) : [];
  }),
);

describe('changeDevices', () => {
  it.each(rows)(
    'does %s on a VM that is %s once, each step twice',
    async (name, from, { action, verb, before, change }) => {
      const id = await made();
      for (const first of before) await ok(world.changeDevices(id, first));
      let asked = change;
      if (name === 'disk-snapshot-delete') {
        // The last one is written after; the first has it after itself.
        expect(await problem(world.changeDevices(id, change))).toMatchObject({ code: 'wrong_state' });
        await ok(world.switch(id, 'poweroff'));
        await ok(world.changeDevices(id, { action: 'disk-snapshot-revert', disk_id: 0, snapshot_id: 0 }));
        await ok(world.resume(id));
        asked = deleted;
      }
      if (action) await ok(world.switch(id, action));
      const state = await stateOf(id);
      const seen: string[] = [];
      world.hypervisor.beforeEach = async ({ call, vm }) => {
        if (call === vmVerbs[verb].call && vm === id) seen.push(await stateOf(id));
      };
      const count = world.hypervisor.journal.length;
      world.steps.watch(twice);
      await ok(world.changeDevices(id, asked));
      world.steps.watch();
      expect(new Set(seen)).toEqual(new Set([vmVerbs[verb].during]));
      const effects = world.hypervisor.journal.slice(count).filter(({ outcome }) => outcome === 'changed');
      expect(effects).toHaveLength(1);
      expect(await stateOf(id)).toBe(state);
      expect((await world.operations.vms.log(world.caller, id)).log.at(-1)?.action).toBe(asked.action);
      await agree(id);
      // What it has comes with it wherever it is.
      const had = devicesOf(await world.vm(id));
      if (from !== 'running') await ok(world.resume(id));
      await ok(world.migrate(id));
      expect(devicesOf(await world.vm(id))).toEqual(had);
      await agree(id);
      await end(id);
      await world.accounted();
    },
  );

  it('does each once when its worker is lost after every step', async () => {
    const id = await made();
    for (const change of [nic, disk, snapshot, { action: 'nic-detach', nic_id: 0 } as const]) {
      world.steps.watch(diesOnce());
      await ok(world.changeDevices(id, change));
      await agree(id);
    }
    expect(world.hypervisor.journal.filter(({ vm, outcome }) => vm === id && outcome === 'changed')).toHaveLength(4);
    await end(id);
  });

  it('gives no id twice', async () => {
    const id = await made();
    for (const nic_id of [0, 1]) {
      await ok(world.changeDevices(id, nic));
      expect(domainOf(id)?.devices.nics).toMatchObject([{ nic_id, network: 'public' }]);
      await ok(world.changeDevices(id, { action: 'nic-detach', nic_id }));
      await ok(world.changeDevices(id, disk));
      expect(domainOf(id)?.devices.disks).toMatchObject([{ disk_id: nic_id, target: 'vda' }]);
      await ok(world.changeDevices(id, { action: 'disk-detach', disk_id: nic_id }));
    }
    await end(id);
  });

  it.each(froms.slice(0, 2))('leaves a VM that is %s as it was when its hypervisor refuses', async (_from, action) => {
    const id = await made(action);
    const state = await stateOf(id);
    const error = new Problem('action_refused', 'it has no slot left');
    world.hypervisor.failVm(id, { call: 'attachNic', times: 1, error });
    const { op } = await world.changeDevices(id, nic);
    expect(await world.ended(op)).toMatchObject({
      state: 'failed',
      error: { code: 'vm_failed', detail: error.message },
    });
    expect(await stateOf(id)).toBe(state);
    await agree(id);
    await ok(world.retry(op));
    expect(domainOf(id)?.devices.nics).toMatchObject([{ nic_id: 1 }]);
    await agree(id);
    await end(id);
  });

  it.each(froms.slice(0, 2))(
    'says of a VM that is %s what its host has, of which nobody has said so',
    async (_from, action) => {
      const id = await made(action);
      const state = await stateOf(id);
      world.hypervisor.failVm(id, { call: 'attachNic', when: 'after' });
      const { op } = await world.changeDevices(id, nic);
      expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded', error: null });
      world.hypervisor.failVm(id, { call: 'detachNic', when: 'before' });
      const detach = await world.changeDevices(id, { action: 'nic-detach', nic_id: 0 });
      expect(await world.server.skipping(world.ended(detach.op))).toMatchObject({ state: 'failed' });
      expect(await stateOf(id)).toBe(state);
      expect(domainOf(id)?.devices.nics).toMatchObject([{ nic_id: 0 }]);
      await agree(id);
      await end(id);
    },
  );

  it('asks a host that fell silent before the next change, and makes a VM anew with what is written', async () => {
    for (const next of ['change', 'resume'] as const) {
      const id = await made();
      const host = domainOf(id)?.host ?? '';
      world.hypervisor.failVm(id, { call: 'attachNic', when: 'after' });
      world.hypervisor.afterEach = ({ call, vm }) => {
        if (call === 'attachNic' && vm === id) world.hypervisor.cutOff(host);
      };
      const { op } = await world.changeDevices(id, nic);
      expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'failed' });
      world.hypervisor.afterEach = () => {};
      world.hypervisor.mend();
      world.hypervisor.reach(host);
      expect(await world.vm(id)).toMatchObject({ lcm_state: 'UNKNOWN', device_change: { open: true } });
      if (next === 'change') {
        await world.tick('monitorHosts');
        expect(await stateOf(id)).toBe('ACTIVE/RUNNING');
        await ok(world.changeDevices(id, disk));
        expect(domainOf(id)?.devices).toMatchObject({ nics: [{ nic_id: 0 }], disks: [{ disk_id: 0 }] });
      } else {
        await ok(world.resume(id));
        expect(domainOf(id)?.devices.nics).toEqual([]);
      }
      await agree(id);
      await end(id);
    }
    await world.accounted();
  });

  it('gives way to a termination, and to nobody else', async () => {
    const plugged = await made();
    world.hypervisor.failVm(plugged, { call: 'attachNic' });
    const attach = await world.changeDevices(plugged, nic);
    await expect.poll(() => stateOf(plugged)).toBe('ACTIVE/HOTPLUG_NIC');
    expect(await leasesOf(world, plugged)).toHaveLength(1);
    await end(plugged);
    expect(await world.ended(attach.op)).toMatchObject({ state: 'cancelled' });
    const id = await made();
    world.hypervisor.failVm(id, { call: 'attachDisk' });
    const { op } = await world.changeDevices(id, disk);
    await expect.poll(() => stateOf(id)).toBe('ACTIVE/HOTPLUG');
    expect(await problem(world.switch(id, 'reboot'))).toMatchObject({ code: 'operation_in_progress' });
    expect(await problem(world.recoverVm(id, 'success'))).toMatchObject({ code: 'operation_in_progress' });
    await end(id);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    await world.accounted();
  });

  it('refuses what its state or what it has does not let happen', async () => {
    const id = await made('suspend');
    expect(await problem(world.changeDevices(id, nic))).toMatchObject({ code: 'wrong_state' });
    await ok(world.resume(id));
    expect(await problem(world.changeDevices(id, { action: 'disk-detach', disk_id: 7 }))).toMatchObject({
      code: 'not_found',
    });
    await end(id);
  });

  it('takes the address of a network that has one, once of two who ask at once, and gives it back when it is cancelled', async () => {
    const network = await newNetwork(world, 'small', '10.2.0.1', 1);
    const attach = { action: 'nic-attach', nic: { network } } as const;
    const [one, other] = [await made(), await made()];
    // Both are admitted: the last address is nobody's yet.
    world.steps.watch(async (step, run) => {
      if (step.name === 'prepareDeviceChange') await bothAdmitted;
      return run();
    });
    let admit = (): void => {};
    const bothAdmitted = new Promise<void>((resolve) => {
      admit = resolve;
    });
    const asked = [await world.changeDevices(one, attach), await world.changeDevices(other, attach)];
    admit();
    const ends = await Promise.all(asked.map(({ op }) => world.ended(op)));
    world.steps.watch();
    expect(ends.map(({ state }) => state).sort()).toEqual(['failed', 'succeeded']);
    expect(ends.find(({ state }) => state === 'failed')?.error?.detail).toContain('has not a free address');
    for (const id of [one, other]) await agree(id);
    const [has, lacks] = ends[0]?.state === 'succeeded' ? [one, other] : [other, one];
    expect(await problem(world.changeDevices(lacks, attach))).toMatchObject({ code: 'in_use' });
    await ok(world.changeDevices(has, { action: 'nic-detach', nic_id: 0 }));
    world.hypervisor.failVm(lacks, { call: 'attachNic' });
    world.steps.watch();
    const { op } = await world.changeDevices(lacks, { action: 'nic-attach', nic: { network, ip: '10.2.0.1' } });
    await expect.poll(() => leasesOf(world, lacks)).toHaveLength(1);
    // The time-skipping server forgets a cancel that comes while a try is at work which then fails: it has to have failed.
    await expect.poll(() => world.steps.done()).toContain('changeDevices');
    await world.cancel(op);
    await world.ended(op);
    world.hypervisor.mend();
    await agree(lacks);
    for (const id of [one, other]) await end(id);
  });

  it('refuses a network that is not there, or that nobody may be on who asks', async () => {
    const id = await made();
    const none = { action: 'nic-attach', nic: { network: 'nowhere' } } as const;
    expect(await problem(world.changeDevices(id, none))).toMatchObject({
      code: 'invalid_request',
      findings: [{ pointer: '/network', detail: expect.stringContaining('there is no virtual network "nowhere"') }],
    });
    const elsewhere = { action: 'nic-attach', nic: { network: 'public', ip: '10.9.0.1' } } as const;
    expect(await problem(world.changeDevices(id, elsewhere))).toMatchObject({ code: 'invalid_request' });
    await agree(id);
    await end(id);
  });

  it('keeps the snapshots of its disks, which lie in a datastore, when it leaves its host', async () => {
    const id = await made();
    for (const change of [nic, disk, snapshot]) await ok(world.changeDevices(id, change));
    await ok(world.switch(id, 'undeploy'));
    await ok(world.resume(id));
    expect((await world.vm(id)).disks).toMatchObject([
      { disk_id: 0, snapshots: [{ snapshot_id: 0, name: 'first' }], current: 0, snapshot_ids: 1 },
    ]);
    await agree(id);
    await end(id);
  });

  it('is of a service’s VMs with the NICs and disks of their template', async () => {
    await newNetwork(world, 'private', '10.0.0.1', 4);
    const { id } = await world.running([
      { name: 'web', vm_template_contents: 'NIC=[NETWORK=private]\nDISK=[TYPE=swap,SIZE=64]' },
    ]);
    const [vm] = await world.vms(id, 'web');
    expect(domainOf(vm?._id ?? -1)?.devices).toMatchObject({
      nics: [{ nic_id: 0, network: 'private', ip: '10.0.0.1', mac: '02:00:0a:00:00:01' }],
      disks: [{ disk_id: 0, type: 'swap', size: 64, target: 'vda' }],
    });
    await ok(world.undeploy(id));
  });
});
