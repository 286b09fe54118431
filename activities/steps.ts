import type { TitledStep } from '../domain/operations/step-title.js';
import {
  checkActivities,
  datastoreCheckSteps,
  hostCheckSteps,
  localCheckSteps,
  marketCheckSteps,
} from './consistency/consistency.js';
import { failoverActivities } from './failover/failing-over.js';
import { fencingSteps } from './failover/fencing.js';
import { fencingTestActivities, fencingTestSteps } from './failover/fencing-test.js';
import { marketActivities } from './market/marketplaces.js';
import { publishingActivities, publishingSteps } from './market/publishing.js';
import { endingActivities } from './operations/ending.js';
import type { StepPorts } from './ports.js';
import { elasticityActivities } from './scaling/elasticity.js';
import { performingActivities } from './scaling/performing.js';
import { scalingActivities } from './scaling/scaling.js';
import { scheduleActivities } from './scaling/schedules.js';
import { deploymentActivities } from './services/deployment.js';
import { failedRoleActivities } from './services/failed-roles.js';
import { findingActivities, repairActivities } from './services/repair.js';
import { serviceNetworkActivities } from './services/service-networks.js';
import { undeploymentActivities } from './services/undeployment.js';
import { datastoreActivities } from './storage/datastores.js';
import { imageSnapshotSteps } from './storage/image-snapshots.js';
import { imageActivities, imageSteps } from './storage/images.js';
import { resizingSteps } from './storage/resizing.js';
import { monitoringActivities } from './supervision/monitoring.js';
import { supervisionActivities } from './supervision/supervision.js';
import { claimActivities } from './vms/claims.js';
import { debuggingActivities, debuggingSteps } from './vms/debugging.js';
import { deviceActivities, deviceSteps } from './vms/devices.js';
import { diskRestoringActivities, diskRestoringSteps } from './vms/disk-restoring.js';
import { diskSavingActivities } from './vms/disk-saving.js';
import { flushingActivities } from './vms/flushing.js';
import { copyingSteps } from './vms/image-copies.js';
import { importingActivities, importingSteps } from './vms/importing.js';
import { movingActivities, movingSteps } from './vms/moving.js';
import { vmOperationActivities } from './vms/vm-operations.js';
import { vmActivities } from './vms/vms.js';

/** Users see what each step of an operation does: one that has no title does not compile. `wakeWaiting` is of none. */
type AllTitled<Steps extends { [Name in keyof Steps]: Name extends TitledStep | 'wakeWaiting' ? unknown : never }> =
  Steps;

/** Steps by the task queue that serves them. Workflows know these as types only. */
export const orchestrationSteps = (ports: StepPorts) => {
  const { wakeWaiting } = supervisionActivities(ports);
  return {
    ...endingActivities(ports),
    ...deploymentActivities(ports),
    ...failedRoleActivities(ports),
    ...repairActivities(ports),
    ...undeploymentActivities(ports),
    ...serviceNetworkActivities(ports),
    ...scalingActivities(ports),
    ...performingActivities(ports),
    ...vmOperationActivities(ports),
    ...movingActivities(ports),
    ...flushingActivities(ports),
    ...failoverActivities(ports),
    ...fencingTestActivities(ports),
    ...importingActivities(ports),
    ...deviceActivities(ports),
    ...diskSavingActivities(ports),
    ...diskRestoringActivities(ports),
    ...debuggingActivities(ports),
    ...imageActivities(ports),
    ...publishingActivities(ports),
    ...checkActivities(ports),
    ...localCheckSteps(ports),
    wakeWaiting,
  };
};
export type OrchestrationSteps = AllTitled<ReturnType<typeof orchestrationSteps>>;

export const computeSteps = (ports: StepPorts) => ({
  ...vmActivities(ports),
  ...movingSteps(ports),
  ...deviceSteps(ports),
  ...importingSteps(ports),
  ...debuggingSteps(ports),
  ...findingActivities(ports),
  ...claimActivities(ports),
  ...fencingSteps(ports),
  ...fencingTestSteps(ports),
  ...hostCheckSteps(ports),
});
export type ComputeSteps = AllTitled<ReturnType<typeof computeSteps>>;

export const storageSteps = (ports: StepPorts) => ({
  ...imageSteps(ports),
  ...resizingSteps(ports),
  ...imageSnapshotSteps(ports),
  ...diskRestoringSteps(ports),
  ...copyingSteps(ports),
  ...publishingSteps(ports),
  ...datastoreCheckSteps(ports),
  ...marketCheckSteps(ports),
});
export type StorageSteps = AllTitled<ReturnType<typeof storageSteps>>;

export const tickSteps = (ports: StepPorts) => {
  const { reconcile, handOver } = supervisionActivities(ports);
  const { evaluatePolicies: evaluate } = elasticityActivities(ports);
  const { fireSchedules } = scheduleActivities(ports);
  /** What is due at its time goes before what goes by load: that is then judged by what has come of it. */
  const evaluatePolicies: typeof evaluate = async () => {
    await fireSchedules();
    return evaluate();
  };
  return {
    ...{ reconcile, handOver, evaluatePolicies },
    ...monitoringActivities(ports),
    ...datastoreActivities(ports),
    ...marketActivities(ports),
  };
};
export type TickSteps = ReturnType<typeof tickSteps>;
