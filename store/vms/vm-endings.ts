import { leftWaiting } from '../../domain/placement/left-waiting.js';
import { endStay } from '../../domain/vms/stays.js';
import { type ArrivingVm, vmArrived } from '../../domain/vms/vm-arrival.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Wilds } from '../hosts/wilds.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { cancelled, reasonOf, type Settlement, type Settles } from '../operations/ending.js';
import type { Outcome } from '../operations/operations.js';
import { settleSaved } from '../storage/image-endings.js';
import type { ImageStore } from '../storage/images.js';
import type { VmHoldings } from './vm-holdings.js';
import type { VmStore } from './vms.js';

type Parts = {
  vms: VmStore;
  wilds: Wilds;
  images: ImageStore;
  holdings: VmHoldings;
  /** Lets go of the VM that an operation holds. */
  release: (op: string, given_up: string, transaction: Transaction) => Promise<void>;
};

/** How each kind of operation on a VM ends there. */
export function vmEndings({ vms, wilds, images, holdings, release }: Parts): Settles<'vm'> {
  const plainly = (operation: Operation, claimed: Outcome, transaction: Transaction) =>
    settleVm(operation, claimed, transaction);
  return {
    deployVm: plainly,
    terminateVm: plainly,
    recoverVm: plainly,
    performOnVm: plainly,
    migrateVm: plainly,
    changeDevices: plainly,
    debugVm: plainly,
    importVm: (operation, claimed, transaction) =>
      settleVm(operation, claimed, transaction, () => endImported(operation, transaction)),
    saveDisk: async (operation, claimed, transaction) =>
      settleVm(operation, await settleSaved(images, operation, claimed, transaction), transaction),
    // The image that a disk was to be like is not used any more.
    restoreDisk: (operation, claimed, transaction) =>
      settleVm(operation, claimed, transaction, () =>
        holdings.releaseOthers(vms.model, operation.resource.id, transaction),
      ),
  };

  /** What has not been given its domain when its import ends is no VM: it has nothing of its own. */
  async function endImported({ _id: op, resource }: Operation, transaction: Transaction): Promise<void> {
    const vm = await vms.model
      .findOne({ _id: resource.id, operation: op, wanted: null, hold: null, state: { $ne: 'DONE' } })
      .session(sessionOf(transaction))
      .lean<Vm>()
      .exec();
    if (!vm?.adopts) return;
    await wilds.giveBack(vm.adopts.hid, vm._id, vm.adopts.wild, transaction);
    if (vm.lcm_state !== 'SHUTDOWN') await vms.transition([{ vm, event: 'shutdown' }], transaction);
    const at = new Date();
    const set = {
      ...{ reason: 'its import was given up', deploy_id: null, ended_at: at },
      history: endStay(vm.history, 'error', at),
    };
    const closing = { ...vm, state: 'ACTIVE', lcm_state: 'SHUTDOWN' } as const;
    await vms.transition([{ vm: closing, event: 'done', set }], transaction);
  }

  /** `first`: what is done before it is looked at where its VM is. */
  async function settleVm(
    operation: Operation,
    claimed: Outcome,
    transaction: Transaction,
    first: () => Promise<void> = async () => {},
  ): Promise<Settlement> {
    const { _id: op, resource } = operation;
    await release(op, reasonOf(claimed), transaction);
    await first();
    const vm = await vms.model
      .findById(resource.id, {
        state: 1,
        lcm_state: 1,
        moving: 1,
        device_change: 1,
        disk_restored: 1,
        snapshots: 1,
        adopts: 1,
        debugging: 1,
        wanted: 1,
        history: { $slice: -1 },
      })
      .session(sessionOf(transaction))
      .lean<ArrivingVm & Pick<Vm, 'wanted'>>()
      .exec();
    await vms.model.updateOne({ _id: resource.id, operation: op }, { $set: { operation: null } }, within(transaction));
    await vms.model.updateOne({ _id: resource.id, wanted: op }, { $set: { wanted: null } }, within(transaction));
    if (claimed.state === 'cancelled' && vm && vmArrived(vm, operation))
      return { outcome: { state: 'succeeded' }, releasing: null };
    // Nobody looks for a host for it any more.
    if (claimed.state !== 'succeeded') await vms.leave(resource.id, op, leftWaiting(operation, claimed), transaction);
    // Its steps have given way to whoever wants the VM; the cancel that says so may be on its way yet.
    const gaveWay = claimed.state === 'failed' && typeof vm?.wanted === 'string' && vm.wanted !== op;
    return { outcome: gaveWay ? cancelled : claimed, releasing: null };
  }
}
