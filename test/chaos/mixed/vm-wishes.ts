import { VmSwitch } from '../../../schemas/operations/vm-action.js';
import { RecoverAction } from '../../../schemas/vms/vm.js';
import { type VmActionName, vmActions } from '../../../schemas/vms/vm-actions.js';
import { about, admitted, type Kind, type Pick, type Seen, type SeenVm, said, type Wish } from './wish.js';

/** More VMs without a service than these are not made. */
const most = 6;

/** What needs nothing more to be said. */
const switches = VmSwitch.exclude(['snapshot-revert', 'snapshot-delete']).options;

/** Numbers of NICs, disks and snapshots: some are often there, and some never. */
const few = [0, 1, 2];

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
    wish: toVm('disk-attach', (vm) => admitted(path(vm, 'disks'), { type: 'fs', size: 64, format: 'qcow2' })),
  },
  {
    name: 'detach a disk',
    weight: 2,
    wish: toVm('disk-detach', (vm, _seen, pick) => admitted(`${diskOf(vm, pick)}/detach`)),
  },
  {
    name: 'resize a disk',
    weight: 1,
    wish: toVm('disk-resize', (vm, _seen, pick) => admitted(`${diskOf(vm, pick)}/resize`, { size: 128 })),
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
    weight: 4,
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
    weight: 1,
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
      said(path(vm, 'updateconf'), { template: { OS: { BOOT: 'nic0' } }, append: true }),
    ),
  },
  ...ofDevices,
];
