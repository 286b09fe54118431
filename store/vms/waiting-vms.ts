import type { Connection } from 'mongoose';
import type { Waiting } from '../../domain/placement/placement-turns.js';
import { portionsOf } from '../../domain/portions.js';
import { wishOf } from '../../domain/vms/vm-wish.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { modelOf } from '../mongo/model.js';
import { toldField, type WorkVm } from './work-vms.js';

/** Those of a deployment that failed wait for nobody, and must not take the place of those that do. */
export const waitingForCapacity = {
  state: 'PENDING' as const,
  $or: [{ hold: { $ne: null } }, { operation: { $ne: null } }],
};

/** What a pass of placement has to know of a VM; of its user template what it asks of hosts. */
const waitingFields = {
  ...{ uid: 1, capacity: 1, service: 1, placement: 1, operation: 1, reason: 1, created_at: 1, offered_at: 1 },
  ...{ disks: 1, files: 1, datastore: 1, told: toldField },
  ...{ 'user_template.SCHED_REQUIREMENTS': 1, 'user_template.SCHED_RANK': 1 },
  ...{ 'user_template.SCHED_DS_REQUIREMENTS': 1, 'user_template.SCHED_DS_RANK': 1 },
} as const;
type WaitingRow = Pick<
  Vm,
  | '_id'
  | 'uid'
  | 'capacity'
  | 'service'
  | 'placement'
  | 'operation'
  | 'reason'
  | 'created_at'
  | 'offered_at'
  | 'user_template'
  | 'disks'
  | 'files'
  | 'datastore'
> &
  Pick<WorkVm, 'told'>;

/** The same of a VM that its service's operation holds. */
const heldFields = { ...waitingFields, state: 1 } as const;
export type HeldRow = WaitingRow & Pick<Vm, 'state'>;

/** A VM that waits, with what it is said to wait for. */
export type WaitingVm = Waiting & { role: string | null; reason: string | null; operation: string | null };

/** Documents that are read at once, and ids that one write names. */
const portion = 1_000;
/** Whoever is offered a host has so long to take it before others come first, in milliseconds. */
const grace = 5_000;
/** Turns older than this make no difference any more, in seconds. */
const remembered = 24 * 3_600;

type Turn = { _id: string; at: number; expires_from: Date };

/** Who waits for a host, and who had a turn when. */
export function createWaitingVms(connection: Connection) {
  const turns = modelOf<Turn>(connection, 'placement_turns', String, [
    { fields: { expires_from: 1 }, options: { expireAfterSeconds: remembered } },
  ]);
  const vms = () => connection.collection<Vm>('vms');

  return {
    turns,

    /** Everybody who waits, page by page; each as small as a pass can do with. */
    async *all(now: number): AsyncGenerator<WaitingVm[]> {
      for (let after = -1; ; ) {
        const rows = await vms()
          .find<WaitingRow>({ ...waitingForCapacity, _id: { $gt: after } }, { projection: waitingFields })
          .sort({ _id: 1 })
          .limit(portion)
          .toArray();
        if (rows.length > 0) yield rows.map((row) => waitingOf(row, now));
        const last = rows.at(-1);
        if (rows.length < portion || !last) return;
        after = last._id;
      }
    },

    /** The roles of a service that these VMs of it are in. */
    async rolesOf(service: number, ids: readonly number[]): Promise<string[]> {
      const rows = await vms()
        .find<Pick<Vm, 'service'>>({ _id: { $in: [...ids] }, 'service.id': service }, { projection: { service: 1 } })
        .toArray();
      return [...new Set(rows.flatMap((row) => (row.service ? [row.service.role] : [])))];
    },

    /**
     * What an operation holds of roles that wait, page by page and as small as a pass can do with: VMs that wait for a
     * host, and those that have one and do not run yet.
     */
    async *ofRoles(service: number, roles: readonly string[], op: string): AsyncGenerator<HeldRow[]> {
      const rows = vms().find<HeldRow>(
        {
          ...{ 'service.id': service, 'service.role': { $in: [...roles] }, 'hold.op': op },
          $or: [{ state: 'PENDING' }, { lcm_state: { $in: ['PROLOG', 'BOOT'] } }],
        },
        { projection: heldFields, hint: 'by_service', batchSize: portion },
      );
      let page: HeldRow[] = [];
      for await (const row of rows) {
        page.push(row);
        if (page.length < portion) continue;
        yield page;
        page = [];
      }
      if (page.length > 0) yield page;
    },

    /** When each of them had its last turn. */
    async served(): Promise<Map<string, number>> {
      const found = await turns.find({}, { at: 1 }).lean<Pick<Turn, '_id' | 'at'>[]>().exec();
      return new Map(found.map(({ _id, at }) => [_id, at]));
    },

    /** Writes down that these VMs were offered a host, and whose turns that were, the last one last. */
    async offered(ids: readonly number[], served: readonly string[]): Promise<void> {
      const now = new Date();
      for (const some of portionsOf(ids, portion))
        await vms().updateMany({ _id: { $in: some }, state: 'PENDING' }, { $set: { offered_at: now } });
      if (served.length === 0) return;
      await turns.bulkWrite(
        served.map((_id, nth) => ({
          updateOne: {
            filter: { _id },
            // Turns of one pass keep their order: a pass takes longer than one turn after the other would.
            update: { $set: { at: now.getTime() + nth / served.length, expires_from: now } },
            upsert: true,
          },
        })),
        { ordered: false },
      );
    },

    /** Says of VMs that wait, and of their own operations, why they have no host now. */
    async tell(ids: readonly number[], operations: readonly string[], reason: string): Promise<void> {
      await vms().updateMany({ ...waitingForCapacity, _id: { $in: [...ids] } }, { $set: { reason } });
      if (operations.length > 0)
        await connection
          .collection<{ _id: string }>('operations')
          .updateMany({ _id: { $in: [...operations] }, state: 'waiting' }, { $set: { waiting_for: reason } });
    },
  };
}
export type WaitingVms = ReturnType<typeof createWaitingVms>;

function waitingOf(row: WaitingRow, now: number): WaitingVm {
  const { uid, service, operation, reason, created_at, offered_at } = row;
  const offered = offered_at?.getTime() ?? 0;
  const since = offered > 0 && offered < now - grace ? offered : created_at.getTime();
  const { vm, capacity, requirements, rank, storage, tied } = wishOf({
    ...row,
    user_template: row.user_template ?? {},
  });
  return {
    ...{ vm, owner: uid, service: service?.id ?? null, role: service?.role ?? null, since, reason, operation },
    ...{ capacity, requirements, rank, storage, tied },
  };
}
