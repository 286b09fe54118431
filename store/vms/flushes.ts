import type { Connection } from 'mongoose';
import { roleOf, servingOf, whyUnserved } from '../../domain/vms/host-flush.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Flushed } from '../../schemas/operations/flushed.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { HostStore } from '../hosts/hosts.js';
import { ownershipFields } from '../mongo/model.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { noteTurns } from '../operations/note-turns.js';
import type { OperationStore } from '../operations/operations.js';
import type { VmStore } from './vms.js';

/** A VM as whoever flushes a host sees it. */
export type SeenVm = Pick<
  Vm,
  '_id' | 'state' | 'lcm_state' | 'reason' | 'history' | 'moving' | 'operation' | 'wanted' | 'hold' | 'service'
>;
const seenFields = {
  ...{ state: 1, lcm_state: 1, reason: 1, history: { $slice: -1 }, moving: 1, operation: 1, wanted: 1, hold: 1 },
  service: 1,
} as const;

/** Flushes of hosts: what they have come to stands in the operation, and the host says which one it has. */
export const createFlushes = (
  connection: Connection,
  { hosts, vms, operations }: { hosts: HostStore; vms: VmStore; operations: OperationStore },
) => ({
  /**
   * Admission of one, in its transaction: the host answers, and nothing is at work on it. It takes no VMs from then on. Returns whose it
   * is; null: the guard did not match.
   */
  admit: (id: number, op: string, transaction: Transaction): Promise<Ownership | null> =>
    hosts.model
      .findOneAndUpdate(
        {
          ...{ _id: id, operation: null },
          $or: [{ state: { $in: ['INIT', 'MONITORED'] } }, { state: 'DISABLED', error: null }],
        },
        { $set: { operation: op, state: 'DISABLED', error: null } },
        { ...within(transaction), projection: ownershipFields },
      )
      .lean<Ownership>()
      .exec(),

  /** Nothing is at work on the host any more. */
  end: (id: number, op: string, transaction: Transaction) =>
    hosts.model.updateOne({ _id: id, operation: op }, { $set: { operation: null } }, within(transaction)),

  /** The VMs that have a reservation on the host, those with their place there, and these. */
  async vmsOn(id: number, also: readonly number[]): Promise<SeenVm[]> {
    const reserved = (await hosts.reservedOn([id])).get(id) ?? new Set<number>();
    return vms.model
      .find({ _id: { $in: [...new Set([...reserved, ...also])] } }, seenFields)
      .sort({ _id: 1 })
      .lean<SeenVm[]>()
      .exec();
  },

  /**
   * Why this VM may not be down for a while, in the transaction that takes it: of two flushes that have planned at the same moment, and
   * meet here, one goes again and sees what the other has taken. null: it may.
   */
  async whyUnserved(id: number, transaction: Transaction): Promise<string | null> {
    const vm = await vms.model.findById(id, seenFields).session(sessionOf(transaction)).lean<SeenVm>().exec();
    const role = vm && roleOf(vm);
    if (!vm?.service || !role || vm.lcm_state !== 'RUNNING') return null;
    await connection
      .collection<{ _id: number }>('services')
      .updateOne({ _id: vm.service.id }, { $inc: { placements: 1 } }, within(transaction));
    const siblings = await vms.model
      .find({ 'service.id': vm.service.id, 'service.role': vm.service.role, state: { $ne: 'DONE' } }, seenFields)
      .session(sessionOf(transaction))
      .lean<SeenVm[]>()
      .exec();
    return whyUnserved(id, servingOf(siblings).get(role));
  },

  /** Those of the VMs that have a reservation on the host that have snapshots. One that was imported stays, with what it has. */
  async withSnapshots(id: number): Promise<Pick<Vm, '_id' | 'snapshots'>[]> {
    const reserved = (await hosts.reservedOn([id])).get(id) ?? new Set<number>();
    return vms.model
      .find(
        { _id: { $in: [...reserved] }, template_id: { $ne: null }, 'snapshots.0': { $exists: true } },
        { snapshots: 1 },
      )
      .sort({ _id: 1 })
      .lean<Pick<Vm, '_id' | 'snapshots'>[]>()
      .exec();
  },

  /** The VMs of these services that are not DONE. */
  ofServices: (ids: readonly number[]): Promise<SeenVm[]> =>
    vms.model
      .find({ 'service.id': { $in: [...ids] }, state: { $ne: 'DONE' } }, seenFields)
      .hint('by_service')
      .lean<SeenVm[]>()
      .exec(),

  /** What has become of VMs: of each the entry with the highest turn stands. */
  note: (op: string, said: ReadonlyMap<number, Flushed>): Promise<void> => noteTurns(operations, op, 'flushed', said),
});
export type Flushes = ReturnType<typeof createFlushes>;
