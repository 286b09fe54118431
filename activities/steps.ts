import { checkActivities, hostCheckSteps, localCheckSteps } from './consistency.js';
import { deploymentActivities } from './deployment.js';
import { endingActivities } from './ending.js';
import { failedRoleActivities } from './failed-roles.js';
import { monitoringActivities } from './monitoring.js';
import type { StepPorts } from './ports.js';
import { findingActivities, repairActivities } from './repair.js';
import { supervisionActivities } from './supervision.js';
import { undeploymentActivities } from './undeployment.js';
import { vmOperationActivities } from './vm-operations.js';
import { vmActivities } from './vms.js';

/** Steps by the task queue that serves them. Workflows know these as types only. */
export const orchestrationSteps = (ports: StepPorts) => {
  const { wakeWaiting } = supervisionActivities(ports);
  return {
    ...endingActivities(ports),
    ...deploymentActivities(ports),
    ...failedRoleActivities(ports),
    ...repairActivities(ports),
    ...undeploymentActivities(ports),
    ...vmOperationActivities(ports),
    ...checkActivities(ports),
    ...localCheckSteps(ports),
    wakeWaiting,
  };
};
export type OrchestrationSteps = ReturnType<typeof orchestrationSteps>;

export const computeSteps = (ports: StepPorts) => ({
  ...vmActivities(ports),
  ...findingActivities(ports),
  ...hostCheckSteps(ports),
});
export type ComputeSteps = ReturnType<typeof computeSteps>;

export const tickSteps = (ports: StepPorts) => {
  const { reconcile, handOver } = supervisionActivities(ports);
  return { reconcile, handOver, ...monitoringActivities(ports) };
};
export type TickSteps = ReturnType<typeof tickSteps>;
