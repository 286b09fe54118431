import { continueAsNew, setHandler } from '@temporalio/workflow';
import { placementSteps } from '../activity-options.js';
import { capacityAppeared, historyIsFull } from '../signals.js';

/** The one run, started by whoever brings capacity, that sets going what waits for it; ends when nobody asks any more. */
export async function placement(): Promise<void> {
  let asked = true;
  setHandler(capacityAppeared, () => {
    asked = true;
  });
  while (asked) {
    if (historyIsFull()) await continueAsNew();
    asked = false;
    await placementSteps.wakeWaiting();
  }
}
