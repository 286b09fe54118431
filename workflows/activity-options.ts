import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ComputeSteps, OrchestrationSteps, StorageSteps, TickSteps } from '../activities/steps.js';

/**
 * Short steps on our own database. Tried without end: when MongoDB is away, operations wait for it and do not fail.
 */
export const local = proxyLocalActivities<OrchestrationSteps>({
  startToCloseTimeout: '30s',
  localRetryThreshold: '5s',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '50ms', backoffCoefficient: 2, maximumInterval: '5s' },
});

/**
 * Steps at hypervisors. They beat once a second, so that a dead worker is missed after 2-3 s: longer would be added to
 * whatever it was doing, and much shorter would take a worker for dead that waits for its share of a busy processor.
 * What cannot be reached is tried for 3 minutes (decisions: "when a step has failed"), soon at first, for a hypervisor
 * that is started again is back in a second. A cancelled step reports back before anything else is done with its VMs.
 */
const atHosts = {
  taskQueue: 'compute',
  heartbeatTimeout: '3s',
  startToCloseTimeout: '3m',
  scheduleToCloseTimeout: '3m',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' },
} as const;
export const compute = proxyActivities<ComputeSteps>(atHosts);

/**
 * Steps that move bytes. What does not answer is given up by the step itself, after as long as no byte has moved; a whole one may take
 * a day. A worker that dies is missed as soon as at hypervisors.
 */
const atStorage = {
  ...atHosts,
  taskQueue: 'storage',
  heartbeatTimeout: '5s',
  startToCloseTimeout: '24h',
  scheduleToCloseTimeout: '24h',
} as const;
export const storing =
  proxyActivities<Pick<StorageSteps, 'fillImage' | 'restoreDisk' | 'bringImages' | 'publishBytes'>>(atStorage);
/** Steps that move none. */
const briefly = { ...atStorage, startToCloseTimeout: '3m', scheduleToCloseTimeout: '3m' } as const;
/** How much has been sent of an image. */
export const judging = proxyActivities<Pick<StorageSteps, 'judgeUpload'>>(briefly);
/** What was cancelled, or is to go, is removed. */
export const emptying =
  proxyActivities<Pick<StorageSteps, 'emptyImage' | 'settleRestore' | 'emptyApp' | 'undoExport'>>(briefly);
export const resizing =
  proxyActivities<Pick<StorageSteps, 'growImage' | 'measureImage' | 'changeSnapshots' | 'settleSnapshots'>>(briefly);

/** What is looked at after something went wrong: who has cancelled it waits for it, and it can be looked at again. */
export const settling = proxyActivities<Pick<ComputeSteps, 'settleMove' | 'settleDevices' | 'disownDomain'>>({
  ...atHosts,
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '20s',
});

/** Hosts are turned off: up to four methods of ten minutes each. Or on, and are waited for until they have booted. */
export const fencing = proxyActivities<Pick<ComputeSteps, 'fenceHost' | 'checkPower' | 'cutPower' | 'restorePower'>>({
  ...atHosts,
  startToCloseTimeout: '41m',
  scheduleToCloseTimeout: '60m',
});

/** Periodic work: the next tick tries again, so this one need not for long. */
export const ticks = proxyActivities<TickSteps>({
  heartbeatTimeout: '5s',
  startToCloseTimeout: '60s',
  retry: { initialInterval: '200ms', maximumInterval: '2s', maximumAttempts: 5 },
});

/** Wakes what waits for capacity, however much that is; not local, because it calls the engine. */
export const placementSteps = proxyActivities<Pick<OrchestrationSteps, 'wakeWaiting'>>({
  heartbeatTimeout: '5s',
  startToCloseTimeout: '5m',
  retry: { initialInterval: '100ms', maximumInterval: '2s' },
});

/** Steps of a check read much and change little; each may take long. Tried without end, as all that needs our database. */
const patient = {
  heartbeatTimeout: '5s',
  startToCloseTimeout: '5m',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' },
} as const;
export const checks = proxyActivities<Pick<OrchestrationSteps, 'look' | 'lookAgain' | 'repairFindings'>>(patient);
/** Steps that ask for operations of others. */
export const asking = proxyActivities<Pick<OrchestrationSteps, 'performOnVms' | 'flushVms' | 'retireBackups'>>(patient);
export const hostChecks = proxyActivities<Pick<ComputeSteps, 'lookAtHosts' | 'lookAgainAtHosts' | 'repairHosts'>>({
  ...patient,
  taskQueue: 'compute',
});
/** A datastore that does not answer is waited for a minute, and twenty pages of them may be asked in one step. */
export const datastoreChecks = proxyActivities<
  Pick<StorageSteps, 'lookAtDatastores' | 'lookAgainAtDatastores' | 'repairDatastores'>
>({ ...patient, taskQueue: 'storage', startToCloseTimeout: '30m' });
/** The same of marketplaces. */
export const marketChecks = proxyActivities<
  Pick<StorageSteps, 'lookAtMarkets' | 'lookAgainAtMarkets' | 'repairMarkets'>
>({ ...patient, taskQueue: 'storage', startToCloseTimeout: '30m' });
