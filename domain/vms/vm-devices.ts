import { limits } from '../../schemas/common/limits.js';
import { defaultSecurityGroup } from '../../schemas/networks/security-group.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type {
  DeviceAction,
  DeviceChange,
  Devices,
  Disk,
  DomainChange,
  DomainDevices,
  Nic,
  PlannedChange,
} from '../../schemas/operations/vm-devices.js';
import type { Moving, Vm } from '../../schemas/vms/vm.js';
import { type DiskSource, disksOf, storageWish, wishOfDisk } from './disk-wishes.js';
import type { DeviceVerb } from './vm-verbs.js';

/** What is done, by what the VM does meanwhile, and is again after it. */
type Row = Partial<Record<Moving['from'], DeviceVerb>>;

/** What is done to the devices of VMs: as in OpenNebula, but that a disk is made larger by its later releases alone. */
export const deviceActions = {
  'nic-attach': { running: 'attachNic', off: 'attachNicOff' },
  'nic-detach': { running: 'detachNic', off: 'detachNicOff' },
  'disk-attach': { running: 'attachDisk', off: 'attachDiskOff' },
  'disk-detach': { running: 'detachDisk', off: 'detachDiskOff' },
  'disk-resize': { running: 'resizeDisk', off: 'resizeDiskOff' },
  'disk-snapshot-create': { running: 'snapshotDisk', off: 'snapshotDiskOff', suspended: 'snapshotDiskSaved' },
  'disk-snapshot-revert': { off: 'revertDiskOff', suspended: 'revertDiskSaved' },
  'disk-snapshot-delete': { running: 'dropSnapshot', off: 'dropSnapshotOff', suspended: 'dropSnapshotSaved' },
} as const satisfies Readonly<Record<DeviceAction, Row>>;

/** By what it is done to a VM that does this; undefined: it is not. */
export function deviceVerb(action: DeviceAction, from: Moving['from']): DeviceVerb | undefined {
  const row: Row = deviceActions[action];
  return row[from];
}

export const devicesOf = ({ nics = [], disks = [] }: Pick<Vm, 'nics' | 'disks'>): Devices => ({ nics, disks });

/** Ids given so far: what a VM has was given them in order, unless it says more. */
const idsOf = ({ nics = [], disks = [], device_ids }: DevicesVm): { nic: number; disk: number } =>
  device_ids ?? { nic: nics.length, disk: disks.length };

type DevicesVm = Pick<Vm, '_id' | 'nics' | 'disks' | 'device_ids'>;

const twelveBits = 4_096;

/** The address of a NIC. It need not be told apart from those of other installations: networks will give their own. */
export function macOf(vm: number, { mac, nic_id }: Pick<Nic, 'mac' | 'nic_id'>): string {
  if (mac !== undefined) return mac;
  const number = (vm % 2 ** 28) * twelveBits + (nic_id % twelveBits);
  const bytes = number.toString(16).padStart(10, '0').match(/../g) ?? [];
  return ['02', ...bytes].join(':');
}

/** What comes of a change that somebody asks for; or why nothing does. */
type DevicePlan =
  | { change: PlannedChange; device_ids: { nic: number; disk: number } }
  | { code: 'not_found' | 'wrong_state'; why: string };

/**
 * Decides ids, target and place in the tree of snapshots; refuses what the VM's devices do not let happen. `image`: the one that a disk is
 * to be made of.
 */
export function planChange(vm: DevicesVm, change: DeviceChange, now: Date, image?: DiskSource): DevicePlan {
  const { _id: id } = vm;
  const { nics, disks } = devicesOf(vm);
  const device_ids = idsOf(vm);
  const refused = (why: string): DevicePlan => ({ code: 'wrong_state', why });
  switch (change.action) {
    case 'nic-attach': {
      if (nics.length >= limits.nics.most) return refused(`VM ${id} has ${nics.length} NICs, and may have no more.`);
      if (device_ids.nic >= twelveBits)
        return refused(`VM ${id} has had ${twelveBits} NICs, and may have no more: make it anew.`);
      const { network, mac: wish, model, security_groups } = change.nic;
      const nic: Nic = {
        ...{ nic_id: device_ids.nic, network: `${network}` },
        ...(wish !== undefined && { mac: wish }),
        ...(model !== undefined && { model }),
        ...(security_groups !== undefined && { security_groups }),
      };
      const mac = macOf(id, nic);
      const same = nics.find((other) => macOf(id, other) === mac);
      if (same) return refused(`VM ${id} has ${mac} already: it is that of its NIC ${same.nic_id}.`);
      return { change: { action: 'nic-attach', nic }, device_ids: { ...device_ids, nic: device_ids.nic + 1 } };
    }
    case 'nic-detach':
      return nics.some(({ nic_id }) => nic_id === change.nic_id)
        ? { change, device_ids }
        : { code: 'not_found', why: `VM ${id} has no NIC ${change.nic_id}.` };
    case 'disk-attach': {
      if (disks.length >= limits.disks.most)
        return refused(`VM ${id} has ${disks.length} disks, and may have no more.`);
      const taken = disks.map(({ target }) => target);
      const wish = wishOfDisk(device_ids.disk, change.disk);
      if (wish?.target !== undefined && taken.includes(wish.target))
        return refused(`VM ${id} has a disk at ${wish.target} already.`);
      if (!wish) return refused(`VM ${id} is to have a disk of nothing.`);
      const { disks: made, findings } = disksOf([wish], new Map(image ? [[wish.disk_id, image]] : []), taken);
      const [disk] = made;
      // As the request has it: `DISK/3/SIZE must be …`.
      if (!disk)
        return refused(
          `The disk cannot be attached: ${findings.map((one) => one.replace(/^DISK\/\d+\//, '')).join('; ')}.`,
        );
      return { change: { action: 'disk-attach', disk }, device_ids: { ...device_ids, disk: device_ids.disk + 1 } };
    }
    case 'disk-detach':
    case 'disk-resize':
    case 'disk-snapshot-create':
    case 'disk-snapshot-revert':
    case 'disk-snapshot-delete': {
      const disk = disks.find(({ disk_id }) => disk_id === change.disk_id);
      if (!disk) return { code: 'not_found', why: `VM ${id} has no disk ${change.disk_id}.` };
      return { ...planOnDisk(id, disk, change, now), device_ids };
    }
  }
}

type OnDisk = Extract<DeviceChange, { disk_id: number }>;

function planOnDisk(
  id: number,
  disk: Disk,
  change: OnDisk,
  now: Date,
): { change: PlannedChange } | { code: 'not_found' | 'wrong_state'; why: string } {
  const refused = (why: string) => ({ code: 'wrong_state', why: `Disk ${disk.disk_id} of VM ${id} ${why}` }) as const;
  const lacks = (wish: number) =>
    disk.snapshots.some(({ snapshot_id }) => snapshot_id === wish)
      ? null
      : ({ code: 'not_found', why: `Disk ${disk.disk_id} of VM ${id} has no snapshot ${wish}.` } as const);
  switch (change.action) {
    case 'disk-detach':
      return { change };
    case 'disk-resize':
      if (disk.image?.way === 'use')
        return refused(`is image ${disk.image.id} (${disk.image.name}) itself, and stays as large as that.`);
      if (change.size <= disk.size) return refused(`has ${disk.size} MB: it can be made larger, and not smaller.`);
      if (disk.snapshots.length > 0) return refused('has snapshots: it can be made larger when they are deleted.');
      return { change };
    case 'disk-snapshot-create': {
      if (disk.readonly) return refused('is only read: there is nothing to keep.');
      if (disk.format !== 'qcow2') return refused(`is ${disk.format}, which has no snapshots: qcow2 disks do.`);
      const { most } = limits.diskSnapshots;
      if (disk.snapshots.length >= most) return refused(`has ${most} snapshots, and may have no more: delete one.`);
      const { action, disk_id, name } = change;
      const snapshot = { snapshot_id: disk.snapshot_ids, name, parent: disk.current, taken_at: now };
      return { change: { action, disk_id, snapshot } };
    }
    case 'disk-snapshot-revert':
      return lacks(change.snapshot_id) ?? { change };
    case 'disk-snapshot-delete': {
      const { snapshot_id: wish } = change;
      const lacking = lacks(wish);
      if (lacking) return lacking;
      if (disk.current === wish) return refused(`is written after snapshot ${wish}: revert it to another one first.`);
      const after = disk.snapshots.find(({ parent }) => parent === wish);
      if (after) return refused(`has snapshot ${after.snapshot_id} after ${wish}: delete that one first.`);
      return { change };
    }
  }
}

/** What a VM has when a change of its devices is done. Done twice it is done once. */
export function devicesAfter({ nics, disks }: Devices, change: PlannedChange): { nics: Nic[]; disks: Disk[] } {
  const on = (id: number, edit: (disk: Disk) => Disk) => disks.map((disk) => (disk.disk_id === id ? edit(disk) : disk));
  switch (change.action) {
    case 'nic-attach': {
      const others = nics.filter(({ nic_id }) => nic_id !== change.nic.nic_id);
      return { nics: [...others, change.nic], disks: [...disks] };
    }
    case 'nic-detach':
      return { nics: nics.filter(({ nic_id }) => nic_id !== change.nic_id), disks: [...disks] };
    case 'disk-attach': {
      const others = disks.filter(({ disk_id }) => disk_id !== change.disk.disk_id);
      return { nics: [...nics], disks: [...others, change.disk] };
    }
    case 'disk-detach':
      return { nics: [...nics], disks: disks.filter(({ disk_id }) => disk_id !== change.disk_id) };
    case 'disk-resize':
      return { nics: [...nics], disks: on(change.disk_id, (disk) => ({ ...disk, size: change.size })) };
    case 'disk-snapshot-create': {
      const { snapshot } = change;
      const { snapshot_id: id } = snapshot;
      return {
        nics: [...nics],
        disks: on(change.disk_id, (disk) => ({
          ...disk,
          snapshots: [...disk.snapshots.filter(({ snapshot_id }) => snapshot_id !== id), snapshot],
          ...{ current: id, snapshot_ids: Math.max(disk.snapshot_ids, id + 1) },
        })),
      };
    }
    case 'disk-snapshot-revert':
      return { nics: [...nics], disks: on(change.disk_id, (disk) => ({ ...disk, current: change.snapshot_id })) };
    case 'disk-snapshot-delete':
      return {
        nics: [...nics],
        disks: on(change.disk_id, (disk) => ({
          ...disk,
          snapshots: disk.snapshots.filter(({ snapshot_id }) => snapshot_id !== change.snapshot_id),
        })),
      };
  }
}

/**
 * Of a VM that leaves its host: snapshots of disks that were its host's are of the domain that it had, those in a datastore stay there. What was in doubt is nothing
 * any more. `anew`: its disks are made anew, but for images that they are themselves.
 */
export const disksAway = (
  { disks, datastore, device_change }: Pick<Vm, 'disks' | 'datastore' | 'device_change'>,
  anew = false,
) => {
  const stay = ({ image }: Disk): boolean => Boolean(datastore) && (!anew || image?.way === 'use');
  return {
    ...(disks?.some((disk) => disk.snapshots.length > 0 && !stay(disk)) && {
      disks: disks.map((disk) => (stay(disk) ? disk : { ...disk, snapshots: [], current: null })),
    }),
    ...(device_change?.open && { device_change: null }),
  };
};

/** What a change is for what lies in a datastore; null: nothing. */
export function snapshotChange(
  change: PlannedChange,
): { disk: number; do: 'take' | 'revert' | 'drop'; snapshot: number } | null {
  switch (change.action) {
    case 'disk-snapshot-create':
      return { disk: change.disk_id, do: 'take', snapshot: change.snapshot.snapshot_id };
    case 'disk-snapshot-revert':
      return { disk: change.disk_id, do: 'revert', snapshot: change.snapshot_id };
    case 'disk-snapshot-delete':
      return { disk: change.disk_id, do: 'drop', snapshot: change.snapshot_id };
    case 'nic-attach':
    case 'nic-detach':
    case 'disk-attach':
    case 'disk-detach':
    case 'disk-resize':
      return null;
  }
}

/** Whether what a host has of a VM shows that a change, made under this epoch, was done. */
export function wasDone(change: PlannedChange, epoch: number, { nics, disks }: DomainDevices): boolean {
  const at = (id: number) => disks.find(({ disk_id }) => disk_id === id);
  switch (change.action) {
    case 'nic-attach':
      return nics.some(({ nic_id }) => nic_id === change.nic.nic_id);
    case 'nic-detach':
      return !nics.some(({ nic_id }) => nic_id === change.nic_id);
    case 'disk-attach':
      return at(change.disk.disk_id) !== undefined;
    case 'disk-detach':
      return at(change.disk_id) === undefined;
    case 'disk-resize':
      return at(change.disk_id)?.size === change.size;
    case 'disk-snapshot-create':
      return at(change.disk_id)?.snapshots.includes(change.snapshot.snapshot_id) ?? false;
    case 'disk-snapshot-revert':
      return at(change.disk_id)?.reverted === epoch;
    case 'disk-snapshot-delete':
      return !(at(change.disk_id)?.snapshots.includes(change.snapshot_id) ?? false);
  }
}

const domainNic = (vm: number, nic: Nic): DomainDevices['nics'][number] => ({
  ...{ nic_id: nic.nic_id, mac: macOf(vm, nic), network: nic.network },
  ...(nic.model !== undefined && { model: nic.model }),
  ...(typeof nic.lease?.ip === 'string' && { ip: nic.lease.ip }),
  ...(nic.lease && { bridge: nic.lease.bridge }),
  ...(typeof nic.lease?.vlan_id === 'number' && { vlan_id: nic.lease.vlan_id }),
});

const domainDisk = ({ disk_id, target, type, size, format, readonly, options, snapshots, current }: Disk) => ({
  ...{ disk_id, target, type, size, format, current },
  ...(readonly && { readonly }),
  ...(options && { options }),
  snapshots: snapshots.map(({ snapshot_id }) => snapshot_id),
  reverted: null,
});

/** As people are shown them. */
export const shownNics = ({ _id, nics = [] }: Pick<Vm, '_id' | 'nics'>) =>
  nics.map((nic) => ({
    ...{ nic_id: nic.nic_id, network: nic.network, network_id: nic.lease?.network ?? null, mac: macOf(_id, nic) },
    ...{ ip: nic.lease?.ip ?? null, ip6_link: nic.lease?.ip6_link ?? null },
    ...{ ip6_global: nic.lease?.ip6_global ?? null, ip6_ula: nic.lease?.ip6_ula ?? null },
    ...{ bridge: nic.lease?.bridge ?? null, vlan_id: nic.lease?.vlan_id ?? null, model: nic.model ?? null },
    security_groups: nic.lease ? (nic.security_groups ?? [defaultSecurityGroup]) : [],
  }));

/** What a domain of the VM is made with. */
export const domainDevices = (vm: Pick<Vm, '_id' | 'nics' | 'disks'>): DomainDevices => ({
  nics: (vm.nics ?? []).map((nic) => domainNic(vm._id, nic)),
  disks: (vm.disks ?? []).map(domainDisk),
});

/** What a hypervisor is told of a change. */
export function domainChange(vm: number, change: PlannedChange): DomainChange {
  switch (change.action) {
    case 'nic-attach':
      return { action: change.action, nic: domainNic(vm, change.nic) };
    case 'disk-attach':
      return { action: change.action, disk: domainDisk(change.disk) };
    case 'disk-snapshot-create':
      return { action: change.action, disk_id: change.disk_id, snapshot_id: change.snapshot.snapshot_id };
    case 'nic-detach':
    case 'disk-detach':
    case 'disk-resize':
    case 'disk-snapshot-revert':
    case 'disk-snapshot-delete':
      return change;
  }
}

/** What the disks of a VM come to where they lie, when a change of them is done or under way: the most of before and after. */
export function megabytesAfter(vm: Pick<Vm, 'nics' | 'disks'>, change: PlannedChange): number {
  const of = (disks: readonly Disk[]): number => storageWish(disks)?.mb ?? 0;
  return Math.max(of(devicesOf(vm).disks), of(devicesAfter(devicesOf(vm), change).disks));
}

/** Whether an operation has changed the devices of the VM, as was asked of it. */
export const hasChanged = (
  { device_change: last }: Pick<Vm, 'device_change'>,
  { _id }: Pick<Operation, '_id'>,
): boolean => last?.op === _id && !last.open;
