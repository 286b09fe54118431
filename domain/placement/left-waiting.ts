import type { Operation, OperationError, OperationState } from '../../schemas/operations/operation.js';
import { type OperationKind, operations } from '../../schemas/operations.js';

/** How an operation ended other than well; null: it ended, and not everything was got. */
type Ended = { state: OperationState; error?: OperationError | null };

/** How what was left undone is asked for again; null: it finds no hosts. */
const again: Record<OperationKind, ((id: number) => string) | null> = {
  deployService: (id) => `recover or undeploy service ${id}`,
  repairService: (id) => `repair or undeploy service ${id}`,
  undeployService: (id) => `recover or undeploy service ${id}`,
  scaleRole: (id) => `recover or undeploy service ${id}`,
  performOnRole: null,
  deployVm: () => 'recover it with retry, or terminate it',
  terminateVm: () => 'recover it with retry, or terminate it',
  recoverVm: () => 'recover it with retry, or terminate it',
  performOnVm: null,
  migrateVm: null,
  flushHost: null,
  failoverHost: () => 'recover it with retry, or terminate it',
  testFencing: null,
  importVm: null,
  changeDevices: null,
  saveDisk: null,
  restoreDisk: null,
  debugVm: null,
  createImage: null,
  cloneImage: null,
  resizeImage: null,
  snapshotImage: null,
  deleteImage: null,
  exportApp: null,
  publishApp: null,
  deleteApp: null,
  checkConsistency: null,
};

/**
 * Why a VM has no host when the operation that was to find it one has ended: whatever hosts lacked when it last looked,
 * nobody looks any more.
 */
export function leftWaiting({ kind, resource }: Pick<Operation, 'kind' | 'resource'>, { state, error }: Ended): string {
  const deed = operations[kind].noun;
  if (error?.code === 'taken') return `its ${deed} gave way to another operation`;
  const ended = state === 'cancelled' ? 'was cancelled' : state === 'failed' ? 'has failed' : 'has ended';
  const advice = again[kind]?.(resource.id);
  return advice === undefined ? `its ${deed} ${ended}` : `its ${deed} ${ended}: ${advice}`;
}
