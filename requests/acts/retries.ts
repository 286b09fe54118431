import { claimOf, wasHard } from '../../domain/acts/operation-acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { isCheck, type Operation, type OperationResource } from '../../schemas/operations/operation.js';
import type { consistencyOperations } from '../consistency/consistency.js';
import type { Admission } from '../context.js';
import type { serviceOperations } from '../services/services.js';
import type { vmRecovery } from '../vms/vm-recovery.js';
import type { vmOperations } from '../vms/vms.js';

type Rooms = {
  consistency: Pick<ReturnType<typeof consistencyOperations>, 'start'>;
  services: Pick<ReturnType<typeof serviceOperations>, 'recoverAgain' | 'repairAgain'>;
  vms: Pick<ReturnType<typeof vmRecovery>, 'deployAgain' | 'claimAgain'> &
    Pick<ReturnType<typeof vmOperations>, 'terminateAgain'>;
};

export type Retries = ReturnType<typeof createRetries>;

/** How each kind of operation is tried again: by what its resource can be asked for anyway. */
export const createRetries = ({ consistency, services, vms }: Rooms) => ({
  /** `operation` is the last of its resource, and has failed or was cancelled. */
  async again(
    caller: Caller,
    operation: Operation,
    request: unknown,
    admission: Admission,
  ): Promise<OperationResource> {
    const {
      _id: retryOf,
      kind,
      resource: { id },
    } = operation;
    const asked = { request, retryOf, admission };
    switch (kind) {
      case 'deployService':
      case 'undeployService':
        return services.recoverAgain(caller, id, asked);
      case 'repairService':
        return services.repairAgain(caller, id, asked);
      case 'deployVm':
        return vms.deployAgain(caller, id, asked);
      case 'recoverVm':
        return vms.claimAgain(caller, id, { claim: claimOf(operation) }, asked);
      case 'terminateVm':
        return vms.terminateAgain(caller, id, { hard: wasHard(operation) }, asked);
      case 'checkConsistency': {
        const repair = isCheck(operation) && operation.input.repair;
        return consistency.start(caller, { repair }, admission, { retryOf, request });
      }
    }
  },
});
