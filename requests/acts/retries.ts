import type { Caller } from '../../domain/identity/caller.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { OperationKind } from '../../schemas/operations.js';
import { startConsistencyCheck } from '../consistency/consistency.js';
import type { Admission, OperationsContext } from '../context.js';
import { hostRetries } from '../failover/host-retries.js';
import { appRetries } from '../market/app-retries.js';
import type { RetriesOn } from '../operations/retrying.js';
import { scalingRetries } from '../scaling/scaling-retries.js';
import { serviceRetries } from '../services/service-retries.js';
import { imageRetries } from '../storage/image-retries.js';
import { vmRetries } from '../vms/vm-retries.js';

/** How each kind of operation is tried again. */
const retries: RetriesOn<OperatedKind> = {
  ...serviceRetries,
  ...scalingRetries,
  ...vmRetries,
  ...hostRetries,
  ...imageRetries,
  ...appRetries,
  checkConsistency: (context, caller, { input: { repair } }, { retryOf, request, admission }) =>
    startConsistencyCheck(context, caller, { repair }, admission, { retryOf, request }),
};

/** `operation` is the last of its resource, and has failed or was cancelled. */
export function tryAgain<K extends OperationKind>(
  context: OperationsContext,
  caller: Caller,
  operation: Operation<K>,
  request: unknown,
  admission: Admission,
): Promise<OperationResource> {
  return retries[operation.kind](context, caller, operation, { request, retryOf: operation._id, admission });
}
