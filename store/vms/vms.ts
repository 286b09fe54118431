import { type Connection, mongo } from 'mongoose';
import { z } from 'zod';
import type { Caller } from '../../domain/identity/caller.js';
import type { Member } from '../../domain/placement/placement-groups.js';
import { isReady } from '../../domain/vms/ready.js';
import { placeOf } from '../../domain/vms/stays.js';
import { amissStates, offStates, placedStates, storedVmState } from '../../domain/vms/vm-states.js';
import { wishOf } from '../../domain/vms/vm-wish.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { type Vm, type VmEdit, VmState, vmFields } from '../../schemas/vms/vm.js';
import { chargeIndex, type QuotaStore } from '../identity/quotas.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { modelOf, setWhole } from '../mongo/model.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from '../mongo/paging.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { Leases } from '../networks/leases.js';
import { newOwnerOf } from './new-owner.js';
import { createSiblings } from './siblings.js';
import { createVmAdmissions } from './vm-admissions.js';
import { createVmDebugging } from './vm-debugging.js';
import { pushLine } from './vm-guards.js';
import { createVmHolds } from './vm-holds.js';
import { takesOf } from './vm-leases.js';
import { inParts } from './vm-parts.js';
import { createVmReasons } from './vm-reasons.js';
import type { ScheduleWrite } from './vm-schedules.js';
import { createVmTransitions, type Departures } from './vm-transitions.js';
import { waitingForCapacity } from './waiting-vms.js';
import { readAtOnce, readyFields, type WorkVm, workFields } from './work-vms.js';

/** Documents that are read at once where they are many. */
const portion = 1_000;

/** Named one by one: a page of several states is merged from the index of each, while all but one would be a scan. */
const presentStates = VmState.options.filter((state) => state !== 'DONE');

/** Whoever asks for no state is shown those that are not DONE. */
const asksForState = ({ state, filter = [] }: ListQuery & { state?: VmState }): boolean =>
  state !== undefined || filter.some(({ field }) => field === 'state');

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

/** VMs that come in one answer with all that they are made of, for the same reason as `readAtOnce`. */
const wholeAtOnce = 10;

/** Of a VM as bytes, its contents as bytes. */
const WithContents = z.object({ _id: z.int(), template: z.instanceof(Uint8Array) });

/** What is much of a VM, and not always shown. */
const parts = {
  template: { neededBy: ['template'], empty: {} },
  user_template: { neededBy: ['user_template', 'ready'], empty: {} },
  history: { neededBy: ['history', 'host', 'debugging'], empty: [] },
  log: { neededBy: [], empty: [] },
} as const;

export function createVmStore(
  connection: Connection,
  charged: { quotas: QuotaStore; departures: Departures; leases: Leases },
) {
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
        name: 'amiss_or_unknown',
        partialFilterExpression: {
          lcm_state: { $in: [...amissStates] },
        },
      },
    },
    {
      // What monitoring asks of every host at each tick is answered from it: VMs on their way are not in it.
      fields: { 'history.hid': 1, state: 1, lcm_state: 1, 'sighting.missing': 1, _id: 1 },
      options: {
        name: 'by_place_and_state',
        partialFilterExpression: {
          state: { $in: [...placedStates] },
          lcm_state: { $in: ['RUNNING', 'UNKNOWN', 'BOOT_FAILURE', 'LCM_INIT'] },
        },
      },
    },
    {
      fields: { 'schedule.due_at': 1 },
      options: { name: 'due', partialFilterExpression: { 'schedule.due_at': { $gt: new Date(0) } } },
    },
    {
      fields: { 'resched.next': 1 },
      options: { name: 'to_be_moved', partialFilterExpression: { 'resched.next': { $exists: true } } },
    },
    chargeIndex,
  ]);

  /** Each by itself; those that have addresses together with these, all or none. */
  async function insertPart(part: Vm[]): Promise<void> {
    const takes = takesOf(part);
    const written = connection.collection<Vm>('vms');
    if (takes.length === 0) await written.insertMany(part, { ordered: false });
    else
      await withTransaction(connection, async (transaction) => {
        await written.insertMany(part, within(transaction));
        await charged.leases.take(takes, transaction);
      });
  }

  return {
    model: vms,
    /** One of a service that is being given away is the new owner's from the moment on at which the service is. */
    async find(id: number): Promise<Vm | null> {
      const vm = await vms.findById(id).lean<Vm>().exec();
      return vm?.service ? { ...vm, ...(await newOwnerOf(connection, vm.service.id)) } : vm;
    },
    byIds: (ids: readonly number[]) =>
      vms
        .find({ _id: { $in: ids } }, workFields)
        .sort({ _id: 1 })
        .batchSize(readAtOnce)
        .lean<WorkVm[]>()
        .exec(),
    /**
     * What each of these VMs is made of: much, and needed by whoever makes it alone. It is read from its bytes when it is
     * asked for: of the largest that takes milliseconds, and fifty are read at once.
     */
    async contentsOf(ids: readonly number[]): Promise<ReadonlyMap<number, () => Vm['template']>> {
      const found = await connection
        .collection('vms')
        .aggregate<Uint8Array>([{ $match: { _id: { $in: [...ids] } } }, { $project: { template: 1 } }], {
          raw: true,
          batchSize: wholeAtOnce,
        })
        .toArray();
      const { deserialize } = mongo.BSON;
      return new Map(
        found.map((bytes) => {
          const { _id, template } = WithContents.parse(deserialize(bytes, { raw: true }));
          return [_id, () => deserialize(template)];
        }),
      );
    },
    /** One that has no host, and for which nobody looks for one: from now on that is to be so. null: it is not like that any more. */
    hold: (id: number, also?: ScheduleWrite): Promise<Vm | null> =>
      vms
        .findOneAndUpdate(
          { _id: id, state: 'PENDING', service: null, operation: null, wanted: null, hold: null, ...also?.guard },
          {
            $set: { ...storedVmState('HOLD'), reason: null, ...also?.set },
            ...pushLine({ at: new Date(), ...storedVmState('HOLD'), op: null, reason: null }),
          },
          { returnDocument: 'after' },
        )
        .lean<Vm>()
        .exec(),
    list: (caller: Caller, query: ListQuery & { state?: VmState; service_id?: number }) =>
      pageOf(
        vms,
        {
          ...visibleTo(caller, 'vm'),
          ...(query.state !== undefined && { state: query.state }),
          ...(!asksForState(query) && { state: { $in: presentStates } }),
          ...(query.service_id !== undefined && { 'service.id': query.service_id }),
        },
        query,
        { ids: 'number', list: vmFields, parts },
      ),
    siblings: createSiblings(connection, vms),
    /** What those VMs of these services ask of hosts that wait for one and are to be together with others, each kind once. */
    async waitingTogether(services: readonly number[]): Promise<(Member & { vms: number })[]> {
      if (services.length === 0) return [];
      const kinds = await vms
        .aggregate<Pick<Vm, 'capacity' | 'service' | 'placement'> & { requirements?: string; vms: number }>(
          [
            {
              $match: {
                'service.id': { $in: services },
                ...waitingForCapacity,
                'placement.together.0': { $exists: true },
              },
            },
            {
              $group: {
                _id: {
                  service: { id: '$service.id', role: '$service.role' },
                  ...{ capacity: '$capacity', placement: '$placement' },
                  requirements: '$user_template.SCHED_REQUIREMENTS',
                },
                vms: { $sum: 1 },
              },
            },
            { $replaceWith: { $mergeObjects: ['$_id', { vms: '$vms' }] } },
          ],
          { hint: 'by_service' },
        )
        .exec();
      return kinds.map(({ capacity, service, placement, requirements, vms: count }) => {
        const user_template = requirements === undefined ? {} : { SCHED_REQUIREMENTS: requirements };
        return { ...wishOf({ _id: -1, capacity, user_template, service, placement }), vms: count };
      });
    },
    /** VMs of a service, or of some of its roles, that are not DONE, in order of their ids. */
    ofService: (id: number, roles?: readonly string[]) =>
      vms
        .find(
          { 'service.id': id, ...(roles && { 'service.role': { $in: roles } }), state: { $ne: 'DONE' } },
          workFields,
        )
        // Left to choose, MongoDB may go through all VMs in order of their ids.
        .hint('by_service')
        .sort({ _id: 1 })
        .batchSize(readAtOnce)
        .lean<WorkVm[]>()
        .exec(),
    /** Those of other roles that have to be where a role is, and of which it is not known what became of them. */
    unknownWith: (id: number, role: string) =>
      vms
        .find(
          { 'service.id': id, lcm_state: 'UNKNOWN', 'placement.together': role, 'service.role': { $ne: role } },
          workFields,
        )
        .hint('amiss_or_unknown')
        .sort({ _id: 1 })
        .batchSize(readAtOnce)
        .lean<WorkVm[]>()
        .exec(),
    /** What is told of a service's VMs: of those that are not DONE, and those that became so since a time. */
    toldSince: (id: number, since: Date) =>
      vms
        .find({ 'service.id': id, $or: [{ state: { $ne: 'DONE' } }, { ended_at: { $gte: since } }] }, told)
        .sort({ _id: 1 })
        .batchSize(readAtOnce)
        .lean<ToldVm[]>()
        .exec(),
    /** Those of them that go on, where they are now, from what they had in memory when they were stopped. */
    comingBack: async (ids: readonly number[]): Promise<number[]> =>
      (
        await vms
          .find({ _id: { $in: ids }, lcm_state: { $in: ['PROLOG_RESUME', 'BOOT_STOPPED'] } }, { _id: 1 })
          .lean<Pick<Vm, '_id'>[]>()
          .exec()
      ).map(({ _id }) => _id),
    /** Those of them that have no host, and of which something is kept. */
    storedOnly: async (ids: readonly number[]): Promise<number[]> =>
      (
        await vms
          .find({ _id: { $in: ids }, 'stored.vm_mad': { $exists: true } }, { history: 1 })
          .lean<Pick<Vm, '_id' | 'history'>[]>()
          .exec()
      ).flatMap((vm) => (placeOf(vm) === null ? [vm._id] : [])),
    /** Whether VMs of a service are switched off, and nobody is at work on them. */
    anySwitchedOff: async (service: number): Promise<boolean> =>
      (await vms.exists({ 'service.id': service, state: { $in: offStates }, operation: null, wanted: null }).exec()) !==
      null,
    /** By role, the highest VM number that it has ever had; roles that never had a VM are left out. */
    async lastOrdinals(service: number, roles: readonly string[]): Promise<Map<string, number>> {
      const found = await connection
        .collection('vms')
        .aggregate<{ _id: string; last: number }>(
          [
            { $match: { 'service.id': service, 'service.role': { $in: [...roles] } } },
            { $group: { _id: '$service.role', last: { $max: '$service.ordinal' } } },
          ],
          { hint: 'by_service' },
        )
        .toArray();
      return new Map(found.map(({ _id, last }) => [_id, last]));
    },
    /** By role, how many VMs of a service run without having reported READY=YES. */
    async unready(service: number, roles: readonly string[]): Promise<Map<string, number>> {
      const rows = connection
        .collection<Vm>('vms')
        .find<Pick<Vm, 'state' | 'lcm_state' | 'service' | 'user_template'>>(
          { 'service.id': service, 'service.role': { $in: [...roles] }, state: 'ACTIVE', lcm_state: 'RUNNING' },
          { projection: readyFields, hint: 'by_service', batchSize: portion },
        );
      const counts = new Map<string, number>();
      for await (const { service: place, user_template } of rows)
        if (place && !isReady(user_template)) counts.set(place.role, (counts.get(place.role) ?? 0) + 1);
      return counts;
    },
    anyWaiting: async (): Promise<boolean> => (await vms.exists(waitingForCapacity)) !== null,

    /** Writes new VMs; those whose unique key exists already are left as they are. Returns whether all were new. */
    async insertMissing(documents: readonly Vm[]): Promise<boolean> {
      if (documents.length === 0) return true;
      try {
        // Past Mongoose, which would cast every value of every document.
        for (const some of inParts(documents)) await insertPart(some);
        return true;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return false;
      }
    },

    /** Which of these VMs has this domain; null: none. */
    async withDomain(ids: readonly number[], deploy_id: string): Promise<number | null> {
      const found = await vms
        .findOne({ _id: { $in: [...ids] }, deploy_id }, { _id: 1 })
        .lean<Pick<Vm, '_id'>>()
        .exec();
      return found?._id ?? null;
    },

    /** One of its own, in the transaction that admits the operation which deploys it. */
    async insert(vm: Vm, transaction: Transaction): Promise<void> {
      await charged.leases.take(takesOf([vm]), transaction);
      await vms.create([vm], within(transaction));
    },

    setEdited: (id: number, edited: VmEdit, transaction: Transaction): Promise<Vm | null> =>
      setWhole(vms, id, edited, transaction),

    ...createVmAdmissions(connection, vms),
    ...createVmReasons(connection, vms),
    ...createVmHolds(connection, vms),
    ...createVmDebugging(connection, vms, charged.leases),
    ...createVmTransitions(connection, vms, charged),
  };
}

export type VmStore = ReturnType<typeof createVmStore>;
