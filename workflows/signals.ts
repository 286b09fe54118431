import { continueAsNew, defineSignal, type SignalDefinition, setHandler, workflowInfo } from '@temporalio/workflow';
import type { SettledRoles } from '../domain/services/settled-roles.js';

/** Host capacity has appeared, or a waiting VM may fit for another reason. `vms`: whose turn it is; absent: everybody's. */
export const capacityAppeared = defineSignal<[vms?: number[]]>('capacityAppeared');
/** The user template of a VM of the service has changed. */
export const vmReported = defineSignal('vmReported');
/** All of an upload has come, or nobody has gone on with it for long. */
export const uploadChanged = defineSignal('uploadChanged');
/** A batch of several roles is through with some of them. */
export const rolesSettled = defineSignal<[SettledRoles]>('rolesSettled');

/** At so many events a run goes on as a new one, as soon as nothing of it is at work. */
export const historyIsFull = (): boolean => workflowInfo().historyLength > 1_500;

/** Thrown by a wait when the history has grown too long; whoever catches it settles, then continues as new. */
export class HistoryFull extends Error {}

/** For whoever is about to begin something: throws when this run has no room for it in its history. */
export async function roomForMore(): Promise<void> {
  if (historyIsFull()) throw new HistoryFull('the history is full');
}

/** What was told since a run began: how often, and what since a count of it. */
export type News<Fact> = { count(): number; since(count: number): Fact };

/** Listens for a fact of which nothing is told but that it is one. */
export function listenFor(signal: SignalDefinition<[]>): News<null> {
  let heard = 0;
  setHandler(signal, () => {
    heard += 1;
  });
  return { count: () => heard, since: () => null };
}

/** What is told of capacity: the VMs whose turn it is; null: all that wait look for themselves. */
export type Turn = number[] | null;

export function listenForCapacity(): News<Turn> {
  const heard: Turn[] = [];
  setHandler(capacityAppeared, (vms) => {
    heard.push(vms ?? null);
  });
  return {
    count: () => heard.length,
    since: (count) => {
      const news = heard.slice(count);
      return news.every((vms) => vms !== null) ? news.flat() : null;
    },
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
