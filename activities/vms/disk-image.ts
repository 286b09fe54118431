import { createStorageDemands } from '../../domain/placement/placement-datastores.js';
import { Problem } from '../../domain/problems.js';
import { whyNotThere } from '../../domain/storage/image-copies.js';
import { type DiskSource, imageWishes, storageWish, wishOfDisk } from '../../domain/vms/disk-wishes.js';
import { placeOf } from '../../domain/vms/stays.js';
import { megabytesAfter } from '../../domain/vms/vm-devices.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { DeviceChange, DiskImage, PlannedChange } from '../../schemas/operations/vm-devices.js';
import type { VmDatastore } from '../../schemas/vms/vm.js';
import { seenUser } from '../../store/identity/seen-user.js';
import { imagesWished } from '../../store/vms/disk-images.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';

type Ports = Pick<StepPorts, 'store' | 'directory'>;
type Asked = Pick<Operation, 'requester'> & { input: { change: DeviceChange } };

/**
 * The image that a disk is to be made of; of any other change, undefined. Throws as `imagesWished`: whoever has asked for it may have lost the image
 * meanwhile, and somebody else may have taken it.
 */
export async function imageOfChange(
  { store, directory }: Ports,
  { uid: owner }: WorkVm,
  { requester, input: { change } }: Asked,
): Promise<DiskSource | undefined> {
  const wish = change.action === 'disk-attach' ? wishOfDisk(0, change.disk) : null;
  const where = { images: store.images, users: directory.users };
  const maker = async () => (await seenUser(directory, requester.id))?.caller ?? null;
  return (await imagesWished(where, imageWishes(wish ? [wish] : []), { owner, maker })).get(0);
}

/** Why a disk of an image cannot be made in a datastore; null: it can. */
async function whyApart(store: Ports['store'], image: DiskImage, at: number): Promise<string | null> {
  const found = await store.datastores.byIds([image.datastore, at]);
  const [from, to] = [image.datastore, at].map((id) => found.find(({ _id }) => _id === id));
  return from && to ? whyNotThere(image, from, to) : null;
}

/**
 * The datastore of a VM as a change of its disks is to find it: with what that may come to there. undefined: as it is. One that has none yet is given the
 * best that its host reaches. Throws `wrong_state` where there is none.
 */
export async function datastoreOfChange(
  { store }: Pick<StepPorts, 'store'>,
  vm: WorkVm,
  change: PlannedChange,
): Promise<VmDatastore | undefined> {
  const at = new Date();
  if (change.action !== 'disk-attach' && change.action !== 'disk-resize') return;
  const { datastore, disks = [] } = vm;
  const image = change.action === 'disk-attach' ? change.disk.image : undefined;
  if (datastore) {
    const why = image && (await whyApart(store, image, datastore.id));
    if (why) throw new Problem('wrong_state', `The disk cannot be made where those of VM ${vm._id} are: ${why}.`);
    return { ...datastore, mb: megabytesAfter(vm, change), at };
  }
  // Of VMs of before, their hosts have the volatile ones.
  if (change.action === 'disk-resize' || (disks.length > 0 && !image)) return;
  const host = (await store.hosts.snapshot()).find(({ id }) => id === placeOf(vm)?.hid);
  const wish = storageWish([...disks, change.disk]);
  if (!host || !wish) return;
  const datastores = await store.vmDatastores.snapshot();
  const demand = createStorageDemands(datastores).of(wish);
  const refusal = demand.refuses(host);
  const best = refusal ? undefined : demand.take(host);
  const found = datastores.find(({ _id }) => _id === best);
  if (!found) throw new Problem('wrong_state', `Host ${host.name} ${refusal?.text ?? 'has no datastore for it'}.`);
  return { id: found._id, ds_mad: found.ds_mad, mb: wish.mb, at };
}
