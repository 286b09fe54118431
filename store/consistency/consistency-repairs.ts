import type { Connection } from 'mongoose';
import type { Evidence, StrayOperations } from '../../domain/consistency/evidence.js';
import { abandonment } from '../../domain/vms/vm-events.js';
import { placedStates } from '../../domain/vms/vm-states.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { Ownership } from '../../schemas/common/common.js';
import { kinds } from '../../schemas/kinds.js';
import type { ServiceState } from '../../schemas/services/service.js';
import { changeReservation } from '../hosts/change-reservation.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import { noRoleAtWork } from '../services/hands.js';
import { pushLog, stateEntry } from '../services/service-log.js';
import type { ReadStores } from './consistency-reads.js';

type Owned = Ownership & { _id: number; owner_changes: number };

const found = 'found by a check of consistency';
const pushState = (state: ServiceState) => pushLog([stateEntry(state, new Date())]);

/** What a service becomes that is in a state of work, and at which nobody is. */
const abandoned: Partial<Record<ServiceState, ServiceState>> = {
  UNDEPLOYING: 'FAILED_UNDEPLOYING',
  SCALING: 'FAILED_SCALING',
};

/**
 * The repairs that change documents. Each is one guarded update (or a transaction of two) that filters on what was seen:
 * it returns false, and has changed nothing, when that is not there any more. None looks for what it may do beyond that.
 */
export function createConsistencyRepairs(connection: Connection, { operations, services, vms, hosts }: ReadStores) {
  return {
    /** A role that has been admitted to something since it was seen is somebody's, and with it the service. */
    async abandonService({ service, state, epoch, operation, wanted }: Evidence['service_abandoned']) {
      const becomes = abandoned[state] ?? 'FAILED_DEPLOYING';
      const reason = `no operation is at work on it: ${found}`;
      const { modifiedCount } = await services.model.updateOne(
        { _id: service, state, epoch, operation, wanted, ...noRoleAtWork },
        {
          $set: {
            state: becomes,
            operation: null,
            wanted: null,
            'roles.$[up].state': 'FAILED_DEPLOYING',
            'roles.$[up].reason': reason,
            'roles.$[down].state': 'FAILED_UNDEPLOYING',
            'roles.$[down].reason': reason,
            'roles.$[scaled].state': 'FAILED_SCALING',
            'roles.$[scaled].reason': reason,
          },
          $push: pushState(becomes),
        },
        { arrayFilters: [{ 'up.state': 'DEPLOYING' }, { 'down.state': 'UNDEPLOYING' }, { 'scaled.state': 'SCALING' }] },
      );
      return modifiedCount > 0;
    },

    async clearServiceName({ service, op }: Evidence['service_operation_stale'], field: 'operation' | 'wanted') {
      const cleared = await services.model.updateOne({ _id: service, [field]: op }, { $set: { [field]: null } });
      return cleared.modifiedCount > 0;
    },

    async clearRoleName({ service, role, op }: Evidence['role_operation_stale']) {
      const cleared = await services.model.updateOne(
        { _id: service, roles: { $elemMatch: { name: role, operation: op } } },
        { $set: { 'roles.$.operation': null }, $inc: { health: 1 } },
      );
      return cleared.modifiedCount > 0;
    },

    async releaseRole({ service, role, op, epoch }: Evidence['service_hold_stale']) {
      const { modifiedCount } = await services.model.updateOne(
        { _id: service, [`holds.${role}.op`]: op, [`holds.${role}.epoch`]: epoch },
        { $unset: { [`holds.${role}`]: '' } },
      );
      return modifiedCount > 0;
    },

    /** `roles`: those that have VMs. */
    async reviveService({ service, state, epoch }: Evidence['service_done_with_vms'], roles: readonly string[]) {
      const { modifiedCount } = await services.model.updateOne(
        { _id: service, state, epoch, operation: null, wanted: null },
        {
          $set: {
            state: 'FAILED_UNDEPLOYING',
            ended_at: null,
            'roles.$[left].state': 'FAILED_UNDEPLOYING',
            'roles.$[left].reason': `VMs of it are left: ${found}`,
          },
          $push: pushState('FAILED_UNDEPLOYING'),
        },
        { arrayFilters: [{ 'left.name': { $in: [...roles] } }] },
      );
      return modifiedCount > 0;
    },

    /** A RUNNING service becomes FAILED_DEPLOYING, or as its role FAILED_SCALING: only that can be recovered. */
    async correctRole(
      { service, state, epoch, role }: Pick<Evidence['role_state_wrong'], 'service' | 'state' | 'epoch' | 'role'>,
      is: ServiceState,
      becomes: ServiceState,
      reason: string,
    ) {
      const ofService = becomes === 'FAILED_SCALING' ? becomes : 'FAILED_DEPLOYING';
      const { modifiedCount } = await services.model.updateOne(
        {
          _id: service,
          ...{ state, epoch, operation: null, wanted: null },
          roles: { $elemMatch: { name: role, state: is } },
        },
        {
          $set: {
            'roles.$.state': becomes,
            'roles.$.reason': becomes === 'DONE' ? null : `${reason}: ${found}`,
            ...(state === 'RUNNING' && { state: ofService }),
          },
          ...(state === 'RUNNING' && { $push: pushState(ofService) }),
        },
      );
      return modifiedCount > 0;
    },

    async abandonVm({ vm, ...seen }: Evidence['vm_abandoned']) {
      const event = abandonment(seen);
      if (!event) return false;
      const move = {
        vm: { _id: vm, ...seen },
        event,
        set: { reason: `its operation was lost: ${found}` },
        release: true,
      };
      return (await vms.move([move])).moved > 0;
    },

    /** RUNNING → UNKNOWN: its domain is not what it was, and only looking at the host can tell more. */
    async loseVm({ vm, ...seen }: Evidence['vm_abandoned'], reason: string) {
      const move = {
        vm: { _id: vm, ...seen },
        event: 'lose' as const,
        set: { reason: `${reason}: ${found}` },
        release: true,
      };
      return (await vms.move([move])).moved > 0;
    },

    async clearVmName({ vm, op }: Evidence['vm_operation_stale'], field: 'operation' | 'wanted') {
      return (await vms.model.updateOne({ _id: vm, [field]: op }, { $set: { [field]: null } })).modifiedCount > 0;
    },

    async clearHostName({ host, op }: Evidence['host_operation_stale']) {
      return (
        (await hosts.model.updateOne({ _id: host, operation: op }, { $set: { operation: null } })).modifiedCount > 0
      );
    },

    async releaseVm({ vm, hold: { op, epoch, attempt } }: Evidence['vm_hold_stale']) {
      const { modifiedCount } = await vms.model.updateOne(
        { _id: vm, 'hold.op': op, 'hold.epoch': epoch, 'hold.attempt': attempt },
        { $set: { hold: null } },
      );
      return modifiedCount > 0;
    },

    async endStay({ vm, stay }: Evidence['vm_done_on_host']) {
      const end = `history.${stay}.etime`;
      const { modifiedCount } = await vms.model.updateOne(
        { _id: vm, state: 'DONE', [end]: null },
        { $set: { [end]: new Date() } },
      );
      return modifiedCount > 0;
    },

    /** The service is written, too: whoever gives it away meanwhile wins. */
    giveNode: ({ vm, service, is, should }: Evidence['vm_owner_differs']) =>
      all(
        async (transaction) => {
          const seen = { _id: service, ...should };
          return (
            (await services.model.updateOne(seen, { $inc: { owner_changes: 1 } }, within(transaction))).modifiedCount >
            0
          );
        },
        async (transaction) => {
          const seen = { _id: vm, ...is, 'service.id': service };
          return (await vms.model.updateOne(seen, { $set: should }, within(transaction))).modifiedCount > 0;
        },
        async (transaction) => {
          await operations.give('vm', [vm], should, transaction);
          return true;
        },
      ),

    /** The resource is written, too: whoever gives it away meanwhile wins, and gives them along. */
    giveOperations: (type: 'service' | 'vm', id: number, { should }: StrayOperations) =>
      all(
        async (transaction) => {
          const resources = connection.collection<Owned>(kinds[type].collection);
          const seen = { _id: id, ...should };
          return (
            (await resources.updateOne(seen, { $inc: { owner_changes: 1 } }, within(transaction))).modifiedCount > 0
          );
        },
        (transaction) => operations.give(type, [id], should, transaction),
      ),

    async raiseEpoch({ vm, state, lcm_state, epoch, hold, domain }: Evidence['domain_newer']) {
      const { modifiedCount } = await vms.model.updateOne(
        { _id: vm, state, lcm_state, epoch, hold },
        { $set: { epoch: domain } },
      );
      return modifiedCount > 0;
    },

    /** The VM is fenced in the same transaction: whoever takes it meanwhile wins, and then nothing is reserved here. */
    reserve: ({ vm, state, lcm_state, epoch, host, capacity }: Evidence['vm_not_reserved']) =>
      all(
        (transaction) => fence({ _id: vm, state, lcm_state, epoch }, transaction),
        (transaction) => changeReservation(hosts.model, { host, vm, from: null, to: capacity }, { transaction }),
      ),

    /** A VM that could still be placed is fenced in the same transaction: whoever takes it reserves anew. */
    unreserve: ({ host, vm, capacity, is, epoch }: Evidence['reservation_orphaned']) =>
      is === 'missing' || is === 'DONE' || epoch === null
        ? changeReservation(hosts.model, { host, vm, from: capacity, to: null })
        : all(
            (transaction) =>
              fence({ _id: vm, state: is === 'elsewhere' ? { $in: [...placedStates] } : is, epoch }, transaction),
            (transaction) => changeReservation(hosts.model, { host, vm, from: capacity, to: null }, { transaction }),
          ),

    resizeReservation: ({ host, vm, capacity, should }: Evidence['reservation_differs']) =>
      changeReservation(hosts.model, { host, vm, from: capacity, to: should }),

    async addUp({ host, used, vm_count }: Evidence['host_sums_wrong']) {
      const sumOf = (field: keyof Capacity) => ({
        $sum: { $map: { input: { $objectToArray: '$vms' }, in: `$$this.v.${field}` } },
      });
      const { modifiedCount } = await hosts.model.updateOne(
        { _id: host, 'used.cpu': used.cpu, 'used.memory': used.memory, vm_count },
        [
          {
            $set: {
              used: { cpu: sumOf('cpu'), memory: sumOf('memory') },
              vm_count: { $size: { $objectToArray: '$vms' } },
            },
          },
        ],
        { updatePipeline: true },
      );
      return modifiedCount > 0;
    },

    async raiseCounter({ pool, next, highest }: Evidence['counter_behind']) {
      const raised = await connection
        .collection<{ _id: string; next: number }>('counters')
        .updateOne({ _id: pool }, { $max: { next: highest + 1 } }, { upsert: next === 0 });
      return raised.modifiedCount + raised.upsertedCount > 0;
    },
  };

  /** Raises the epoch: whoever has read the VM before finds it taken. */
  async function fence(seen: Record<string, unknown>, transaction: Transaction): Promise<boolean> {
    return (await vms.model.updateOne(seen, { $inc: { epoch: 1 } }, within(transaction))).modifiedCount > 0;
  }

  /** All these guarded updates, or none. */
  async function all(...updates: ((transaction: Transaction) => Promise<boolean>)[]): Promise<boolean> {
    try {
      await withTransaction(connection, async (transaction) => {
        for (const update of updates) if (!(await update(transaction))) throw new GuardLost();
      });
      return true;
    } catch (error) {
      if (error instanceof GuardLost) return false;
      throw error;
    }
  }
}
export type ConsistencyRepairs = ReturnType<typeof createConsistencyRepairs>;

class GuardLost extends Error {}
