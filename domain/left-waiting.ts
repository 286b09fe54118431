import type { Operation, OperationError, OperationState } from '../schemas/operation.js';

/** How an operation ended other than well; null: it ended, and not everything was got. */
type Ended = { state: OperationState; error?: OperationError | null };

const deeds = {
  deployService: 'deployment',
  repairService: 'repair',
  deployVm: 'deployment',
  recoverVm: 'recovery',
  undeployService: 'undeployment',
  terminateVm: 'termination',
  checkConsistency: 'check',
} as const satisfies Record<Operation['kind'], string>;

/**
 * Why a VM has no host when the operation that was to find it one has ended: whatever hosts lacked when it last looked,
 * nobody looks any more.
 */
export function leftWaiting({ kind, resource }: Pick<Operation, 'kind' | 'resource'>, { state, error }: Ended): string {
  const deed = deeds[kind];
  if (error?.code === 'taken') return `its ${deed} gave way to another operation`;
  const ended = state === 'cancelled' ? 'was cancelled' : state === 'failed' ? 'has failed' : 'has ended';
  if (resource.type !== 'service') return `its ${deed} ${ended}: recover it with retry, or terminate it`;
  const again = kind === 'repairService' ? 'repair' : 'recover';
  return `its ${deed} ${ended}: ${again} or undeploy service ${resource.id}`;
}
