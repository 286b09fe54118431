export { checkConsistency } from './consistency/check-consistency.js';
export { placement } from './placement/placement.js';
export { deployService } from './services/deploy-service.js';
export { repairService } from './services/repair-service.js';
export { undeployService } from './services/undeploy-service.js';
export { handOver, monitorHosts, reconcile } from './supervision/ticks.js';
export { deployVm } from './vms/deploy-vm.js';
export { recoverVm } from './vms/recover-vm.js';
export { terminateVm } from './vms/terminate-vm.js';
