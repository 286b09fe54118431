import { placeOf } from '../../domain/vms/stays.js';
import { statesOf, stateWord } from '../../domain/vms/vm-action-states.js';
import { nextVmState } from '../../domain/vms/vm-events.js';
import { type Recovery, recoveries } from '../../domain/vms/vm-recover.js';
import { type VmStateName, vmStateNames } from '../../domain/vms/vm-states.js';
import type { VmSwitch } from '../../schemas/operations/vm-action.js';
import type { DeviceChange, Disk } from '../../schemas/operations/vm-devices.js';
import { RecoverAction, type Vm } from '../../schemas/vms/vm.js';
import { type VmActionName, type VmStateWord, vmActions } from '../../schemas/vms/vm-actions.js';
import { done, isRest, type Rest } from './vms-at-rest.js';
import type { Asked, World } from './world.js';

/** Something that is asked of a VM and takes an operation. `before`: the VM as it was. */
type VmDeed = {
  /** What is done before to one that runs. */
  ready?: (world: World, vm: number) => Promise<void>;
  /** What a claim is about is brought about. */
  truth?: (world: World, vm: number) => void;
  ask: (world: World, vm: number, before: Vm) => Promise<Asked>;
  /** Whether it is done, where the VM is what it is to be. */
  isDone: (world: World, now: Vm, before: Vm) => Promise<boolean> | boolean;
  /** Default: what it was. */
  becomes?: VmStateWord;
  /** What it may be, besides what it was, when it is cancelled half-way. */
  midway?: readonly VmStateWord[];
  /** Whether a domain may be made on the way: of one that is saved, too, or of none other than those. Default: none. */
  makes?: 'one' | 'anew';
};

const always = (): boolean => true;
const lastHasSucceeded: VmDeed['isDone'] = async (world, { _id: id }) =>
  (await world.store.operations.lastOf({ type: 'vm', id }))?.state === 'succeeded';

const switching = (action: VmSwitch, becomes: VmStateWord, ...midway: VmStateWord[]): VmDeed => ({
  ask: (world, vm) => world.switch(vm, action),
  isDone: always,
  becomes,
  midway: ['UNKNOWN', ...midway],
});
/** It is the same before and after, and only the operation knows. */
const rebooting = (action: VmSwitch): VmDeed => ({ ...switching(action, 'RUNNING'), isDone: lastHasSucceeded });

const snapshotting = (action: VmSwitch, isDone: (now: Vm, before: Vm) => boolean): VmDeed => ({
  // Few, so that it is never one too many, with the second at work.
  ready: async (world, vm) => {
    const { snapshots = [] } = await world.vm(vm);
    if (action === 'snapshot-create')
      for (const { id } of snapshots.slice(2)) await done(world, world.switch(vm, 'snapshot-delete', { snapshot: id }));
    else for (let n = snapshots.length; n < 2; n++) await done(world, world.switch(vm, 'snapshot-create'));
  },
  ask: (world, vm, { snapshots = [] }) => {
    const one = snapshots.find(({ active }) => !active) ?? snapshots[0];
    return world.switch(vm, action, action === 'snapshot-create' || !one ? {} : { snapshot: one.id });
  },
  isDone: (_, now, before) => isDone(now, before),
  midway: ['UNKNOWN'],
});
const activeOf = ({ snapshots = [] }: Vm) => snapshots.find(({ active }) => active)?.id;
const grown =
  (by: number) =>
  ({ snapshots: now = [] }: Vm, { snapshots: before = [] }: Vm): boolean =>
    now.length === before.length + by;

const deploying: readonly VmStateWord[] = [
  ...(['PENDING', 'PROLOG_FAILURE', 'BOOT_FAILURE', 'PROLOG_RESUME_FAILURE', 'SUSPENDED', 'UNKNOWN'] as const),
];
const starting = (ask: VmDeed['ask']): VmDeed => ({
  ...{ ask, isDone: always, becomes: 'RUNNING', midway: deploying, makes: 'one' },
});
const ending = (hard: boolean): VmDeed => ({
  ask: (world, vm) => world.terminate(vm, hard),
  isDone: always,
  becomes: 'DONE',
  midway: ['UNKNOWN', 'EPILOG_FAILURE'],
});
const moving = (live: boolean): VmDeed => ({
  ask: (world, vm) => world.migrate(vm, { live }),
  isDone: (_, now, before) => placeOf(now)?.hid !== placeOf(before)?.hid,
});

type Devices = { nics: NonNullable<Vm['nics']>; disks: Disk[] };
const devicesOf = ({ nics = [], disks = [] }: Vm): Devices => ({ nics, disks });
const firstDisk = (vm: Vm): Disk | undefined => vm.disks?.[0];

const changing = (
  change: (before: Vm) => DeviceChange,
  isDone: (now: Devices, before: Devices) => boolean,
  ready?: VmDeed['ready'],
): VmDeed => ({
  ...(ready && { ready }),
  ask: (world, vm, before) => world.changeDevices(vm, change(before)),
  isDone: (_, now, before) => isDone(devicesOf(now), devicesOf(before)),
});
const attach = {
  nic: { action: 'nic-attach', nic: { network: 'public' } },
  disk: { action: 'disk-attach', disk: { type: 'swap', size: 4 } },
} as const satisfies Record<string, DeviceChange>;
/** Of those that tries share: some are there to be detached, and never one too many. */
const withNics = (least: number, most: number) => async (world: World, vm: number) => {
  const its = async () => (await world.vm(vm)).nics ?? [];
  for (const { nic_id } of (await its()).slice(most))
    await done(world, world.changeDevices(vm, { action: 'nic-detach', nic_id }));
  for (let n = (await its()).length; n < least; n++) await done(world, world.changeDevices(vm, attach.nic));
};
const withDisks = (least: number, most: number) => async (world: World, vm: number) => {
  const its = async () => (await world.vm(vm)).disks ?? [];
  for (const { disk_id } of (await its()).slice(most))
    await done(world, world.changeDevices(vm, { action: 'disk-detach', disk_id }));
  for (let n = (await its()).length; n < least; n++) await done(world, world.changeDevices(vm, attach.disk));
};
const take = { action: 'disk-snapshot-create', disk_id: 0, name: 'taken' } as const satisfies DeviceChange;
const takeMore = async (world: World, vm: number, count: number) => {
  for (let n = 0; n < count; n++) await done(world, world.changeDevices(vm, take));
};
const withTwoTaken = async (world: World, vm: number) =>
  takeMore(world, vm, 2 - (firstDisk(await world.vm(vm))?.snapshots.length ?? 0));
/** The first of all is written after: the last can be deleted, and the one before that next, and what that takes is done once for some tries. */
const withTakenAfterFirst = async (world: World, vm: number) => {
  const disk = firstDisk(await world.vm(vm));
  if (disk && disk.snapshots.length > 1 && disk.current === disk.snapshots[0]?.snapshot_id) return;
  await takeMore(world, vm, 8);
  const first = firstDisk(await world.vm(vm))?.snapshots[0]?.snapshot_id ?? -1;
  await done(world, world.switch(vm, 'poweroff'));
  const revert = { action: 'disk-snapshot-revert', disk_id: 0, snapshot_id: first } as const;
  await done(world, world.changeDevices(vm, revert));
  await done(world, world.resume(vm));
};
const passive = (disk: Disk | undefined): number =>
  disk?.snapshots.find(({ snapshot_id }) => snapshot_id !== disk.current)?.snapshot_id ?? -1;
const lastSnapshot = (vm: Vm): number => firstDisk(vm)?.snapshots.at(-1)?.snapshot_id ?? -1;

const elsewhere = 'has rows of its own';
const write = 'a single write, and no operation';

/** Every action of the table; a text: why it has no rows here. */
export const vmDeeds: Readonly<Record<VmActionName, VmDeed | string>> = {
  deploy: starting(async (world, vm) => {
    const host = (await world.store.hosts.all()).at(-1);
    return world.deployOn(vm, host?._id ?? -1);
  }),
  hold: write,
  release: { ...starting((world, vm) => world.releaseVm(vm)) },
  terminate: ending(false),
  'terminate-hard': ending(true),
  undeploy: switching('undeploy', 'UNDEPLOYED'),
  'undeploy-hard': switching('undeploy-hard', 'UNDEPLOYED'),
  poweroff: switching('poweroff', 'POWEROFF'),
  'poweroff-hard': switching('poweroff-hard', 'POWEROFF'),
  reboot: rebooting('reboot'),
  'reboot-hard': rebooting('reboot-hard'),
  suspend: switching('suspend', 'SUSPENDED'),
  stop: switching('stop', 'STOPPED', 'SUSPENDED', 'EPILOG_STOP_FAILURE'),
  'snapshot-create': snapshotting('snapshot-create', grown(1)),
  'snapshot-revert': snapshotting('snapshot-revert', (now, before) => activeOf(now) !== activeOf(before)),
  'snapshot-delete': snapshotting('snapshot-delete', grown(-1)),
  resume: starting((world, vm) => world.resume(vm)),
  resched: write,
  unresched: write,
  migrate: moving(false),
  'migrate-live': moving(true),
  resize: write,
  updateconf: write,
  'nic-attach': changing(
    () => attach.nic,
    ({ nics }, before) => nics.length === before.nics.length + 1,
    withNics(0, 9),
  ),
  'nic-detach': changing(
    ({ nics = [] }) => ({ action: 'nic-detach', nic_id: nics.at(-1)?.nic_id ?? -1 }),
    ({ nics }, before) => nics.length === before.nics.length - 1,
    withNics(2, 9),
  ),
  'disk-attach': changing(
    () => attach.disk,
    ({ disks }, before) => disks.length === before.disks.length + 1,
    withDisks(2, 9),
  ),
  'disk-detach': changing(
    ({ disks = [] }) => ({ action: 'disk-detach', disk_id: disks.at(-1)?.disk_id ?? -1 }),
    ({ disks }, before) => disks.length === before.disks.length - 1,
    withDisks(3, 9),
  ),
  'disk-resize': changing(
    ({ disks = [] }) => ({ action: 'disk-resize', disk_id: 1, size: (disks[1]?.size ?? 0) + 1 }),
    ({ disks }, before) => disks[1]?.size === (before.disks[1]?.size ?? 0) + 1,
  ),
  'disk-snapshot-create': changing(
    () => take,
    ({ disks }, before) => disks[0]?.snapshots.length === (before.disks[0]?.snapshots.length ?? 0) + 1,
  ),
  'disk-snapshot-revert': changing(
    (before) => ({ action: 'disk-snapshot-revert', disk_id: 0, snapshot_id: passive(firstDisk(before)) }),
    ({ disks }, before) => disks[0]?.current === passive(before.disks[0]),
    withTwoTaken,
  ),
  'disk-snapshot-delete': changing(
    (before) => ({ action: 'disk-snapshot-delete', disk_id: 0, snapshot_id: lastSnapshot(before) }),
    ({ disks }, before) => disks[0]?.snapshots.length === (before.disks[0]?.snapshots.length ?? 0) - 1,
    withTakenAfterFirst,
  ),
  'disk-saveas': `${elsewhere}: test/workflows/vms/save-disk`,
  'disk-restore': `${elsewhere}: test/workflows/vms/restore-disk`,
  ...{ rename: write, chown: write, chgrp: write, chmod: write },
};

/** What a VM is after a claim, and what is so on its host when it is made; a text: why it has no rows here. */
function claimed(
  from: VmStateName,
  recovery: Extract<Recovery, { do: 'claim' }>,
): Pick<VmDeed, 'becomes' | 'truth'> | string {
  const to = nextVmState(from, recovery.event);
  const becomes = vmStateWord(to);
  switch (recovery.event) {
    case 'stop':
      return { becomes, truth: (world, vm) => world.hypervisor.bringDown(vm, 'stopped') };
    case 'done':
      return { becomes, truth: (world, vm) => world.hypervisor.lose(vm) };
    case 'stored':
      return 'its domain is where it was: the claim is refused';
    default:
      return { becomes };
  }
}

function recovering(from: VmStateName, action: RecoverAction): VmDeed | string {
  const recovery = recoveries[from][action];
  const ask: VmDeed['ask'] = (world, vm) => world.recoverVm(vm, action);
  switch (recovery.do) {
    case 'nothing':
      return recovery.why;
    case 'deploy':
      return starting(ask);
    case 'terminate':
      return { ...ending(true), ask };
    case 'stop':
      return { ...switching('stop', 'STOPPED', 'SUSPENDED'), ask };
    case 'recreate':
      return { ...starting(ask), makes: 'anew', isDone: (_, now, before) => now.epoch > before.epoch };
    case 'claim': {
      const after = claimed(from, recovery);
      return typeof after === 'string' ? after : { ask, isDone: always, ...after };
    }
  }
}

/** A deed, and the state that it begins from. `asksAgain`: it may be asked for in that state, too. */
export type VmRow = { name: string; from: Rest; deed: VmDeed; asksAgain: (state: string) => boolean };

const fromEach = (
  name: string,
  states: readonly VmStateName[],
  deedFrom: (state: VmStateName) => VmDeed | string,
  asksAgain: (from: VmStateName) => VmRow['asksAgain'],
): VmRow[] =>
  states.flatMap((state) => {
    const from = stateWord(state);
    const deed = deedFrom(state);
    return typeof deed === 'string' || !isRest(from) ? [] : [{ name, from, deed, asksAgain: asksAgain(state) }];
  });

const vmStateWord = (state: VmStateName | undefined): VmStateWord => {
  const word = Object.values(vmActions)
    .flatMap(({ states }): readonly VmStateWord[] => states)
    .find((one) => state !== undefined && one === stateWord(state));
  if (!word) throw new Error(`no VM rests in ${state}`);
  return word;
};

/** Each action, and each recovery, in each state in which it may be asked for and VMs rest. */
export const vmRows: readonly VmRow[] = [
  ...Object.keys(vmDeeds).flatMap((action) =>
    isAction(action)
      ? fromEach(
          action,
          statesOf(action),
          () => vmDeeds[action],
          () => (state) => statesOf(action).some((one) => stateWord(one) === state),
        )
      : [],
  ),
  ...RecoverAction.options.flatMap((action) =>
    fromEach(
      `recover --${action}`,
      vmStateNames,
      (from) => recovering(from, action),
      (from) => (state) =>
        vmStateNames.some(
          (one) => stateWord(one) === state && recoveries[one][action].do === recoveries[from][action].do,
        ),
    ),
  ),
];
function isAction(name: string): name is VmActionName {
  return Object.hasOwn(vmActions, name);
}
