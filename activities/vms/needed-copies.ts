import { Problem, type ProblemCode } from '../../domain/problems.js';
import { canBring, copyId, isAlwaysBeside, isBeside } from '../../domain/storage/image-copies.js';
import type { DiskImage } from '../../schemas/operations/vm-devices.js';
import type { CopyWish } from '../../store/vms/copy-claims.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';

/** Why an image could not be brought to a datastore, for the VMs that need it there. */
export type Unbrought = { image: number; datastore: number; code: ProblemCode; detail: string };

type CopyingVm = Pick<WorkVm, '_id' | 'disks' | 'datastore' | 'device_change'>;

/** Images of the disks that a VM has, or is about to have. One that is persistent is used where it is, or not at all. */
function imagesOf({ disks = [], device_change: last }: CopyingVm): DiskImage[] {
  const all = last?.open && last.change.action === 'disk-attach' ? [...disks, last.change.disk] : disks;
  return all.flatMap(({ image }) => (image && !image.persistent ? [image] : []));
}

/**
 * The copies of images that disks of VMs are to stand on: of those that lie elsewhere than the datastores of these disks. What lies where was read once, for all of
 * them; where nothing can lie elsewhere, nothing is.
 */
export async function neededCopies(
  { store }: Pick<StepPorts, 'store'>,
  vms: readonly CopyingVm[],
): Promise<CopyWish[]> {
  const apart = vms.flatMap(({ _id: vm, datastore, ...its }) =>
    datastore
      ? imagesOf({ _id: vm, datastore, ...its })
          .filter(({ ds_mad }) => !isAlwaysBeside(ds_mad, datastore.ds_mad))
          .map((image) => ({ vm, image, at: datastore.id }))
      : [],
  );
  if (apart.length === 0) return [];
  const ids = new Set(apart.flatMap(({ image, at }) => [image.datastore, at]));
  const known = new Map((await store.datastores.byIds([...ids])).map((one) => [one._id, one]));
  const wishes = new Map<string, CopyWish & { vms: number[] }>();
  for (const { vm, image, at } of apart) {
    const [from, to] = [known.get(image.datastore), known.get(at)];
    if (!from || !to || isBeside(from, to) || !canBring(from.ds_mad, to.ds_mad)) continue;
    const place = { image: image.id, datastore_id: at };
    const wish = wishes.get(copyId(place)) ?? { ...place, ds_mad: to.ds_mad, vms: [] };
    if (!wish.vms.includes(vm)) wish.vms.push(vm);
    wishes.set(copyId(place), wish);
  }
  return [...wishes.values()];
}

/**
 * Those of them of which disks can be made now, which nobody removes as long as these VMs are there; and those that are to be brought
 * first.
 */
export async function copiesThere(
  { store }: Pick<StepPorts, 'store'>,
  wishes: readonly CopyWish[],
): Promise<{ there: ReadonlySet<string>; missing: CopyWish[] }> {
  if (wishes.length === 0) return { there: new Set(), missing: [] };
  const there = new Set<string>();
  const images = new Map((await store.images.byIds(wishes.map(({ image }) => image))).map((one) => [one._id, one]));
  for (const wish of wishes) {
    const image = images.get(wish.image);
    if (image && (await store.imageCopies.use(wish, image))) there.add(copyId(wish));
  }
  return { there, missing: wishes.filter((wish) => !there.has(copyId(wish))) };
}

/** Those that disks of this VM are to stand on. Throws where one has not been brought yet: that takes too long for a step at hosts. */
export async function demandedCopies(ports: Pick<StepPorts, 'store'>, vm: CopyingVm): Promise<ReadonlySet<string>> {
  const { there, missing } = await copiesThere(ports, await neededCopies(ports, [vm]));
  const [first] = missing;
  if (first)
    throw new Problem('wrong_state', `Image ${first.image} has not been brought to datastore ${first.datastore_id}.`);
  return there;
}
