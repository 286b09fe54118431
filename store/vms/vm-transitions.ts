import type { Connection, Model } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import { Problem } from '../../domain/problems.js';
import { nextVmState, type VmEvent } from '../../domain/vms/vm-events.js';
import { logLine } from '../../domain/vms/vm-log.js';
import { losesSnapshots } from '../../domain/vms/vm-snapshots.js';
import { storedVmState, vmStateName } from '../../domain/vms/vm-states.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { QuotaStore } from '../identity/quotas.js';
import { sessionOf, type Transaction, within, withTransaction } from '../mongo/transaction.js';
import { type GuardedVm, guardOf, pushLine, type VmChange, writeChanges } from './vm-guards.js';
import type { VmHoldings } from './vm-holdings.js';

type ChangedDevices = Pick<Vm, 'nics' | 'disks' | 'device_ids' | 'device_change'>;

/** A change of state of one VM as it was read, with what else changes in the same write. */
export type VmMove = {
  vm: GuardedVm;
  event: VmEvent;
  set?: Partial<
    Pick<
      Vm,
      | 'reason'
      | 'deploy_id'
      | 'history'
      | 'moving'
      | 'stored'
      | 'resched'
      | 'ended_at'
      | 'operation'
      | 'wanted'
      | 'snapshots'
      | 'next_snapshot'
      | 'adopts'
      | 'datastore'
    > &
      ChangedDevices
  >;
  /** true: the work is over and the VM may be held by another. */
  release?: boolean;
};

/** A VM as it was before it was DONE: what is asked of it. */
export type Departing = Pick<Vm, '_id' | 'capacity' | 'service' | 'operation' | 'hold' | 'left_behind'>;

/** Whoever counts the VMs of services. */
export type Departures = {
  /** Runs transactions in which VMs of a service end one after the other: they write the same document. */
  inTurn<T>(service: number, transaction: () => Promise<T>): Promise<T>;
  /** In the transaction in which a VM, as it was before, has become DONE: if by hand, its role has one place fewer. */
  depart(vm: Departing, transaction: Transaction): Promise<void>;
};

type Moved = { there: Set<number>; moved: number };

/** What has to be known of a VM whose last move it is: whom its charge goes back to, and whether its role has one fewer. */
const endFields = {
  ...{ charge: 1, uid: 1, gid: 1 },
  ...{ capacity: 1, service: 1, operation: 1, hold: 1, left_behind: 1 },
} as const;

/** How VMs change their states. */
export function createVmTransitions(
  connection: Connection,
  vms: Model<Vm>,
  { quotas, departures, holdings }: { quotas: QuotaStore; departures: Departures; holdings: VmHoldings },
) {
  /**
   * The last move of a VM, and in the same transaction its charge goes back; of a VM of a service that somebody has
   * terminated, its role has one place fewer. Returns how many matched.
   */
  const end = async ({ vm, $set, line }: VmChange, transaction?: Transaction): Promise<number> => {
    const inside = async (inner: Transaction): Promise<number> => {
      const before = await vms
        .findOneAndUpdate(
          { _id: vm._id, ...guardOf(vm) },
          { $set, $unset: { charge: '' }, ...pushLine(line) },
          { ...within(inner), projection: endFields },
        )
        .lean<Departing & Pick<Vm, 'charge' | 'uid' | 'gid'>>()
        .exec();
      if (!before) return 0;
      if (before.charge) await quotas.giveBack(before, before.charge, inner);
      await departures.depart(before, inner);
      await holdings.release([vm._id], inner);
      return 1;
    };
    if (transaction) return inside(transaction);
    const inTransaction = () => holdings.inTurn([vm], () => withTransaction(connection, inside));
    return vm.service ? departures.inTurn(vm.service.id, inTransaction) : inTransaction();
  };

  /** Those that are DONE by these, whatever they are charged: what they have of networks and images goes back in the same transaction. */
  const endTogether = async (changes: readonly VmChange[], transaction?: Transaction): Promise<number> => {
    const ids = changes.map(({ vm }) => vm._id);
    if (ids.length === 0 || !(await holdings.anyOf(ids))) return writeSome(changes, transaction);
    const inside = async (inner: Transaction): Promise<number> => {
      const count = await writeSome(changes, inner);
      const done = await vms
        .find({ _id: { $in: ids }, state: 'DONE' }, { _id: 1 })
        .session(sessionOf(inner))
        .lean<Pick<Vm, '_id'>[]>()
        .exec();
      const ended = done.map(({ _id }) => _id);
      await holdings.release(ended, inner);
      // Of a service: what it was charged for a device since it was looked at.
      await holdings.giveChargesBack(vms, ended, inner);
      return count;
    };
    if (transaction) return inside(transaction);
    const ended = changes.map(({ vm }) => vm);
    return holdings.inTurn(ended, () => withTransaction(connection, inside));
  };

  /**
   * One whose devices are others from then on, or are about to be: what one that is to come has of its network, or of an image, is taken in the same
   * transaction, and what those had goes back that are neither there nor may be. Throws ChoiceLost where somebody else has it.
   */
  const changeHad = async (change: VmChange, transaction?: Transaction): Promise<number> => {
    const { _id: id } = change.vm;
    const { device_change: coming } = change.$set;
    if (!holdings.comesWith(coming) && !(await holdings.anyOf([id]))) return writeSome([change], transaction);
    const inside = async (inner: Transaction): Promise<number> => {
      const count = await writeSome([change], inner);
      if (count === 0) return 0;
      await holdings.takeForChange(vms, id, coming, inner);
      await holdings.releaseOthers(vms, id, inner);
      return count;
    };
    return transaction ? inside(transaction) : withTransaction(connection, inside);
  };

  const writeSome = async (changes: readonly VmChange[], transaction?: Transaction): Promise<number> =>
    changes.length === 0 ? 0 : writeChanges(connection, changes, transaction);

  const move = async (moves: readonly VmMove[], transaction?: Transaction): Promise<Moved> => {
    if (moves.length === 0) return { there: new Set(), moved: 0 };
    const at = new Date();
    const changes = moves.map(({ vm, event, set, release }): VmChange => {
      const after = stateAfter(vm, event);
      return {
        vm,
        $set: {
          ...after,
          ...(losesSnapshots(event) && { snapshots: [] }),
          // Nothing of it takes any room from then on; its history says where it was.
          ...(after.state === 'DONE' && vm.datastore && { datastore: null }),
          ...set,
          ...(typeof set?.reason === 'string' && { reason: brief(set.reason, longest.vm) }),
          ...(release && { hold: null }),
        },
        line: logLine(vm, after, { at, op: vm.hold?.op ?? vm.operation ?? null, reason: set?.reason ?? null }),
      };
    });
    const isEnd = ({ vm, $set }: VmChange): boolean =>
      $set.state === 'DONE' && (vm.charge !== undefined || (!!vm.service && !!vm.operation));
    const ends = changes.filter(isEnd);
    let matchedCount = 0;
    const others = changes.filter((change) => !isEnd(change));
    const isOnDevices = ({ $set }: VmChange): boolean =>
      $set.state !== 'DONE' && ($set.nics !== undefined || $set.device_change !== undefined);
    matchedCount += await writeSome(
      others.filter((change) => change.$set.state !== 'DONE' && !isOnDevices(change)),
      transaction,
    );
    for (const change of others.filter(isOnDevices)) matchedCount += await changeHad(change, transaction);
    matchedCount += await endTogether(
      others.filter(({ $set }) => $set.state === 'DONE'),
      transaction,
    );
    for (const change of ends) matchedCount += await end(change, transaction);
    if (matchedCount === moves.length) return { there: new Set(moves.map(({ vm }) => vm._id)), moved: matchedCount };
    const now = await vms
      .find({ _id: { $in: moves.map(({ vm }) => vm._id) } }, { state: 1, lcm_state: 1, epoch: 1, hold: 1 })
      .session(sessionOf(transaction))
      .lean<Pick<Vm, '_id' | 'state' | 'lcm_state' | 'epoch' | 'hold'>[]>()
      .exec();
    const present = new Map(now.map((vm) => [vm._id, vm]));
    const there = new Set(
      moves
        .filter(({ vm, event, release }) => {
          const now = present.get(vm._id);
          const aim = stateAfter(vm, event);
          const hold = release ? null : vm.hold;
          const isThere = now?.state === aim.state && now.lcm_state === aim.lcm_state && now.epoch === vm.epoch;
          return isThere && now.hold?.op === hold?.op && now.hold?.attempt === hold?.attempt;
        })
        .map(({ vm }) => vm._id),
    );
    return { there, moved: matchedCount };
  };

  return {
    /**
     * The one door for changes of state. Each filters on state and on the whole hold as read; returns the ids of those
     * that are now where the move leads, which leaves out those that somebody else has taken. An illegal move is a
     * programming error and throws.
     */
    transition: async (moves: readonly VmMove[], transaction?: Transaction): Promise<Set<number>> =>
      (await move(moves, transaction)).there,

    /** The same, and how many this very call has moved: the others were moved by another try of the same step. */
    move,
  };
}
export type VmTransitions = ReturnType<typeof createVmTransitions>;

/** What a VM document stores after an event. An illegal one is a programming error and throws. */
export function stateAfter(
  vm: Pick<Vm, '_id' | 'state' | 'lcm_state'>,
  event: VmEvent,
): Pick<Vm, 'state' | 'lcm_state'> {
  const next = nextVmState(vmStateName(vm), event);
  if (next === undefined) throw new Problem('wrong_state', `VM ${vm._id} is ${vmStateName(vm)}: it cannot ${event}.`);
  return storedVmState(next);
}
