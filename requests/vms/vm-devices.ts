import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { chargeOfHad } from '../../domain/identity/quotas.js';
import { Problem } from '../../domain/problems.js';
import { type DiskSource, imageWishes, wishOfDisk } from '../../domain/vms/disk-wishes.js';
import { wishOfNic } from '../../domain/vms/nic-wishes.js';
import { statesOf } from '../../domain/vms/vm-action-states.js';
import { planChange } from '../../domain/vms/vm-devices.js';
import { hadOf } from '../../domain/vms/vm-had.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { DeviceChange, NewNic } from '../../schemas/operations/vm-devices.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { refuseWhereNone } from '../../store/networks/nic-addresses.js';
import { imagesWished } from '../../store/vms/disk-images.js';
import { networksWished } from '../../store/vms/nic-networks.js';
import { demandOn } from '../acts/acts.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, repeatedRequest } from '../operations/admit.js';
import { refuseUnable } from './refuse-unable.js';
import { beginOnVm, findVm } from './vm-recovery.js';

/** Attaches, detaches or changes a NIC or a disk of a VM, as its state and what it has let it happen. */
export async function changeDevices(
  context: OperationsContext,
  caller: Caller,
  id: number,
  change: DeviceChange,
  admission: Admission,
): Promise<OperationResource> {
  const asked = { request: { deed: 'changeDevices', id, change }, admission };
  await findVm(context, caller, id, { do: 'changeDevices', change });
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  return repeated ?? changeDevicesAgain(context, caller, id, change, asked);
}

export async function changeDevicesAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  change: DeviceChange,
  asked: Asked,
): Promise<OperationResource> {
  const act: Act = { do: 'changeDevices', change };
  const vm = await findVm(context, caller, id, act);
  await demandOn(context.store, act, { type: 'vm', vm, service: null });
  refuseUnable(vm, change.action);
  // Of one of which a change before is in doubt the step looks first.
  const image = await imageWished(context, caller, vm, change);
  const plan = vm.device_change?.open ? null : planChange(vm, change, new Date(), image);
  if (plan && 'why' in plan) throw new Problem(plan.code, plan.why);
  if (change.action === 'nic-attach') await refuseNetwork(context, caller, vm, change.nic);
  if (image && !vm.disks?.some((disk) => disk.image?.id === image._id))
    await context.store.quotas.refuseBeyond(owner(vm, caller), chargeOfHad(hadOf([], [image._id])));
  return beginOnVm(context, 'changeDevices', { change }, act, statesOf(change.action), caller, vm, asked);
}

/** The image that a disk is to be made of; the step asks the same. */
async function imageWished(
  { store, directory }: OperationsContext,
  caller: Caller,
  { uid: owner }: Vm,
  change: DeviceChange,
): Promise<DiskSource | undefined> {
  const wish = change.action === 'disk-attach' ? wishOfDisk(0, change.disk) : null;
  const asker = { owner, maker: async () => caller, pointer: '/image' };
  const where = { images: store.images, users: directory.users };
  return (await imagesWished(where, imageWishes(wish ? [wish] : []), asker)).get(0);
}

const owner = ({ uid, gid }: Vm, { id, name }: Caller) => ({ uid, gid, ...(uid === id && { uname: name }) });

/** The step that attaches it asks the same: who may be on the network, that it has an address left, and who may have one. */
async function refuseNetwork(
  { store, directory }: OperationsContext,
  caller: Caller,
  vm: Vm,
  nic: NewNic,
): Promise<void> {
  const where = { networks: store.networks, securityGroups: store.securityGroups, users: directory.users };
  const asker = { owner: vm.uid, maker: async () => caller, pointer: '/network' };
  for (const { at: network, ip, mac } of await networksWished(where, [wishOfNic(0, nic)], asker)) {
    await refuseWhereNone(store.leases, { network, ip, mac });
    await store.quotas.refuseBeyond(owner(vm, caller), chargeOfHad(hadOf([network], [])));
  }
}
