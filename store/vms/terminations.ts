import type { Connection } from 'mongoose';
import { ulid } from 'ulid';
import { workflowIdOf } from '../../domain/operations/names.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { within, withTransaction } from '../mongo/transaction.js';
import type { OperationStore } from '../operations/operations.js';
import type { VmStore } from './vms.js';

/** Terminations that wait, with no run open, for a host that does not answer. */
export function createTerminations(connection: Connection, vms: VmStore, operations: OperationStore) {
  return {
    /**
     * A VM that is replaced although its host does not answer: in one transaction, an operation that is to terminate it
     * when the host does, and the VM is its and no longer its role's. Only while `by` holds the VM; said again it is so
     * already.
     */
    async await(vm: Pick<Vm, '_id' | 'name' | 'template_id'>, by: Operation, host: string): Promise<void> {
      const now = new Date();
      const resource = { type: 'vm', id: vm._id } as const;
      const operation: Omit<Operation<'terminateVm'>, keyof Ownership> = {
        _id: ulid(),
        kind: 'terminateVm',
        resource,
        resource_name: vm.name,
        workflow_id: workflowIdOf(resource),
        input: { hard: true },
        requester: by.requester,
        idempotency_key: null,
        fingerprint: `replaced by ${by._id}`,
        state: 'waiting',
        run_id: null,
        waiting_for: `its host ${host} to answer`,
        error: null,
        template_id: vm.template_id,
        retry_of: null,
        cancel_requested: null,
        question: null,
        answer: null,
        created_at: now,
        started_at: null,
        ended_at: null,
      };
      await withTransaction(connection, async (transaction) => {
        const owner = await vms.admitLeftBehind(vm._id, operation._id, by._id, transaction);
        if (!owner) return;
        const { uid, gid, permissions } = owner;
        await operations.model.create([{ ...operation, uid, gid, permissions }], within(transaction));
      });
    },

    /** Those that wait, oldest first. */
    waiting: () =>
      operations.model
        .find({ state: 'waiting', kind: 'terminateVm', cancel_requested: null })
        .sort({ _id: 1 })
        .lean<Operation[]>()
        .exec(),
  };
}
