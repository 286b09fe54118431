import type { ClientSession, Connection, mongo } from 'mongoose';
import type { Caller } from '../domain/caller.js';
import type { Sibling } from '../domain/placement-ties.js';
import { Problem } from '../domain/problems.js';
import { nextVmState, storedVmState, type VmEvent, vmStateName } from '../domain/vm-states.js';
import type { Ownership } from '../schemas/common.js';
import type { ListQuery } from '../schemas/list.js';
import { type HistoryRecord, type UserTemplate, type Vm, VmState, vmFields } from '../schemas/vm.js';
import { modelOf, ownershipFields } from './model.js';
import { isDuplicateKey } from './operations.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from './paging.js';
import { chargeIndex, type QuotaStore } from './quotas.js';

/** A change of state of one VM as it was read, with what else changes in the same write. */
export type VmMove = {
  vm: Pick<Vm, '_id' | 'state' | 'lcm_state' | 'hold' | 'epoch' | 'charge'>;
  event: VmEvent;
  set?: Partial<Pick<Vm, 'reason' | 'deploy_id' | 'history' | 'ended_at' | 'operation' | 'wanted'>>;
  /** true: the work is over and the VM may be held by another. */
  release?: boolean;
};

/** Named one by one: a page of several states is merged from the index of each, while all but one would be a scan. */
const presentStates = VmState.options.filter((state) => state !== 'DONE');

/** Whoever asks for no state is shown those that are not DONE. */
const asksForState = ({ state, filter = [] }: ListQuery & { state?: VmState }): boolean =>
  state !== undefined || filter.some(({ field }) => field === 'state');

/** A VM as its service shows it; of its user template READY only. */
export type ServiceNode = Pick<
  Vm,
  '_id' | 'name' | 'state' | 'lcm_state' | 'reason' | 'service' | 'history' | 'user_template'
>;

/** The projection of an aggregation that gives a ServiceNode. */
export const nodeFields = {
  ...{ name: 1, state: 1, lcm_state: 1, reason: 1, service: 1, 'user_template.READY': 1 },
  history: { $slice: ['$history', -1] },
} as const;

type Moved = { there: Set<number>; moved: number };

/** Those of a deployment that failed wait for nobody, and must not take the place of those that do. */
const waitingForCapacity = { state: 'PENDING' as const, $or: [{ hold: { $ne: null } }, { operation: { $ne: null } }] };

const told = {
  name: 1,
  state: 1,
  lcm_state: 1,
  reason: 1,
  service: 1,
  'user_template.READY': 1,
  history: { $slice: -1 },
} as const;
export type ToldVm = Pick<
  Vm,
  '_id' | 'name' | 'state' | 'lcm_state' | 'reason' | 'service' | 'user_template' | 'history'
>;

export function createVmStore(connection: Connection, quotas: QuotaStore) {
  const vms = modelOf<Vm>(connection, 'vms', Number, [
    {
      fields: { 'service.id': 1, 'service.role': 1, 'service.ordinal': 1 },
      options: { name: 'by_service', unique: true, partialFilterExpression: { 'service.id': { $exists: true } } },
    },
    { fields: { state: 1, _id: 1 } },
    ...pageIndexes('state'),
    ...sortIndexes(vmFields),
    {
      fields: { 'hold.op': 1 },
      options: { name: 'by_hold', partialFilterExpression: { 'hold.op': { $exists: true } } },
    },
    {
      fields: { lcm_state: 1, 'service.id': 1 },
      options: {
        name: 'amiss',
        partialFilterExpression: {
          lcm_state: { $in: ['UNKNOWN', 'PROLOG_FAILURE', 'BOOT_FAILURE', 'EPILOG_FAILURE'] },
        },
      },
    },
    {
      // What monitoring asks of every host at each tick is answered from it: VMs on their way are not in it.
      fields: { 'history.hid': 1, state: 1, lcm_state: 1, 'sighting.missing': 1, _id: 1 },
      options: {
        name: 'by_host',
        partialFilterExpression: {
          state: { $in: ['ACTIVE', 'POWEROFF'] },
          lcm_state: { $in: ['RUNNING', 'UNKNOWN', 'LCM_INIT'] },
        },
      },
    },
    chargeIndex,
  ]);

  // For batches: Mongoose would cast every value of every update, which costs more than sending them.
  const native = () => connection.collection<Vm>('vms');

  const byIds = (ids: readonly number[], session?: ClientSession) =>
    vms
      .find({ _id: { $in: ids } }, undefined, { ...(session && { session }) })
      .sort({ _id: 1 })
      .lean<Vm[]>()
      .exec();

  /** One guarded update a VM; returns how many matched. */
  const write = async (changes: readonly Change[], session?: ClientSession): Promise<number> =>
    (await native().bulkWrite(together(changes), { ordered: false, ...(session && { session }) })).matchedCount;

  /** The last move of a VM that is charged, and in the same transaction its charge goes back. Returns how many matched. */
  const endCharged = async ({ vm, $set }: Change, session?: ClientSession): Promise<number> => {
    const inside = async (within: ClientSession): Promise<number> => {
      const before = await vms
        .findOneAndUpdate({ _id: vm._id, ...guardOf(vm) }, { $set, $unset: { charge: '' } }, { session: within })
        .lean<Vm>()
        .exec();
      if (before?.charge) await quotas.giveBack(before, before.charge, within);
      return before ? 1 : 0;
    };
    return session ? inside(session) : connection.transaction(inside);
  };

  const move = async (moves: readonly VmMove[], session?: ClientSession): Promise<Moved> => {
    if (moves.length === 0) return { there: new Set(), moved: 0 };
    const changes = moves.map(
      ({ vm, event, set, release }): Change => ({
        vm,
        $set: { ...stateAfter(vm, event), ...set, ...(release && { hold: null }) },
      }),
    );
    const isReturn = ({ vm, $set }: Change): boolean => vm.charge !== undefined && $set.state === 'DONE';
    const returns = changes.filter(isReturn);
    let matchedCount = 0;
    if (returns.length < changes.length)
      matchedCount += await write(
        changes.filter((change) => !isReturn(change)),
        session,
      );
    for (const change of returns) matchedCount += await endCharged(change, session);
    if (matchedCount === moves.length) return { there: new Set(moves.map(({ vm }) => vm._id)), moved: matchedCount };
    const present = new Map(
      (
        await byIds(
          moves.map(({ vm }) => vm._id),
          session,
        )
      ).map((vm) => [vm._id, vm]),
    );
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
    model: vms,
    find: (id: number) => vms.findById(id).lean<Vm>().exec(),
    byIds,
    list: (caller: Caller, query: ListQuery & { state?: VmState; service_id?: number }) =>
      pageOf(
        vms,
        {
          ...visibleTo(caller, 'VM'),
          ...(query.state !== undefined && { state: query.state }),
          ...(!asksForState(query) && { state: { $in: presentStates } }),
          ...(query.service_id !== undefined && { 'service.id': query.service_id }),
        },
        query,
        { ids: 'number', list: vmFields },
      ),
    /** Where the VMs of these services are. */
    async siblings(services: readonly number[], session?: ClientSession): Promise<Sibling[]> {
      if (services.length === 0) return [];
      const found = await vms
        .find(
          { 'service.id': { $in: services }, state: 'ACTIVE' },
          { service: 1, history: { $slice: -1 } },
          { ...(session && { session }) },
        )
        .hint('by_service')
        .lean<Pick<Vm, 'service' | 'history'>[]>()
        .exec();
      return found.flatMap((vm): Sibling[] => {
        const place = placeOf(vm);
        return place && vm.service ? [{ service: vm.service.id, role: vm.service.role, host: place.hid }] : [];
      });
    },
    /** VMs of a service that are not DONE, in order of their ids. */
    ofService: (id: number, role?: string) =>
      vms
        .find({ 'service.id': id, ...(role !== undefined && { 'service.role': role }), state: { $ne: 'DONE' } })
        // Left to choose, MongoDB may go through all VMs in order of their ids.
        .hint('by_service')
        .sort({ _id: 1 })
        .lean<Vm[]>()
        .exec(),
    /** What is told of a service's VMs: of those that are not DONE, and those that became so since a time. */
    toldSince: (id: number, since: Date) =>
      vms
        .find({ 'service.id': id, $or: [{ state: { $ne: 'DONE' } }, { ended_at: { $gte: since } }] }, told)
        .sort({ _id: 1 })
        .lean<ToldVm[]>()
        .exec(),
    /** The highest VM number that a role has ever had, or -1. */
    async lastOrdinal(service: number, role: string): Promise<number> {
      const last = await vms
        .findOne({ 'service.id': service, 'service.role': role }, { service: 1 })
        .sort({ 'service.ordinal': -1 })
        .lean<Pick<Vm, 'service'>>()
        .exec();
      return last?.service?.ordinal ?? -1;
    },
    /** VMs that have no host yet and whose operation wants one, oldest first. */
    waiting: (limit: number) => vms.find(waitingForCapacity).sort({ _id: 1 }).limit(limit).lean<Vm[]>().exec(),
    anyWaiting: async (): Promise<boolean> => (await vms.exists(waitingForCapacity)) !== null,

    /** Writes new VMs; those whose unique key exists already are left as they are. Returns whether all were new. */
    async insertMissing(documents: readonly Vm[]): Promise<boolean> {
      if (documents.length === 0) return true;
      try {
        await native().insertMany([...documents], { ordered: false });
        return true;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return false;
      }
    },

    /**
     * Takes the hold on VMs for an operation and raises their epoch, each in one update. Free ones and those whose
     * holder is among `endedHolders` are taken; those that the operation holds already stay as they are. Returns the VMs
     * as they are then.
     */
    async take(op: string, seen: readonly Vm[], endedHolders: ReadonlySet<string>): Promise<Vm[]> {
      const ids = seen.map((vm) => vm._id);
      const { matchedCount } = await vms.updateMany(
        { _id: { $in: ids }, state: { $ne: 'DONE' }, $or: [{ hold: null }, { 'hold.op': { $in: [...endedHolders] } }] },
        [{ $set: { epoch: { $add: ['$epoch', 1] }, hold: { op, epoch: { $add: ['$epoch', 1] }, attempt: 0 } } }],
        { updatePipeline: true },
      );
      return matchedCount === 0 && seen.every((vm) => vm.hold?.op === op) ? [...seen] : byIds(ids);
    },

    /** Takes a VM from a holder that has not let go in time: only from the exact hold that was seen. */
    seize: (op: string, { _id, hold }: Pick<Vm, '_id' | 'hold'>) =>
      vms.updateOne(
        { _id, state: { $ne: 'DONE' }, ...holdFilter({ hold }) },
        [{ $set: { epoch: { $add: ['$epoch', 1] }, hold: { op, epoch: { $add: ['$epoch', 1] }, attempt: 0 } } }],
        { updatePipeline: true },
      ),

    /**
     * A try of a batch says its number and moves its VMs into the state of work, in one guarded update each: what an
     * earlier try still does matches nothing any more. `event`: null for those that are at work already. Returns the VMs
     * as they are then, or null when one of them has changed since it was read: then all are to be read again.
     */
    async enter(held: readonly Vm[], attempt: number, event: (vm: Vm) => VmEvent | null): Promise<Vm[] | null> {
      if (held.length === 0) return [];
      const entered = held.map((vm) => {
        const move = event(vm);
        return { vm, state: move === null ? { state: vm.state, lcm_state: vm.lcm_state } : stateAfter(vm, move) };
      });
      const matched = await write(
        entered.map(({ vm, state }) => ({ vm, $set: { ...state, 'hold.attempt': attempt } })),
      );
      if (matched < held.length) return null;
      return entered.map(({ vm, state }) => ({ ...vm, ...state, hold: vm.hold && { ...vm.hold, attempt } }));
    },

    /** Lets go of whatever an operation still holds. */
    releaseAll: (op: string, session?: ClientSession) =>
      vms.updateMany({ 'hold.op': op }, { $set: { hold: null } }, { session }),

    /**
     * The one door for changes of state. Each filters on state and on the whole hold as read; returns the ids of those
     * that are now where the move leads, which leaves out those that somebody else has taken. An illegal move is a
     * programming error and throws.
     */
    transition: async (moves: readonly VmMove[], session?: ClientSession): Promise<Set<number>> =>
      (await move(moves, session)).there,

    /** The same, and how many this very call has moved: the others were moved by another try of the same step. */
    move,

    /** Says why a VM that is still PENDING has no host. */
    async setPendingReasons(reasons: ReadonlyMap<number, string>): Promise<void> {
      if (reasons.size === 0) return;
      await vms.bulkWrite(
        [...reasons].map(([id, reason]) => ({
          updateOne: { filter: { _id: id, state: 'PENDING' }, update: { $set: { reason } } },
        })),
        { ordered: false },
      );
    },

    /** The last error of a step that is tried again, for whoever asks why. */
    setReason: (ids: readonly number[], op: string, reason: string) =>
      vms.updateMany({ _id: { $in: ids }, 'hold.op': op }, { $set: { reason } }),

    /** Admission of an operation on a VM: the guard is part of the filter. Returns whose the VM is. */
    async admit(
      id: number,
      guard: Record<string, unknown>,
      set: Partial<Vm>,
      session: ClientSession,
    ): Promise<Ownership | null> {
      return vms
        .findOneAndUpdate({ _id: id, ...guard }, { $set: set }, { session, projection: ownershipFields })
        .lean<Ownership>()
        .exec();
    },

    setUserTemplate: (id: number, user_template: UserTemplate, session: ClientSession): Promise<Vm | null> =>
      vms
        .findOneAndUpdate({ _id: id }, { $set: { user_template } }, { returnDocument: 'after', session })
        .lean<Vm>()
        .exec(),
  };
}
export type VmStore = ReturnType<typeof createVmStore>;

const holdFilter = ({ hold }: Pick<Vm, 'hold'>): Record<string, unknown> =>
  hold === null ? { hold: null } : { 'hold.op': hold.op, 'hold.epoch': hold.epoch, 'hold.attempt': hold.attempt };

/** A VM as it was read: state and the whole hold. */
const guardOf = (vm: VmMove['vm']) => ({
  state: vm.state,
  lcm_state: vm.lcm_state,
  epoch: vm.epoch,
  ...holdFilter(vm),
});

type Change = { vm: VmMove['vm']; $set: Partial<Vm> };

/**
 * The updates that a batch of changes is, each guarded by state and by the whole hold as read: VMs that are alike in
 * both and change alike share one. A batch that moves as one costs MongoDB a third of what fifty updates cost.
 */
function together(changes: readonly Change[]) {
  const alike = new Map<string, { ids: number[]; guard: object; $set: object }>();
  for (const { vm, $set } of changes) {
    const guard = guardOf(vm);
    const key = JSON.stringify([guard, $set]);
    const known = alike.get(key);
    if (known) known.ids.push(vm._id);
    else alike.set(key, { ids: [vm._id], guard, $set });
  }
  return [...alike.values()].map(({ ids, guard, $set }): mongo.AnyBulkWriteOperation<Vm> => {
    const change = { filter: { _id: { $in: ids }, ...guard }, update: { $set } };
    // One alone is sent as one: the driver sends that again by itself when the connection breaks.
    return ids.length === 1 ? { updateOne: change } : { updateMany: change };
  });
}

/** What a VM document stores after an event. An illegal one is a programming error and throws. */
export function stateAfter(
  vm: Pick<Vm, '_id' | 'state' | 'lcm_state'>,
  event: VmEvent,
): Pick<Vm, 'state' | 'lcm_state'> {
  const next = nextVmState(vmStateName(vm), event);
  if (next === undefined) throw new Problem('wrong_state', `VM ${vm._id} is ${vmStateName(vm)}: it cannot ${event}.`);
  return storedVmState(next);
}

/** The host that a VM is on, or null: its last stay, if that has not ended. */
export function placeOf(vm: Pick<Vm, 'history'>): HistoryRecord | null {
  const last = vm.history.at(-1);
  return last && last.etime === null ? last : null;
}

/** The history with its last stay ended. */
export const endStay = (
  history: readonly HistoryRecord[],
  reason: HistoryRecord['reason'],
  now: Date,
): HistoryRecord[] =>
  history.map((record, index) =>
    index === history.length - 1 && record.etime === null ? { ...record, etime: now, reason } : record,
  );
