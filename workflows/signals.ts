import {
  condition,
  continueAsNew,
  defineSignal,
  type SignalDefinition,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

/** Host capacity has appeared, or a waiting VM may fit for another reason. */
export const capacityAppeared = defineSignal('capacityAppeared');
/** The user template of a VM of the service has changed. */
export const vmReported = defineSignal('vmReported');

/** At so many events a run goes on as a new one, as soon as nothing of it is at work. */
export const historyIsFull = (): boolean => workflowInfo().historyLength > 1_500;

/** Thrown by a wait when the history has grown too long; whoever catches it settles, then continues as new. */
export class HistoryFull extends Error {}

/** For whoever is about to begin something: throws when this run has no room for it in its history. */
export async function roomForMore(): Promise<void> {
  if (historyIsFull()) throw new HistoryFull('the history is full');
}

/**
 * Listens for a fact; each waiter that comes out of it has a count of its own, so that none takes another's. A waiter
 * waits for news since its last look, or 30 s: then whoever waits reads again in any case, so that a signal that was
 * lost delays and does not hang.
 */
export function listenFor(signal: SignalDefinition<[]>): () => () => Promise<void> {
  let heard = 0;
  setHandler(signal, () => {
    heard += 1;
  });
  return () => {
    let seen = 0;
    return async () => {
      await roomForMore();
      await condition(() => heard > seen, '30s');
      seen = heard;
    };
  };
}

/** Runs a body that may find its history full: then the run goes on as a new one, which plans from what is. */
export async function renewing<I extends { op: string }>(input: I, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof HistoryFull)) throw error;
    await continueAsNew(input);
  }
}
