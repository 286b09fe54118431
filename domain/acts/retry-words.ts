import type { OperationKind } from '../../schemas/operations.js';
import { switchOf } from '../vms/vm-switches.js';
import type { OperationFacts } from './facts.js';

type Row = {
  /** How it is offered. */
  offer: string | ((operation: OperationFacts) => string);
  /** How it is advised: what is done, and to what. */
  advice: readonly [verb: string, object: string];
};

const offer = 'Try it again: a new operation that goes on from what is.';
/** What failed is there to be seen. */
const plain: Row = { offer, advice: ['try', 'again'] };

/** What is tried again, in words: what is well says of itself nothing of what failed. */
export const retryWords: { readonly [K in OperationKind]: Row } = {
  deployService: plain,
  undeployService: plain,
  repairService: plain,
  scaleRole: plain,
  performOnRole: plain,
  deployVm: plain,
  terminateVm: plain,
  recoverVm: plain,
  performOnVm: {
    ...plain,
    offer: (operation) => {
      const action = switchOf(operation);
      return action === null ? offer : `Ask for its ${action} again: the last one did not come to its end.`;
    },
  },
  migrateVm: {
    offer: 'Migrate it again: its last migration did not come to its end.',
    advice: ['migrate', 'it again'],
  },
  flushHost: {
    offer: 'Flush it again: move the VMs that are still on it to other hosts.',
    advice: ['flush', 'it again'],
  },
  failoverHost: {
    offer: 'Fail it over again: recover the VMs that are still on it elsewhere.',
    advice: ['fail', 'it over again'],
  },
  testFencing: {
    offer: 'Test its fencing again: have the host turned off and on.',
    advice: ['test', 'its fencing again'],
  },
  importVm: plain,
  changeDevices: { ...plain, offer: 'Change its devices again: the last change did not come to its end.' },
  saveDisk: { ...plain, offer: 'Save its disk again, as the same image: the last time did not come to its end.' },
  restoreDisk: { ...plain, offer: 'Restore its disk again: the last time did not come to its end.' },
  debugVm: plain,
  createImage: plain,
  cloneImage: plain,
  resizeImage: plain,
  snapshotImage: plain,
  deleteImage: plain,
  exportApp: plain,
  publishApp: plain,
  deleteApp: plain,
  checkConsistency: plain,
};

/** How the retry of an operation is offered. */
export function retryText(operation: OperationFacts | null): string {
  const row = operation && retryWords[operation.kind].offer;
  return typeof row === 'function' && operation ? row(operation) : typeof row === 'string' ? row : offer;
}
