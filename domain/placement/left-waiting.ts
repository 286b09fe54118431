import type { Operation, OperationError, OperationState } from '../../schemas/operations/operation.js';
import { isOn, type OperationOn, operations } from '../../schemas/operations.js';

/** How an operation ended other than well; null: it ended, and not everything was got. */
type Ended = { state: OperationState; error?: OperationError | null };

/** How a service is asked to do again what it left undone. */
const again: Record<OperationOn<'service'>, string> = {
  deployService: 'recover',
  repairService: 'repair',
  undeployService: 'recover',
};

/**
 * Why a VM has no host when the operation that was to find it one has ended: whatever hosts lacked when it last looked,
 * nobody looks any more.
 */
export function leftWaiting({ kind, resource }: Pick<Operation, 'kind' | 'resource'>, { state, error }: Ended): string {
  const deed = operations[kind].noun;
  if (error?.code === 'taken') return `its ${deed} gave way to another operation`;
  const ended = state === 'cancelled' ? 'was cancelled' : state === 'failed' ? 'has failed' : 'has ended';
  return isOn('service', kind)
    ? `its ${deed} ${ended}: ${again[kind]} or undeploy service ${resource.id}`
    : `its ${deed} ${ended}: recover it with retry, or terminate it`;
}
