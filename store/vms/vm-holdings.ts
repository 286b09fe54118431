import type { Model } from 'mongoose';
import { added, chargeOfHad, isNothing, nothing, without } from '../../domain/identity/quotas.js';
import { bootFilesOf, imagesUsedBy } from '../../domain/vms/boot-files.js';
import { imagesOf } from '../../domain/vms/disk-wishes.js';
import { hadOf } from '../../domain/vms/vm-had.js';
import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { VmFile } from '../../schemas/vms/vm-files.js';
import type { ChargedOwner } from '../identity/quota-charges.js';
import type { QuotaStore } from '../identity/quotas.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import type { Leases } from '../networks/leases.js';
import type { NetworkStore } from '../networks/networks.js';
import type { ImageUse, ImageUses } from '../storage/image-uses.js';
import { attaching, nicsWithLeases, takesOf } from './vm-leases.js';

/** The disk that is about to be attached, or of which it is not settled whether it is. */
const attachingDisk = (last: Vm['device_change']): Disk[] =>
  last?.open && last.change.action === 'disk-attach' ? [last.change.disk] : [];

type Having = Pick<Vm, '_id' | 'nics' | 'disks' | 'files'>;

type ChargedVm = ChargedOwner & Pick<Vm, '_id' | 'charge'>;
const chargedFields = { uid: 1, gid: 1, charge: 1 } as const;

const charged = (vms: Model<Vm>, id: number, transaction: Transaction): Promise<ChargedVm | null> =>
  vms.findById(id, chargedFields).session(sessionOf(transaction)).lean<ChargedVm>().exec();

/** A file is read, however many do. */
const ofFile = ({ image }: VmFile) => ({ ...image, persistent: null });

/** What VMs are about to use of images, an image once. */
function usesOf(vms: readonly Having[]): ImageUse[] {
  const uses = new Map<number, ImageUse & { vms: number[] }>();
  for (const { _id: vm, disks = [], files } of vms)
    for (const image of [...disks.flatMap((disk) => disk.image ?? []), ...bootFilesOf(files).map(ofFile)]) {
      const { id, datastore, persistent } = image;
      const use = uses.get(id) ?? { image: id, datastore, persistent, vms: [] };
      uses.set(id, use);
      if (use.vms.at(-1) !== vm) use.vms.push(vm);
    }
  return [...uses.values()].sort((one, other) => one.image - other.image);
}

/**
 * What VMs have of what is not theirs: addresses of networks, and images. It is taken in the transaction that writes the VM, and goes back in the one in
 * which it is DONE, or has not the device any more.
 */
export function createVmHoldings({
  leases,
  uses,
  networks,
  quotas,
}: {
  leases: Leases;
  uses: ImageUses;
  networks: Pick<NetworkStore, 'find'>;
  quotas: QuotaStore;
}) {
  /** What quotas count of these, as they are in the transaction. */
  async function chargeOf(networkIds: readonly number[], images: readonly number[], transaction: Transaction) {
    const found = [];
    for (const id of networkIds) found.push((await networks.find(id, transaction)) ?? { _id: id, parent: null });
    return chargeOfHad(hadOf(found, images));
  }
  const take = async (vms: readonly Having[], transaction: Transaction): Promise<void> => {
    await leases.take(takesOf(vms), transaction);
    await uses.take(usesOf(vms), transaction);
  };
  return {
    /** All or none. Throws ChoiceLost where somebody else has one of them. */
    take,
    /** The same of new VMs of services, with what each has beyond what its service is charged. Throws `quota_exceeded`. */
    async takeNew(vms: readonly Vm[], transaction: Transaction): Promise<void> {
      await take(vms, transaction);
      const [owner] = vms;
      const beyond = vms.reduce((sum, { charge }) => (charge ? added(sum, charge) : sum), nothing);
      if (owner && !isNothing(beyond)) await quotas.charge(owner, beyond, transaction);
    },
    /** Those of this process that are about to use the same images go one after the other. */
    inTurn: <T>(vms: readonly Having[], work: () => Promise<T>): Promise<T> =>
      uses.inTurn([...new Set(vms.flatMap((vm) => imagesUsedBy(vm).map(String)))], work),

    /**
     * What comes with a device that is about to be attached, and is charged to the VM, which has been written in this transaction. Throws
     * `quota_exceeded`.
     */
    async takeForChange(
      vms: Model<Vm>,
      id: number,
      change: Vm['device_change'],
      transaction: Transaction,
    ): Promise<void> {
      const [nics, disks] = [attaching(change), attachingDisk(change)];
      const used = await uses.usedBy(id, transaction);
      await take([{ _id: id, nics, disks }], transaction);
      const came = await chargeOf(
        nics.flatMap(({ lease }) => lease?.network ?? []),
        imagesOf(disks).filter((image) => !used.includes(image)),
        transaction,
      );
      const vm = isNothing(came) ? null : await charged(vms, id, transaction);
      if (!vm) return;
      await quotas.charge(vm, came, transaction);
      await vms.updateOne({ _id: id }, { $set: { charge: added(vm.charge ?? nothing, came) } }, within(transaction));
    },
    comesWith: (change: Vm['device_change']): boolean =>
      attaching(change).length + imagesOf(attachingDisk(change)).length > 0,

    /** Whether any of these VMs has something. */
    anyOf: async (vms: readonly number[]): Promise<boolean> =>
      (await Promise.all([leases.anyOf(vms), uses.anyOf(vms)])).includes(true),
    /** All that these have. */
    async release(vms: readonly number[], transaction: Transaction): Promise<void> {
      await leases.releaseVms(vms, transaction);
      await uses.release(vms, transaction);
    },
    /** What these, which are DONE, are charged goes back. */
    async giveChargesBack(vms: Model<Vm>, ids: readonly number[], transaction: Transaction): Promise<void> {
      for (const vm of await vms
        .find({ _id: { $in: [...ids] }, charge: { $exists: true } }, chargedFields)
        .session(sessionOf(transaction))
        .lean<ChargedVm[]>()
        .exec()) {
        if (vm.charge) await quotas.giveBack(vm, vm.charge, transaction);
        await vms.updateOne({ _id: vm._id }, { $unset: { charge: '' } }, within(transaction));
      }
    },
    /** After a VM was written, in the same transaction: what devices had goes back that are neither there nor may be. */
    async releaseOthers(vms: Model<Vm>, id: number, transaction: Transaction): Promise<void> {
      const vm = await vms
        .findById(id, { nics: 1, disks: 1, files: 1, device_change: 1 })
        .session(sessionOf(transaction))
        .lean<Pick<Vm, 'nics' | 'disks' | 'files' | 'device_change'>>()
        .exec();
      if (!vm) return;
      const from = await leases.releaseOthers(id, nicsWithLeases(vm), transaction);
      const { disks = [], files, device_change } = vm;
      const had = { disks: [...disks, ...attachingDisk(device_change)], ...(files && { files }) };
      const images = await uses.releaseOthers(id, imagesUsedBy(had), transaction);
      const its = from.length + images.length === 0 ? null : await charged(vms, id, transaction);
      if (!its?.charge) return;
      // What its service is charged for is not in its charge, and stays.
      const { left, returned } = without(its.charge, await chargeOf(from, images, transaction));
      if (isNothing(returned)) return;
      await quotas.giveBack(its, returned, transaction);
      const change = isNothing(left) ? { $unset: { charge: '' } } : { $set: { charge: left } };
      await vms.updateOne({ _id: id }, change, within(transaction));
    },
  };
}
export type VmHoldings = ReturnType<typeof createVmHoldings>;
