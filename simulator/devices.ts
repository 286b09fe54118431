import type { DomainChange, DomainDevices } from '../schemas/operations/vm-devices.js';

type Disk = DomainDevices['disks'][number];

/** What a domain has after a change under this epoch; or that it is so already, or that what is named is not there. */
export function changedDevices(
  { nics, disks }: DomainDevices,
  change: DomainChange,
  epoch: number,
): DomainDevices | 'as it is' | 'not there' {
  switch (change.action) {
    case 'nic-attach':
      if (nics.some(({ nic_id }) => nic_id === change.nic.nic_id)) return 'as it is';
      return { nics: [...nics, change.nic], disks };
    case 'nic-detach': {
      const left = nics.filter(({ nic_id }) => nic_id !== change.nic_id);
      return left.length === nics.length ? 'as it is' : { nics: left, disks };
    }
    case 'disk-attach':
      if (disks.some(({ disk_id }) => disk_id === change.disk.disk_id)) return 'as it is';
      return { nics, disks: [...disks, change.disk] };
    case 'disk-detach': {
      const left = disks.filter(({ disk_id }) => disk_id !== change.disk_id);
      return left.length === disks.length ? 'as it is' : { nics, disks: left };
    }
    default: {
      const disk = disks.find(({ disk_id }) => disk_id === change.disk_id);
      const edited = disk ? changedDisk(disk, change, epoch) : 'not there';
      if (typeof edited === 'string') return edited;
      return { nics, disks: disks.map((one) => (one === disk ? edited : one)) };
    }
  }
}

type OnDisk = Exclude<Extract<DomainChange, { disk_id: number }>, { action: 'disk-detach' }>;

function changedDisk(disk: Disk, change: OnDisk, epoch: number): Disk | 'as it is' | 'not there' {
  switch (change.action) {
    case 'disk-resize':
      return disk.size === change.size ? 'as it is' : { ...disk, size: change.size };
    case 'disk-snapshot-create': {
      const { snapshot_id: id } = change;
      return disk.snapshots.includes(id) ? 'as it is' : { ...disk, snapshots: [...disk.snapshots, id], current: id };
    }
    case 'disk-snapshot-revert': {
      if (!disk.snapshots.includes(change.snapshot_id)) return 'not there';
      return disk.reverted === epoch ? 'as it is' : { ...disk, current: change.snapshot_id, reverted: epoch };
    }
    case 'disk-snapshot-delete': {
      const left = disk.snapshots.filter((id) => id !== change.snapshot_id);
      return left.length === disk.snapshots.length ? 'as it is' : { ...disk, snapshots: left };
    }
  }
}
