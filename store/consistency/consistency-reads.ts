import type { Connection } from 'mongoose';
import type { SeenService, SeenVm } from '../../domain/consistency/hands.js';
import type { SeenOperations } from '../../domain/consistency/judge-operation-owners.js';
import type { SeenCounter } from '../../domain/consistency/judge-operations.js';
import type { RoleCount } from '../../domain/consistency/judge-services.js';
import { openStates } from '../../domain/operation-states.js';
import { offStates } from '../../domain/vms/vm-states.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Host } from '../../schemas/hosts/host.js';
import { kinds, type OperatedKind, operatedKinds, type Pool, pools } from '../../schemas/kinds.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { HostStore } from '../hosts/hosts.js';
import type { OperationStore } from '../operations/operations.js';
import type { ServiceStore } from '../services/services.js';
import type { VmStore } from '../vms/vms.js';

export type ReadStores = { operations: OperationStore; services: ServiceStore; vms: VmStore; hosts: HostStore };

/** Documents after an id, in order of ids, or those with these ids. */
export type Portion<Id> = { after: Id | null; limit: number } | { ids: readonly Id[] };

const ofVm =
  'uid gid permissions state lcm_state epoch hold operation wanted service capacity history moving nics device_change disks files datastore';
const ofService =
  'uid gid permissions state epoch operation wanted holds giving networks roles.name roles.state roles.cardinality roles.operation';
const ofHost = 'name state vm_mad libvirt total reserved used vms vm_count operation fenced';

export type SeenHostDocument = Pick<
  Host,
  | '_id'
  | 'name'
  | 'state'
  | 'vm_mad'
  | 'libvirt'
  | 'total'
  | 'reserved'
  | 'used'
  | 'vms'
  | 'vm_count'
  | 'operation'
  | 'fenced'
>;

/** What a check of consistency reads: portions of documents, without what it need not know of them. */
export function createConsistencyReads(connection: Connection, { operations, services, vms, hosts }: ReadStores) {
  return {
    vms: (portion: Portion<number>) =>
      vms.model.find(chosen(portion), ofVm).sort({ _id: 1 }).limit(most(portion)).lean<SeenVm[]>().exec(),
    /** Those whose disks are said to be in a datastore, in order of ids, after one. */
    vmsIn: (datastore: number, { after, limit }: { after: number | null; limit: number }) =>
      vms.model
        .find({ 'datastore.id': datastore, ...(after !== null && { _id: { $gt: after } }) }, ofVm)
        .sort({ _id: 1 })
        .limit(limit)
        .lean<SeenVm[]>()
        .exec(),
    services: (portion: Portion<number>) =>
      services.model
        .find(chosen(portion), ofService)
        .sort({ _id: 1 })
        .limit(most(portion))
        .lean<SeenService[]>()
        .exec(),
    hosts: (portion: Portion<number>) =>
      hosts.model.find(chosen(portion), ofHost).sort({ _id: 1 }).limit(most(portion)).lean<SeenHostDocument[]>().exec(),
    /** Those that have not ended. */
    openOperations: (portion: Portion<string>) =>
      operations.model
        .find({ state: { $in: openStates }, ...chosen(portion) })
        .sort({ _id: 1 })
        .limit(most(portion))
        .lean<Operation[]>()
        .exec(),

    operations: (ids: readonly string[]) =>
      operations.model
        .find({ _id: { $in: ids } })
        .lean<Operation[]>()
        .exec(),

    /** How far these operations have come; those that do not exist are left out. */
    async statesOf(ids: readonly string[]): Promise<Map<string, Pick<Operation, 'state' | 'ended_at' | 'releasing'>>> {
      if (ids.length === 0) return new Map();
      const found = await operations.model
        .find({ _id: { $in: ids } }, { state: 1, ended_at: 1, releasing: 1 })
        .lean<Pick<Operation, '_id' | 'state' | 'ended_at' | 'releasing'>[]>()
        .exec();
      return new Map(found.map(({ _id, ...known }) => [_id, known]));
    },

    /** Whose the operations on these resources are, those that have ended among them. */
    async operationsOn(type: 'service' | 'vm', ids: readonly number[]): Promise<Map<number, SeenOperations[]>> {
      const rows = await operations.model
        .aggregate<{ _id: Ownership & { on: number }; count: number; first: string }>([
          { $match: { 'resource.type': type, 'resource.id': { $in: [...ids] } } },
          {
            $group: {
              _id: { on: '$resource.id', uid: '$uid', gid: '$gid', permissions: '$permissions' },
              count: { $sum: 1 },
              first: { $min: '$_id' },
            },
          },
        ])
        .exec();
      const found = new Map<number, SeenOperations[]>();
      for (const { _id, count, first } of rows) {
        const { on, ...ownership } = _id;
        found.set(on, [...(found.get(on) ?? []), { ...ownership, count, first }]);
      }
      return found;
    },

    /** Those of these VMs whose last operation has failed or was cancelled. */
    async unfinished(ids: readonly number[]): Promise<Set<number>> {
      if (ids.length === 0) return new Set();
      const last = await operations.model
        .aggregate<{ _id: number; state: Operation['state'] }>([
          { $match: { 'resource.type': 'vm', 'resource.id': { $in: [...ids] } } },
          { $sort: { _id: -1 } },
          { $group: { _id: '$resource.id', state: { $first: '$state' } } },
        ])
        .exec();
      return new Set(last.filter(({ state }) => state === 'failed' || state === 'cancelled').map(({ _id }) => _id));
    },

    /** For each of these hosts that exists, which of these VMs have a reservation there. */
    async reserved(ids: readonly number[], of: readonly number[]): Promise<Map<number, Set<number>>> {
      if (ids.length === 0) return new Map();
      const only = Object.fromEntries(of.map((vm) => [`vms.${vm}`, 1 as const]));
      const found = await hosts.model
        .find({ _id: { $in: ids } }, { name: 1, ...only })
        .lean<(Pick<Host, '_id'> & { vms?: Host['vms'] })[]>()
        .exec();
      return new Map(found.map((host) => [host._id, new Set(Object.keys(host.vms ?? {}).map(Number))]));
    },

    /** The VMs of these services, counted by role. */
    async counts(ids: readonly number[]): Promise<Map<number, Map<string, RoleCount>>> {
      const living = (also: object) => ({ $sum: { $cond: [{ $and: [{ $ne: ['$state', 'DONE'] }, also] }, 1, 0] } });
      const rows = await vms.model
        .aggregate<{ _id: { service: number; role: string } } & RoleCount>([
          { $match: { 'service.id': { $in: [...ids] } } },
          {
            $group: {
              _id: { service: '$service.id', role: '$service.role' },
              present: living({}),
              running: living({ $or: [{ $eq: ['$lcm_state', 'RUNNING'] }, { $in: ['$state', [...offStates]] }] }),
              busy: living({
                $or: [{ $ne: ['$hold', null] }, { $ne: ['$operation', null] }, { $ne: ['$wanted', null] }],
              }),
              all: { $sum: 1 },
              numbers: { $addToSet: '$service.ordinal' },
            },
          },
          { $set: { numbers: { $size: '$numbers' } } },
        ])
        .exec();
      const counts = new Map<number, Map<string, RoleCount>>();
      for (const { _id, ...count } of rows) {
        const roles = counts.get(_id.service) ?? new Map<string, RoleCount>();
        counts.set(_id.service, roles.set(_id.role, count));
      }
      return counts;
    },

    /** Which of these operations their resources name as at work on them, or as wanting them. */
    async known(ofThese: readonly Pick<Operation, '_id' | 'resource'>[]): Promise<Set<string>> {
      type Naming = { operation?: string | null; wanted?: string | null; roles?: { operation?: string | null }[] };
      const namedBy = (kind: Exclude<OperatedKind, 'zone'>) => async (some: typeof ofThese) => {
        const documents = connection.collection<Naming & { _id: number }>(kinds[kind].collection);
        const ids = some.map(({ resource }) => resource.id);
        const found = await documents
          .find({ _id: { $in: ids } }, { projection: { operation: 1, wanted: 1, 'roles.operation': 1 } })
          .toArray();
        return found.flatMap(({ operation, wanted, roles = [] }) =>
          [operation, wanted, ...roles.map((role) => role.operation)].flatMap((op) => op ?? []),
        );
      };
      const named: Record<OperatedKind, (some: typeof ofThese) => Promise<string[]>> = {
        service: namedBy('service'),
        vm: namedBy('vm'),
        host: namedBy('host'),
        image: namedBy('image'),
        app: namedBy('app'),
        // A check needs nobody to know of it.
        zone: async (some) => some.map(({ _id }) => _id),
      };
      const found = await Promise.all(
        operatedKinds.map((kind) => named[kind](ofThese.filter(({ resource }) => resource.type === kind))),
      );
      return new Set(found.flat());
    },

    /** Every counter. The ids are read before the counters: one that is given meanwhile is above them all the same. */
    async counters(): Promise<SeenCounter[]> {
      const found: SeenCounter[] = [];
      for (const { pool, collections } of pools) {
        let highest = -1;
        for (const name of collections) {
          const [last] = await connection
            .collection<{ _id: number }>(name)
            .find({}, { projection: { _id: 1 } })
            .sort({ _id: -1 })
            .limit(1)
            .toArray();
          highest = Math.max(highest, last?._id ?? -1);
        }
        const counter = await connection.collection<{ _id: Pool; next: number }>('counters').findOne({ _id: pool });
        found.push({ pool, next: counter?.next ?? 0, highest });
      }
      return found;
    },
  };
}
export type ConsistencyReads = ReturnType<typeof createConsistencyReads>;

function chosen<Id>(portion: Portion<Id>): Record<string, unknown> {
  if ('ids' in portion) return { _id: { $in: portion.ids } };
  return portion.after === null ? {} : { _id: { $gt: portion.after } };
}

/** 0: without a limit. */
const most = <Id>(portion: Portion<Id>): number => ('ids' in portion ? 0 : portion.limit);
