import { randomUUID } from 'node:crypto';
import { openStates } from '../../domain/operation-states.js';
import type { RoleNode } from '../../domain/services/role-graph.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Fenced, FenceTest } from '../../schemas/hosts/ha.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { FailedOver } from '../../schemas/operations/failed-over.js';
import type { Operation, OperationState } from '../../schemas/operations/operation.js';
import type { ServiceTemplateBody } from '../../schemas/services/service-template.js';
import type { HostStore } from '../hosts/hosts.js';
import { ownershipFields } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { noteTurns } from '../operations/note-turns.js';
import type { OperationStore } from '../operations/operations.js';
import type { ServiceStore } from '../services/services.js';
import type { VmStore } from '../vms/vms.js';
import { type WorkVm, workFields } from '../vms/work-vms.js';

/** A host that does not answer, in maintenance or not. */
const silent = () => ({ $or: [{ state: 'ERROR' as const }, { state: 'DISABLED' as const, error: { $ne: null } }] });

/** Failovers of hosts: what they have come to stands in the operation, and the host says which one it has. */
export const createFailovers = ({
  hosts,
  vms,
  operations,
  services,
}: {
  hosts: HostStore;
  vms: VmStore;
  operations: OperationStore;
  services: ServiceStore;
}) => ({
  /**
   * Admission of one, in its transaction: the host does not answer, and nothing is at work on it. `silence`: it begins by itself, for that
   * silence, and only once. Returns whose the host is; null: the guard did not match.
   */
  admit: (id: number, op: string, silence: Date | null, transaction: Transaction): Promise<Ownership | null> =>
    hosts.model
      .findOneAndUpdate(
        {
          ...{ _id: id, operation: null, ...silent() },
          ...(silence && { silent_since: silence, failed_over: { $ne: silence } }),
        },
        [{ $set: { operation: { $literal: op }, failed_over: '$silent_since' } }],
        { ...within(transaction), projection: ownershipFields, updatePipeline: true },
      )
      .lean<Ownership>()
      .exec(),

  /** Nothing is at work on the host any more. */
  end: (id: number, op: string, transaction: Transaction) =>
    hosts.model.updateOne({ _id: id, operation: op }, { $set: { operation: null } }, within(transaction)),

  /**
   * The host is off: said of one that does not answer. `op`: by the operation that has it, else by a person. Returns whether it is so now; false:
   * it answers by now, or somebody else has it.
   */
  async fence(id: number, fenced: Fenced, op?: string): Promise<boolean> {
    const guard = { _id: id, ...silent(), ...(op !== undefined && { operation: op }) };
    const { matchedCount } = await hosts.model.updateOne(
      guard,
      [{ $set: { fenced: { $ifNull: ['$fenced', { $literal: fenced }] } } }],
      { updatePipeline: true },
    );
    return matchedCount > 0;
  },

  /** What a failover goes by from then on, whatever its host does: it was off. */
  async noteOff(op: string): Promise<void> {
    await operations.model.updateOne({ _id: op }, { $set: { host_off: true } });
  },

  /**
   * Admission of a test of how it is turned off, in its transaction: the host answers, or was left off by an earlier one, has no VMs and takes none, has these methods, and nothing
   * is at work on it. Returns whose it is; null: the guard did not match.
   */
  admitTest: (id: number, op: string, methods: string, transaction: Transaction): Promise<Ownership | null> =>
    hosts.model
      .findOneAndUpdate(
        {
          ...{ _id: id, operation: null, state: 'DISABLED', vm_count: 0, 'ha.methods': methods },
          // One that an earlier test has left off is turned on first.
          $or: [{ error: null }, { 'power_cut.methods': methods }],
        },
        { $set: { operation: op } },
        { ...within(transaction), projection: ownershipFields },
      )
      .lean<Ownership>()
      .exec(),

  /** Gives the methods of a host a name that have none, as those of an earlier version. */
  async nameMethods(id: number): Promise<string> {
    const methods = randomUUID();
    await hosts.model.updateOne(
      { _id: id, ha: { $ne: null }, 'ha.methods': null },
      { $set: { 'ha.methods': methods } },
    );
    return (await hosts.find(id))?.ha?.methods ?? methods;
  },

  /** How it has ended; null: nothing is known by it. Nothing is at work on the host any more. */
  endTest: (id: number, op: string, test: FenceTest | null, transaction: Transaction) =>
    hosts.model.updateOne(
      { _id: id, operation: op },
      { $set: { operation: null, ...(test && { fence_test: test }) } },
      within(transaction),
    ),

  /** A test is about to turn its host off by one of these methods; null: it is on again. */
  async notePowerCut(id: number, op: string, cut: NonNullable<Host['power_cut']> | null): Promise<void> {
    await hosts.model.updateOne({ _id: id, operation: op }, { $set: { power_cut: cut } });
  },

  /** VMs that have a reservation on the host, and these. */
  async vmsOn(id: number, also: readonly number[]): Promise<WorkVm[]> {
    const reserved = (await hosts.reservedOn([id])).get(id) ?? new Set<number>();
    return vms.model
      .find({ _id: { $in: [...new Set([...reserved, ...also])] } }, workFields)
      .sort({ _id: 1 })
      .lean<WorkVm[]>()
      .exec();
  },

  /** The roles of these services, and in which order they are deployed. */
  rolesOf: (ids: readonly number[]) =>
    services.model
      .find({ _id: { $in: [...ids] } }, { 'roles.name': 1, 'roles.parents': 1, 'body.deployment': 1 })
      .lean<{ _id: number; body: Pick<ServiceTemplateBody, 'deployment'>; roles: RoleNode[] }[]>()
      .exec(),

  /** By VM, its deployment that has not ended. */
  async deploymentsOf(ids: readonly number[]): Promise<Map<number, { op: string; state: OperationState }>> {
    const found = await operations.model
      .find(
        { 'resource.type': 'vm', 'resource.id': { $in: [...ids] }, kind: 'deployVm', state: { $in: openStates } },
        { state: 1, resource: 1 },
      )
      .sort({ _id: 1 })
      .lean<Pick<Operation, '_id' | 'state' | 'resource'>[]>()
      .exec();
    return new Map(found.map(({ _id, state, resource }) => [resource.id, { op: _id, state }]));
  },

  /** Whether a deployment or a scaling of a service has failed since then. */
  failedSince: async (service: number, since: Date): Promise<boolean> =>
    (await operations.model.exists({
      ...{ 'resource.type': 'service', 'resource.id': service, kind: { $in: ['deployService', 'scaleRole'] } },
      ...{ state: 'failed', ended_at: { $gte: since } },
    })) !== null,

  /** What has become of VMs: of each the entry with the highest turn stands. */
  note: (op: string, said: ReadonlyMap<number, FailedOver>): Promise<void> =>
    noteTurns(operations, op, 'failed_over', said),

  /** Failovers that wait for a person to say that their host is off, of hosts that are, or that answer again. */
  async answered(): Promise<string[]> {
    const waiting = await operations.model
      .find({ kind: 'failoverHost', state: 'waiting' }, { resource: 1 })
      .lean<Pick<Operation, '_id' | 'resource'>[]>()
      .exec();
    if (waiting.length === 0) return [];
    const ids = waiting.map(({ resource }) => resource.id);
    const still = await hosts.model
      .find({ _id: { $in: ids }, fenced: null, ...silent() }, { _id: 1 })
      .lean<{ _id: number }[]>()
      .exec();
    const silentOnes = new Set(still.map(({ _id }) => _id));
    return waiting.flatMap(({ _id, resource }) => (silentOnes.has(resource.id) ? [] : [_id]));
  },

  /** Services of which VMs were on the host, for they are judged anew. */
  async servicesOf(ids: readonly number[]): Promise<number[]> {
    const found = await vms.model.distinct('service.id', { _id: { $in: [...ids] }, service: { $ne: null } }).exec();
    return found.filter((id): id is number => typeof id === 'number');
  },
});
export type Failovers = ReturnType<typeof createFailovers>;
