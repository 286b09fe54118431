import { z } from 'zod';
import type { OperationResource } from '../../../schemas/operations/operation-resource.js';
import type { DeviceAction } from '../../../schemas/operations/vm-devices.js';
import { AttachDisk, AttachNic, ResizeDisk, SnapshotDisk } from '../../../schemas/vms/vm.js';
import { PathId } from '../../http/path-id.js';
import { accepted, ids, buildServer as vm } from '../operations/operations-examples.js';
import { accepts, ById, json, NoQuery, noBody, type Route, route } from '../route.js';

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
    summary: 'Attach a volatile disk to a VM',
    description:
      'For VMs that are RUNNING or POWEROFF. It is empty, and goes with the VM. Disks of images come with images, which Arcus has none of yet.',
    params: ById,
    body: json(AttachDisk.meta({ id: 'AttachDisk' })),
    examples: [
      {
        params: { id: '3' },
        body: { type: 'fs', size: 1024, format: 'qcow2' },
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
        params: { id: '3', disk: '1' },
        body: { size: 2048 },
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
        params: { id: '3', disk: '1' },
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
          params: { id: '3', disk: '1', snapshot: deed === 'revert' ? '0' : '1' },
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
    id: 'detachDisk',
    path: '/vms/{id}/disks/{disk}/detach',
    summary: 'Detach a disk from a VM',
    description: 'For VMs that are RUNNING or POWEROFF. A volatile disk is gone with its snapshots then.',
    params: DiskOfVm,
    body: noBody,
    examples: [{ params: { id: '3', disk: '1' }, answer: asked('diskDetach', 'disk-detach', '09:42:20') }],
    handle: ({ vms }, { caller, params, admission }) =>
      vms.changeDevices(caller, params.id, { action: 'disk-detach', disk_id: params.disk }, admission),
  }),
];
