import { z } from 'zod';
import type { OperationResource } from '../../../schemas/operations/operation-resource.js';
import type { DeviceAction } from '../../../schemas/operations/vm-devices.js';
import { RestoreDisk, SaveDisk } from '../../../schemas/storage/image.js';
import { AttachDisk, AttachNic, ResizeDisk, SnapshotDisk } from '../../../schemas/vms/vm.js';
import { PathId } from '../../http/path-id.js';
import { accepted, ids, buildServer as vm } from '../operations/operations-examples.js';
import { accepts, ById, json, NoQuery, noBody, type Route, route } from '../route.js';
import { intoDatastore } from '../storage/images.js';

const NicOfVm = z.strictObject({ id: PathId, nic: PathId });
const DiskOfVm = z.strictObject({ id: PathId, disk: PathId });
const SnapshotOfDisk = z.strictObject({ id: PathId, disk: PathId, snapshot: PathId });

const given = {
  method: 'post',
  tag: 'VMs',
  needs: [['manage', 'vm']],
  query: NoQuery,
  answer: accepts,
  problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
} as const;

const asked = (id: keyof typeof ids, action: DeviceAction, time: string): OperationResource => ({
  ...accepted(ids[id], 'changeDevices', vm, time),
  action,
});

/** NICs and disks of a VM. */
export const vmDeviceRoutes: readonly Route[] = [
  route({
    ...given,
    id: 'attachNic',
    path: '/vms/{id}/nics',
    summary: 'Attach a NIC to a VM',
    description:
      'For VMs that are RUNNING or POWEROFF. Its id is given to no other NIC of the VM. It takes an address of its network, on which you need USE, and gives it back where it is not attached.',
    params: ById,
    body: json(AttachNic.meta({ id: 'AttachNic' })),
    problems: [...given.problems, 'in_use'],
    examples: [
      {
        params: { id: '3' },
        body: { network: 'public', model: 'virtio' },
        answer: asked('nicAttach', 'nic-attach', '09:39:40'),
      },
    ],
    handle: ({ vms }, { caller, params, body, admission }) =>
      vms.changeDevices(caller, params.id, { action: 'nic-attach', nic: body }, admission),
  }),
  route({
    ...given,
    id: 'detachNic',
    path: '/vms/{id}/nics/{nic}/detach',
    summary: 'Detach a NIC from a VM',
    description: 'For VMs that are RUNNING or POWEROFF.',
    params: NicOfVm,
    body: noBody,
    examples: [{ params: { id: '3', nic: '0' }, answer: asked('nicDetach', 'nic-detach', '09:40:00') }],
    handle: ({ vms }, { caller, params, admission }) =>
      vms.changeDevices(caller, params.id, { action: 'nic-detach', nic_id: params.nic }, admission),
  }),
  route({
    ...given,
    id: 'attachDisk',
    path: '/vms/{id}/disks',
    summary: 'Attach a disk to a VM',
    description:
      'For VMs that are RUNNING or POWEROFF. Of an image, on which you need USE: a copy of it, or the image itself where that is persistent, a CD-ROM, or only read. Or a volatile one, which is empty. It takes room in the system datastore of the VM.',
    params: ById,
    body: json(AttachDisk.meta({ id: 'AttachDisk' })),
    problems: [...given.problems, 'in_use'],
    examples: [
      {
        params: { id: '3' },
        body: { type: 'fs', size: 256, format: 'qcow2' },
        answer: asked('diskAttach', 'disk-attach', '09:40:20'),
      },
    ],
    handle: ({ vms }, { caller, params, body, admission }) =>
      vms.changeDevices(caller, params.id, { action: 'disk-attach', disk: body }, admission),
  }),
  route({
    ...given,
    id: 'resizeDisk',
    path: '/vms/{id}/disks/{disk}/resize',
    summary: 'Make a disk of a VM larger',
    description: 'For VMs that are RUNNING or POWEROFF, and disks without snapshots.',
    params: DiskOfVm,
    body: json(ResizeDisk.meta({ id: 'ResizeDisk' })),
    examples: [
      {
        params: { id: '3', disk: '0' },
        body: { size: 512 },
        answer: asked('diskResize', 'disk-resize', '09:40:40'),
      },
    ],
    handle: ({ vms }, { caller, params, body, admission }) =>
      vms.changeDevices(caller, params.id, { action: 'disk-resize', disk_id: params.disk, ...body }, admission),
  }),
  route({
    ...given,
    id: 'snapshotDisk',
    path: '/vms/{id}/disks/{disk}/snapshots',
    summary: 'Take a snapshot of a disk of a VM',
    description:
      'For VMs that are RUNNING, POWEROFF or SUSPENDED, and qcow2 disks. What is written from then on comes after it.',
    params: DiskOfVm,
    body: json(SnapshotDisk.meta({ id: 'SnapshotDisk' })),
    examples: [
      {
        params: { id: '3', disk: '0' },
        body: { name: 'before the upgrade' },
        answer: asked('diskSnapshot', 'disk-snapshot-create', '09:41:00'),
      },
    ],
    handle: ({ vms }, { caller, params, body, admission }) =>
      vms.changeDevices(
        caller,
        params.id,
        { action: 'disk-snapshot-create', disk_id: params.disk, ...body },
        admission,
      ),
  }),
  ...(['revert', 'delete'] as const).map((deed) =>
    route({
      ...given,
      id: `${deed}DiskSnapshot`,
      path: `/vms/{id}/disks/{disk}/snapshots/{snapshot}/${deed}`,
      summary: deed === 'revert' ? 'Revert a disk of a VM to a snapshot' : 'Delete a snapshot of a disk of a VM',
      description:
        deed === 'revert'
          ? 'For VMs that are POWEROFF or SUSPENDED. What was written after it is not there any more, but for what other snapshots hold.'
          : 'For VMs that are RUNNING, POWEROFF or SUSPENDED. Neither the one that the disk is written after, nor one that others come after.',
      params: SnapshotOfDisk,
      body: noBody,
      examples: [
        {
          params: { id: '3', disk: '0', snapshot: deed === 'revert' ? '0' : '1' },
          answer: asked(
            deed === 'revert' ? 'diskRevert' : 'snapshotDelete',
            `disk-snapshot-${deed}`,
            deed === 'revert' ? '09:41:20' : '09:42:00',
          ),
        },
      ],
      handle: ({ vms }, { caller, params: { id, disk: disk_id, snapshot: snapshot_id }, admission }) =>
        vms.changeDevices(caller, id, { action: `disk-snapshot-${deed}`, disk_id, snapshot_id }, admission),
    }),
  ),
  route({
    ...given,
    id: 'saveDisk',
    path: '/vms/{id}/disks/{disk}/save',
    summary: 'Save a disk of a VM as an image',
    description:
      'For VMs that are RUNNING, POWEROFF or SUSPENDED, of which nothing else is done while its bytes are copied. The image is yours, LOCKED until it is there, and stands on no other. A VM of a kind of hypervisor whose disks change while it runs is suspended or switched off first.',
    needs: [...given.needs, ['create', 'image'], intoDatastore],
    params: DiskOfVm,
    body: json(SaveDisk.meta({ id: 'SaveDisk' })),
    problems: [...given.problems, 'name_taken', 'quota_exceeded', 'datastore_full'],
    examples: [
      {
        params: { id: '3', disk: '0' },
        body: { name: 'build-server of May' },
        answer: { ...accepted(ids.diskSave, 'saveDisk', vm, '09:40:50'), image_id: 2 },
      },
    ],
    handle: ({ vms }, { caller, params: { id, disk }, body, admission }) =>
      vms.saveDisk(caller, { vm: id, disk }, body, admission),
  }),
  route({
    ...given,
    id: 'restoreDisk',
    path: '/vms/{id}/disks/{disk}/restore',
    summary: 'Make a disk of a VM what an image is',
    description:
      'For VMs that are POWEROFF or UNDEPLOYED, and disks without snapshots. The bytes are copied, as large as the disk is, and take its place in one go: until then, and whatever fails, the disk is what it was. Until the end the VM uses the image, which is not larger than the disk. A persistent image of which the disk is the image itself becomes so.',
    needs: [...given.needs, ['use', 'image', { at: '/image_id' }]],
    params: DiskOfVm,
    body: json(RestoreDisk.meta({ id: 'RestoreDisk' })),
    problems: [...given.problems, 'in_use'],
    examples: [
      {
        params: { id: '3', disk: '0' },
        body: { image_id: 2 },
        answer: accepted(ids.diskRestore, 'restoreDisk', vm, '09:40:55'),
      },
    ],
    handle: ({ vms }, { caller, params: { id, disk }, body, admission }) =>
      vms.restoreDisk(caller, { vm: id, disk }, body, admission),
  }),
  route({
    ...given,
    id: 'detachDisk',
    path: '/vms/{id}/disks/{disk}/detach',
    summary: 'Detach a disk from a VM',
    description:
      'For VMs that are RUNNING or POWEROFF. It is gone with its snapshots then, but for a persistent image, which is as the VM has left it.',
    params: DiskOfVm,
    body: noBody,
    examples: [{ params: { id: '3', disk: '0' }, answer: asked('diskDetach', 'disk-detach', '09:42:20') }],
    handle: ({ vms }, { caller, params, admission }) =>
      vms.changeDevices(caller, params.id, { action: 'disk-detach', disk_id: params.disk }, admission),
  }),
];
