import type { Connection, Model } from 'mongoose';
import { Problem } from '../../domain/problems.js';
import { placeOf } from '../../domain/vms/stays.js';
import type { Resized } from '../../domain/vms/vm-resize.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { changeReservation } from '../hosts/change-reservation.js';
import { taken, usable } from '../hosts/host-reads.js';
import type { HostStore } from '../hosts/hosts.js';
import type { QuotaStore } from '../identity/quotas.js';
import { setWhole } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';

/**
 * What people change of a VM that nothing is done to meanwhile, within the transaction of an edit: whoever would begin to work on it writes
 * its document, and goes again.
 */
export function createVmEdits(
  connection: Connection,
  { vms, hosts, quotas }: { vms: { model: Model<Vm> }; hosts: HostStore; quotas: QuotaStore },
) {
  /** Its place there is what it is to have, or nothing is written. */
  async function reserve(vm: Vm, to: Vm['capacity'], transaction: Transaction): Promise<void> {
    const place = placeOf(vm);
    if (!place || (to.cpu === vm.capacity.cpu && to.memory === vm.capacity.memory)) return;
    const change = { host: place.hid, vm: vm._id, from: vm.capacity, to };
    if (await changeReservation(hosts.model, change, { fits: true, transaction })) return;
    const host = await hosts.find(place.hid);
    const [all, used] = host ? [usable(host), taken(host)] : [vm.capacity, vm.capacity];
    const free = { cpu: (all.cpu - used.cpu) / 100, memory: all.memory - used.memory };
    const more = { cpu: (to.cpu - vm.capacity.cpu) / 100, memory: to.memory - vm.capacity.memory };
    throw new Problem(
      'wrong_state',
      `${place.hostname} has no room for it: ${free.cpu} CPU and ${free.memory} MB are free, and it would take ${more.cpu} CPU and ${more.memory} MB more. Undeploy it, and it is placed where it fits.`,
    );
  }

  return {
    /** As read in this transaction. Throws `quota_exceeded`, and `wrong_state` where its host has no room. */
    async resize(
      vm: Vm,
      { capacity, template, charge, asked }: Resized,
      names: { uname?: string },
      transaction: Transaction,
    ): Promise<Vm | null> {
      await quotas.charge({ ...vm, ...names }, asked, transaction);
      await reserve(vm, capacity, transaction);
      // Whoever is giving it a place has counted on what it was, and finds it taken.
      if (vm.state === 'PENDING')
        await connection
          .collection<Vm>('vms')
          .updateOne({ _id: vm._id }, { $inc: { epoch: 1, ...(vm.hold && { 'hold.epoch': 1 }) } }, within(transaction));
      return setWhole(vms.model, vm._id, { capacity, template, ...(charge && { charge }) }, transaction);
    },

    configure: (
      id: number,
      { template, files }: Pick<Vm, 'template' | 'files'>,
      transaction: Transaction,
    ): Promise<Vm | null> => setWhole(vms.model, id, { template, ...(files && { files }) }, transaction),
  };
}
