import { describe, expect, it } from 'vitest';
import { libvirtHypervisor } from '../../../adapters/hypervisor/libvirt/libvirt.js';
import { isUnable } from '../../../domain/vms/unable.js';
import { DeviceAction } from '../../../schemas/operations/vm-devices.js';
import type { VmActionName } from '../../../schemas/vms/vm-actions.js';

/** The call that each goes by. */
const calls = {
  stop: 'store',
  migrate: 'move',
  'migrate-live': 'migrate',
  suspend: 'suspend',
  'snapshot-create': 'snapshotCreate',
  'snapshot-revert': 'snapshotRevert',
  'snapshot-delete': 'snapshotDelete',
  'nic-attach': 'attachNic',
  'nic-detach': 'detachNic',
  'disk-attach': 'attachDisk',
  'disk-detach': 'detachDisk',
  'disk-resize': 'resizeDisk',
  'disk-snapshot-create': 'snapshotDisk',
  'disk-snapshot-revert': 'revertDisk',
  'disk-snapshot-delete': 'dropSnapshot',
} as const satisfies Partial<Record<VmActionName, string>>;
const names = Object.keys(calls).filter((name): name is keyof typeof calls => Object.hasOwn(calls, name));

describe('what hypervisors of a kind cannot do', () => {
  it('is what their adapter says', () => {
    const { can } = libvirtHypervisor('tests');
    for (const name of names) expect(isUnable('libvirt', name), name).toBe(!can[calls[name]]);
    for (const name of DeviceAction.options) expect(Object.hasOwn(calls, name), name).toBe(true);
  });

  it('is nothing of simulated ones, nor of kinds that nobody knows', () => {
    for (const name of names) for (const kind of ['simulated', 'kvm']) expect(isUnable(kind, name)).toBe(false);
  });
});
