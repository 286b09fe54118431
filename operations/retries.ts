import type { Caller } from '../domain/caller.js';
import { isCheck, isClaim, isTermination, type Operation, type OperationResource } from '../schemas/operation.js';
import type { consistencyOperations } from './consistency.js';
import type { Admission } from './context.js';
import type { serviceOperations } from './services.js';
import type { vmRecovery } from './vm-recovery.js';
import type { vmOperations } from './vms.js';

type Rooms = {
  consistency: Pick<ReturnType<typeof consistencyOperations>, 'start'>;
  services: Pick<ReturnType<typeof serviceOperations>, 'goOn' | 'repairAgain'>;
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
    const { _id: retryOf, kind, resource } = operation;
    switch (kind) {
      case 'deployService':
      case 'undeployService':
        return services.goOn(caller, resource.id, request, admission);
      case 'repairService':
        return services.repairAgain(caller, resource.id, { retryOf, request }, admission);
      case 'deployVm':
        return vms.deployAgain(caller, resource.id, { retryOf, request }, admission);
      case 'recoverVm': {
        const claim = isClaim(operation) ? operation.input.claim : 'failure';
        return vms.claimAgain(caller, resource.id, { claim }, { retryOf, request }, admission);
      }
      case 'terminateVm': {
        const hard = isTermination(operation) && operation.input.hard;
        return vms.terminateAgain(caller, resource.id, { hard, retryOf, request }, admission);
      }
      case 'checkConsistency': {
        const repair = isCheck(operation) && operation.input.repair;
        return consistency.start(caller, { repair }, admission, { retryOf, request });
      }
    }
  },
});
