import { VmSwitch } from '../../../schemas/operations/vm-action.js';
import { RecoverAction } from '../../../schemas/vms/vm.js';
import { type VmActionName, vmActions } from '../../../schemas/vms/vm-actions.js';
import { ScheduledVmAction } from '../../../schemas/vms/vm-schedules.js';
import { imageName } from './image-wishes.js';
import { about, admitted, type Kind, type Pick, type Seen, type SeenVm, said, type Wish } from './wish.js';

/** More VMs without a service than these are not made. */
const most = 6;

/** What needs nothing more to be said. */
const switches = VmSwitch.exclude(['snapshot-revert', 'snapshot-delete']).options;

/** Numbers of NICs, disks and snapshots: some are often there, and some never. */
const few = [0, 1, 2];

/** In how many seconds what is scheduled is due: some of it when another client is at work there. */
const soon = [1, 2, 5, 10];

/** A VM of which the state lets this be done, three times of four; else any. */
function aimedAt(vms: readonly SeenVm[], action: VmActionName, pick: Pick): number | undefined {
  const { states }: { states: readonly string[] } = vmActions[action];
  const fitting = vms.filter(({ state }) => states.includes(state));
  const among = pick([fitting, fitting, fitting, vms]) ?? [];
  return pick(among.length > 0 ? among : vms)?.id;
}

const toVm = (action: VmActionName, wish: (vm: number, seen: Seen, pick: Pick) => Wish): Kind['wish'] => {
  return (seen, pick) => about(aimedAt(seen.vms, action, pick), (vm) => wish(vm, seen, pick));
};

/** As resizing, which VMs of services are refused. */
const toSingle = (action: VmActionName, wish: (vm: number, seen: Seen, pick: Pick) => Wish): Kind['wish'] => {
  return (seen, pick) => about(aimedAt(seen.singles, action, pick), (vm) => wish(vm, seen, pick));
};

/** As what few VMs are in a state for: where none is, seldom. The first disk is the one that is there from the start. */
const toFitting = (action: VmActionName, wish: (disk: string, seen: Seen, pick: Pick) => Wish): Kind['wish'] => {
  const { states }: { states: readonly string[] } = vmActions[action];
  return (seen, pick) => {
    const fitting = seen.singles.filter(({ state }) => states.includes(state));
    const among = pick([fitting, fitting, fitting, seen.vms]) ?? [];
    return about(pick(among), ({ id }) => wish(path(id, `disks/${pick([0, 0, 0, 1])}`), seen, pick));
  };
};

const path = (vm: number, rest: string): string => `/vms/${vm}/${rest}`;
const diskOf = (vm: number, pick: Pick): string => path(vm, `disks/${pick(few)}`);

const ofDevices: Kind[] = [
  {
    name: 'attach a NIC',
    weight: 2,
    wish: toVm('nic-attach', (vm) => admitted(path(vm, 'nics'), { network: 'public' })),
  },
  {
    name: 'detach a NIC',
    weight: 2,
    wish: toVm('nic-detach', (vm, _seen, pick) => admitted(path(vm, `nics/${pick(few)}/detach`))),
  },
  {
    name: 'attach a disk',
    weight: 3,
    wish: toVm('disk-attach', (vm) => admitted(path(vm, 'disks'), { type: 'fs', size: 8, format: 'qcow2' })),
  },
  {
    name: 'attach an image',
    weight: 2,
    wish: toSingle('disk-attach', (vm, { images }, pick) => admitted(path(vm, 'disks'), { image: pick(images) })),
  },
  {
    name: 'save a disk',
    weight: 6,
    wish: toFitting('disk-saveas', (disk, _seen, pick) => admitted(`${disk}/save`, imageName(pick))),
  },
  {
    name: 'restore a disk',
    weight: 8,
    wish: toFitting('disk-restore', (disk, { images, image }, pick) =>
      admitted(`${disk}/restore`, { image_id: pick([image, pick(images) ?? image]) }),
    ),
  },
  {
    name: 'detach a disk',
    weight: 2,
    wish: toVm('disk-detach', (vm, _seen, pick) => admitted(`${diskOf(vm, pick)}/detach`)),
  },
  {
    name: 'resize a disk',
    weight: 1,
    wish: toVm('disk-resize', (vm, _seen, pick) => admitted(`${diskOf(vm, pick)}/resize`, { size: 16 })),
  },
  {
    name: 'take a snapshot of a disk',
    weight: 2,
    wish: toVm('disk-snapshot-create', (vm, _seen, pick) =>
      admitted(`${diskOf(vm, pick)}/snapshots`, { name: 'before' }),
    ),
  },
  {
    name: 'revert a disk',
    weight: 2,
    wish: toVm('disk-snapshot-revert', (vm, _seen, pick) =>
      admitted(`${diskOf(vm, pick)}/snapshots/${pick(few)}/revert`),
    ),
  },
  {
    name: 'delete a snapshot of a disk',
    weight: 1,
    wish: toVm('disk-snapshot-delete', (vm, _seen, pick) =>
      admitted(`${diskOf(vm, pick)}/snapshots/${pick(few)}/delete`),
    ),
  },
];

/** What clients ask for of single VMs, be they of a service or not. */
export const vmWishes: readonly Kind[] = [
  {
    name: 'make a VM',
    weight: 6,
    wish: ({ singles, vmTemplate }, pick) =>
      singles.length < most
        ? admitted('/vms', { template_id: vmTemplate, hold: pick([false, false, true]) })
        : undefined,
  },
  {
    name: 'terminate a VM',
    weight: 4,
    wish: toVm('terminate', (vm, _seen, pick) => admitted(path(vm, 'terminate'), { hard: pick([true, false]) })),
  },
  {
    name: 'recover a VM',
    weight: 3,
    wish: ({ vms }, pick) =>
      about(pick(vms), ({ id }) => admitted(path(id, 'recover'), { action: pick(RecoverAction.options) })),
  },
  ...switches.map((action) => ({
    name: `${action} of a VM`,
    // Disks are restored of what is switched off.
    weight: action === 'poweroff-hard' ? 5 : 1,
    wish: toVm(action, (vm) => admitted(path(vm, 'actions'), { action })),
  })),
  ...(['snapshot-revert', 'snapshot-delete'] as const).map((action) => ({
    name: `${action} of a VM`,
    weight: 2,
    wish: toVm(action, (vm, _seen, pick) => admitted(path(vm, 'actions'), { action, snapshot: pick(few) })),
  })),
  { name: 'resume a VM', weight: 6, wish: toVm('resume', (vm) => admitted(path(vm, 'resume'))) },
  { name: 'hold a VM', weight: 2, wish: toVm('hold', (vm) => said(path(vm, 'hold'))) },
  { name: 'release a VM', weight: 3, wish: toSingle('release', (vm) => admitted(path(vm, 'release'))) },
  {
    name: 'deploy a VM to a host',
    weight: 2,
    wish: toVm('deploy', (vm, { hosts }, pick) => admitted(path(vm, 'deploy'), { host: pick(hosts) })),
  },
  {
    name: 'migrate a VM',
    weight: 6,
    wish: toVm('migrate', (vm, { hosts }, pick) =>
      admitted(path(vm, 'migrate'), { live: pick([true, false]), ...pick([{}, { host: pick(hosts) }]) }),
    ),
  },
  {
    name: 'mark a VM to be moved',
    weight: 2,
    wish: toVm('resched', (vm, _seen, pick) => said(path(vm, pick(['resched', 'resched', 'unresched']) ?? 'resched'))),
  },
  {
    name: 'schedule an action of a VM',
    weight: 4,
    wish: ({ vms }, pick) =>
      about(pick(vms), ({ id }) =>
        said(path(id, 'schedules'), {
          action: pick(ScheduledVmAction.options),
          start_time: new Date(Date.now() + (pick(soon) ?? 0) * 1_000).toISOString(),
        }),
      ),
  },
  {
    name: 'resize a VM',
    weight: 3,
    wish: toSingle('resize', (vm, _seen, pick) =>
      said(path(vm, 'resize'), pick([{ cpu: 0.5 }, { cpu: 2 }, { memory: 512 }])),
    ),
  },
  {
    name: 'configure a VM',
    weight: 1,
    wish: toVm('updateconf', (vm) =>
      said(path(vm, 'updateconf'), { template: { OS: { MACHINE: 'q35' } }, append: true }),
    ),
  },
  ...ofDevices,
];
