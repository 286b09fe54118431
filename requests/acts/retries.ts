import { claimOf, wasHard } from '../../domain/acts/operation-acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import {
  isCheck,
  isDebugging,
  isDeviceChange,
  isMigration,
  isPerformance,
  isSwitch,
  type Operation,
} from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { startConsistencyCheck } from '../consistency/consistency.js';
import type { Admission, OperationsContext } from '../context.js';
import { performAgain } from '../scaling/actions.js';
import { scaleRoleAgain } from '../scaling/scaling.js';
import { recoverServiceAgain, repairServiceAgain } from '../services/service-recovery.js';
import { removeImageAgain } from '../storage/images.js';
import { makeImageAgain } from '../storage/making-images.js';
import { flushHostAgain } from '../vms/host-flush.js';
import { changeDevicesAgain } from '../vms/vm-devices.js';
import { migrateVmAgain } from '../vms/vm-migration.js';
import { claimVmAgain, debugVmAgain, deployVmAgain } from '../vms/vm-recovery.js';
import { switchVmAgain } from '../vms/vm-switches.js';
import { terminateVmAgain } from '../vms/vms.js';

/**
 * How each kind of operation is tried again: by what its resource can be asked for anyway. `operation` is the last of its
 * resource, and has failed or was cancelled.
 */
export async function tryAgain(
  context: OperationsContext,
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
      // What failed may run again since a moment ago.
      await context.store.health.refresh([id]);
      return recoverServiceAgain(context, caller, id, asked);
    case 'scaleRole':
      return scaleRoleAgain(context, caller, id, operation.role ?? '', asked);
    case 'performOnRole':
      if (!isPerformance(operation)) throw new Error(`${retryOf} is no action on VMs`);
      return performAgain(context, caller, operation, asked);
    case 'repairService':
      return repairServiceAgain(context, caller, id, asked);
    case 'deployVm':
      return deployVmAgain(context, caller, id, asked);
    case 'recoverVm':
      return claimVmAgain(context, caller, id, { claim: claimOf(operation) }, asked);
    case 'performOnVm':
      if (!isSwitch(operation)) throw new Error(`${retryOf} switches no VM`);
      return switchVmAgain(context, caller, id, operation.input, asked);
    case 'migrateVm':
      if (!isMigration(operation)) throw new Error(`${retryOf} migrates no VM`);
      return migrateVmAgain(context, caller, id, operation.input, asked);
    case 'debugVm':
      if (!isDebugging(operation)) throw new Error(`${retryOf} debugs no VM`);
      return debugVmAgain(context, caller, id, operation.input, asked);
    case 'flushHost':
      return flushHostAgain(context, caller, id, asked);
    case 'importVm':
      throw new Problem('wrong_state', `Import the domain of ${operation.resource_name} again: it will be a new VM.`);
    case 'changeDevices':
      if (!isDeviceChange(operation)) throw new Error(`${retryOf} changes no devices`);
      return changeDevicesAgain(context, caller, id, operation.input.change, asked);
    case 'terminateVm':
      return terminateVmAgain(context, caller, id, { hard: wasHard(operation) }, asked);
    case 'createImage':
    case 'cloneImage':
      return makeImageAgain(context, caller, id, asked);
    case 'deleteImage':
      return removeImageAgain(context, caller, id, asked);
    case 'checkConsistency': {
      const repair = isCheck(operation) && operation.input.repair;
      return startConsistencyCheck(context, caller, { repair }, admission, { retryOf, request });
    }
  }
}
