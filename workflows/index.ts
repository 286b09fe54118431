export { checkConsistency } from './check-consistency.js';
export { deployService } from './deploy-service.js';
export { deployVm } from './deploy-vm.js';
export { placement } from './placement.js';
export { recoverVm } from './recover-vm.js';
export { repairService } from './repair-service.js';
export { terminateVm } from './terminate-vm.js';
export { handOver, monitorHosts, reconcile } from './ticks.js';
export { undeployService } from './undeploy-service.js';
