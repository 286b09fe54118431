import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Act, verdictOn } from '../../../domain/acts/acts.js';
import type { ActionFacts } from '../../../domain/acts/facts.js';
import { mayRename } from '../../../domain/acts/vm-acts.js';
import { statesOf, stateWord } from '../../../domain/vms/vm-action-states.js';
import { recoveries } from '../../../domain/vms/vm-recover.js';
import { placedStates, storedVmState, type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';
import { VmSwitch } from '../../../schemas/operations/vm-action.js';
import type { DeviceChange } from '../../../schemas/operations/vm-devices.js';
import { RecoverAction } from '../../../schemas/vms/vm.js';
import {
  forStates,
  notOfImported,
  type VmActionName,
  vmActions,
  vmStateWords,
} from '../../../schemas/vms/vm-actions.js';
import { idleEngine } from '../../support/idle-engine.js';
import { madeVm } from '../../support/made-vm.js';
import { someOf } from '../../support/some-of.js';
import { createWorld, type Method, type World } from '../world.js';

let world: World;
const vm = 7;
const capacity = { cpu: 100, memory: 64 };
const hosts: number[] = [];

beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  for (const name of ['node-1', 'node-2'])
    hosts.push((await world.ask('oneadmin', 'post', '/hosts', { name, cpu: 8, memory: 8_192 })).body.id);
  const address_ranges = [{ type: 'IP4', ip: '10.0.0.1', size: 100 }];
  await world.ask('oneadmin', 'post', '/virtual-networks', { name: 'public', address_ranges });
  const wish = { name: 'backup', source: { empty: { size_mb: 1 } } };
  backup = (await world.ask('oneadmin', 'post', '/images', wish)).body.resource.id;
  const made = { state: 'READY', operation: null, format: 'qcow2', virtual_size: 2 ** 20 } as const;
  await world.store.images.model.updateOne({ _id: backup }, { $set: made });
  const total = { cpu: 800, memory: 8_192 };
  await world.store.hosts.model.updateMany({}, { $set: { state: 'MONITORED', total } });
  await world.store.hosts.model.updateOne({ _id: hosts[0] }, { $set: { [`vms.${vm}`]: capacity } });
});
afterAll(() => world.stop());

const post = (path: string, body?: object): [Method, string, object?] => ['post', `/${path}`, body];
/** Images have names of their own; one of them is restored from. */
let saved = 0;
let backup = -1;
const action = (name: string) => post('actions', { action: name });
/** How each is asked for; one that is in the table and not here does not compile. */
const requests: { [A in VmActionName]: () => [Method, string, object?] } = {
  deploy: () => post('deploy', { host: hosts[1] }),
  hold: () => post('hold'),
  release: () => post('release'),
  terminate: () => post('terminate', {}),
  'terminate-hard': () => post('terminate', { hard: true }),
  stop: () => action('stop'),
  undeploy: () => action('undeploy'),
  'undeploy-hard': () => action('undeploy-hard'),
  poweroff: () => action('poweroff'),
  'poweroff-hard': () => action('poweroff-hard'),
  reboot: () => action('reboot'),
  'reboot-hard': () => action('reboot-hard'),
  suspend: () => action('suspend'),
  'snapshot-create': () => action('snapshot-create'),
  'snapshot-revert': () => post('actions', { action: 'snapshot-revert', snapshot: 0 }),
  'snapshot-delete': () => post('actions', { action: 'snapshot-delete', snapshot: 0 }),
  resume: () => post('resume'),
  resched: () => post('resched'),
  unresched: () => post('unresched'),
  migrate: () => post('migrate', { host: hosts[1] }),
  'migrate-live': () => post('migrate', { live: true }),
  resize: () => post('resize', { memory: 128 }),
  updateconf: () => post('updateconf', { template: { OS: { MACHINE: 'q35' } } }),
  'nic-attach': () => post('nics', { network: 'public' }),
  'nic-detach': () => post('nics/0/detach'),
  'disk-attach': () => post('disks', { type: 'fs', size: 1 }),
  'disk-detach': () => post('disks/0/detach'),
  'disk-resize': () => post('disks/0/resize', { size: 20 }),
  'disk-snapshot-create': () => post('disks/0/snapshots', { name: 'first' }),
  'disk-snapshot-revert': () => post('disks/1/snapshots/0/revert'),
  'disk-snapshot-delete': () => post('disks/1/snapshots/0/delete'),
  'disk-saveas': () => post('disks/0/save', { name: `saved-${++saved}` }),
  'disk-restore': () => post('disks/0/restore', { image_id: backup }),
  rename: () => ['patch', '', { name: 'other' }],
  chown: () => post('chown', { uid: 0 }),
  chgrp: () => post('chown', { gid: 0 }),
  chmod: () => post('chmod', { octet: '640' }),
};

const deviceChanges: DeviceChange[] = [
  { action: 'nic-attach', nic: { network: 'public' } },
  { action: 'nic-detach', nic_id: 0 },
  { action: 'disk-attach', disk: { type: 'fs', size: 1, format: 'raw' } },
  { action: 'disk-detach', disk_id: 0 },
  { action: 'disk-resize', disk_id: 0, size: 20 },
  { action: 'disk-snapshot-create', disk_id: 0, name: 'first' },
  { action: 'disk-snapshot-revert', disk_id: 1, snapshot_id: 0 },
  { action: 'disk-snapshot-delete', disk_id: 1, snapshot_id: 0 },
];
const disk = { type: 'fs', size: 10, format: 'qcow2', current: null, snapshot_ids: 1 } as const;
const snapshot = { snapshot_id: 0, name: 'first', parent: null, taken_at: new Date() };
/** What it has, so that it can be changed. */
const devices = {
  nics: [{ nic_id: 0, network: 'public' }],
  disks: [
    { ...disk, disk_id: 0, target: 'vda', snapshots: [] },
    { ...disk, disk_id: 1, target: 'vdb', snapshots: [snapshot] },
  ],
  device_ids: { nic: 1, disk: 2 },
  datastore: { id: 0, ds_mad: 'fs', mb: 20, at: new Date() } as const,
};

const isAction = (name: string): name is VmActionName => Object.hasOwn(vmActions, name);
const actions = Object.keys(vmActions).filter(isAction);
/** Those that are judged by the table of acts. */
const acts: [VmActionName, Act][] = [
  ['deploy', { do: 'deployOn', host: 0 }],
  ['hold', { do: 'hold' }],
  ['release', { do: 'releaseVm' }],
  ['terminate', { do: 'terminate', hard: false }],
  ['terminate-hard', { do: 'terminate', hard: true }],
  ...VmSwitch.options.map((name): [VmActionName, Act] => [name, { do: 'switch', action: name }]),
  ['resume', { do: 'resume' }],
  ['resched', { do: 'resched', wish: true }],
  ['unresched', { do: 'resched', wish: false }],
  ['migrate', { do: 'migrate', host: null, live: false }],
  ['migrate-live', { do: 'migrate', host: null, live: true }],
  ['resize', { do: 'resize' }],
  ['updateconf', { do: 'configure' }],
  ['disk-saveas', { do: 'saveDisk', disk: 0 }],
  ['disk-restore', { do: 'restoreDisk', disk: 0, image: 0 }],
  ...deviceChanges.map((change): [VmActionName, Act] => [change.action, { do: 'changeDevices', change }]),
];
const factsOf = (state: VmStateName, more: { imported?: true } = {}): ActionFacts => ({
  ...{ about: 'resource', operation: null, after: null, mayManage: true, mayAdmin: true },
  resource: {
    ...{ type: 'vm', id: vm, state, work: null, going: null },
    ...{ unready: false, between: false, ofService: false, resched: false, ...more },
  },
});

/** What whoever asks for it in another state is told. */
function toldFor(name: VmActionName, state: VmStateName): string {
  const states = forStates(name);
  return `VM ${vm} is ${stateWord(state)}: ${states === null ? '' : `this is for ${states}.`}`;
}

const snapshots = [{ id: 0, name: 'before', at: new Date(), active: true, op: 'op' }];
const stay = {
  seq: 0,
  hostname: 'node-1',
  vm_mad: 'simulated' as const,
  epoch: 1,
  etime: null,
  reason: 'none' as const,
};

describe('the table of actions and states', () => {
  it('has every state once', () => {
    expect(vmStateNames.map(stateWord).sort()).toEqual([...vmStateWords].sort());
  });

  it.each(acts)('is what is let happen, by %s', (name, act) => {
    for (const state of vmStateNames) {
      const isFor = statesOf(name).includes(state);
      const verdict = verdictOn(act, factsOf(state));
      const said = `${name} in ${state}: ${JSON.stringify(verdict)}`;
      if (isFor) expect(['may', 'is so'], said).toContain(verdict);
      else
        expect(verdict, said).toEqual({ code: 'wrong_state', detail: expect.stringContaining(toldFor(name, state)) });
    }
  });

  it.each(['rename', 'chown', 'chgrp', 'chmod'] as const)(
    'is what is let happen, by %s, which no act is',
    async (name) => {
      // All of them, for nothing else judges these: a VM is renamed while there is one, and given away even after that.
      const others = vmStateNames.filter((state) => !statesOf(name).includes(state));
      expect(others).toEqual(name === 'rename' ? ['DONE'] : []);
      if (name === 'rename')
        for (const state of vmStateNames)
          expect(mayRename({ id: vm, state }) === 'may', state).toBe(statesOf(name).includes(state));
      for (const state of someOf(vmStateNames, 6)) {
        await world.store.vms.model.replaceOne({ _id: vm }, madeVm({ _id: vm, ...storedVmState(state) }), {
          upsert: true,
        });
        const [method, path, body] = requests[name]();
        const { status, body: told } = await world.ask('oneadmin', method, `/vms/${vm}${path}`, body);
        const said = `${name} in ${state}: ${JSON.stringify(told)}`;
        if (statesOf(name).includes(state)) expect(status, said).toBe(200);
        else expect(told, said).toMatchObject({ status: 409, detail: expect.stringContaining(`VM ${vm}`) });
      }
    },
  );

  it('is what comes of each recovery that is for no such VM: refused, in the words of its table, and nothing is changed', async () => {
    const { model } = world.store.vms;
    const pairs = RecoverAction.options.flatMap((recovery) =>
      vmStateNames.flatMap((state) => {
        const nothing = recoveries[state][recovery];
        return nothing.do === 'nothing' ? [{ recovery, state, why: nothing.why }] : [];
      }),
    );
    expect(pairs.length).toBeGreaterThan(50);
    for (const { recovery, state, why } of someOf(pairs, 7)) {
      const stored = storedVmState(state);
      const history = placedStates.includes(stored.state) ? [{ ...stay, hid: hosts[0] ?? -1, stime: new Date() }] : [];
      await model.replaceOne({ _id: vm }, madeVm({ _id: vm, ...stored, ...devices, history }), { upsert: true });
      const { body: told } = await world.ask('oneadmin', 'post', `/vms/${vm}/recover`, { action: recovery });
      const said = `${recovery} in ${state}: ${JSON.stringify(told)}`;
      expect(told, said).toMatchObject({ status: 409, type: '/problems/wrong_state' });
      expect(told.detail, said).toBe(`VM ${vm} cannot be recovered with ${recovery}: ${why}`);
      expect(await model.findById(vm).lean()).toMatchObject({ ...stored, operation: null, wanted: null });
    }
  });

  it.each(acts)('has what is not done to a VM that was imported, nor offered: %s', (name, act) => {
    for (const state of statesOf(name)) {
      const verdict = verdictOn(act, factsOf(state, { imported: true }));
      const isRefused = typeof verdict === 'object' && verdict.detail.includes('was imported');
      expect(isRefused, `${name} in ${state}: ${JSON.stringify(verdict)}`).toBe(
        state !== 'DONE' && notOfImported.includes(name),
      );
    }
  });

  it.each(notOfImported)('is not what comes of asking for %s of a VM that was imported', async (name) => {
    const state = 'POWEROFF';
    const imported = madeVm({
      _id: vm,
      ...storedVmState(state),
      history: [{ ...stay, hid: hosts[0] ?? -1, stime: new Date() }],
    });
    await world.store.vms.model.replaceOne({ _id: vm }, { ...imported, template_id: null }, { upsert: true });
    const [method, path, body] = requests[name]();
    const { body: told } = await world.ask('oneadmin', method, `/vms/${vm}${path}`, body);
    expect(told).toMatchObject({ status: 409, type: '/problems/wrong_state' });
    expect(told.detail).toContain(statesOf(name).includes(state) ? `VM ${vm} was imported` : `VM ${vm}`);
  });

  it.each(actions)('is what comes of asking for %s, in states where it is done and in others', async (name) => {
    const states: readonly string[] = vmActions[name].states;
    const { model } = world.store.vms;
    // Every pair is judged above; here by way of the whole, of those that are for nearly all states some.
    const isWide = forStates(name) === null;
    const others = isWide ? (['DONE'] as const) : (['ACTIVE/SHUTDOWN', 'DONE'] as const);
    const some = isWide ? (['PENDING', 'ACTIVE/RUNNING', 'ACTIVE/BOOT', 'POWEROFF'] as const) : statesOf(name);
    for (const state of new Set<VmStateName>([...some, ...others])) {
      const stored = storedVmState(state);
      const history = placedStates.includes(stored.state) ? [{ ...stay, hid: hosts[0] ?? -1, stime: new Date() }] : [];
      await world.store.hosts.model.updateOne({ _id: hosts[0] }, { $set: { [`vms.${vm}`]: capacity } });
      await model.replaceOne({ _id: vm }, madeVm({ _id: vm, ...stored, ...devices, history, snapshots }), {
        upsert: true,
      });
      const [method, path, body] = requests[name]();
      const response = await world.ask('oneadmin', method, `/vms/${vm}${path}`, body);
      const said = `${name} in ${state}: ${JSON.stringify(response.body)}`;
      if (states.includes(stateWord(state))) expect(response.status, said).toBeLessThan(300);
      else {
        expect(response.body, said).toMatchObject({ status: 409, type: '/problems/wrong_state' });
        expect(response.body.detail, said).toContain(`is ${stateWord(state)}`);
        const told = forStates(name);
        if (told !== null) expect(response.body.detail, said).toContain(`this is for ${told}.`);
        expect(await model.findById(vm).lean()).toMatchObject({ ...stored, operation: null, wanted: null });
      }
    }
  });
});
