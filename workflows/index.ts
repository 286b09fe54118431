export { checkConsistency } from './consistency/check-consistency.js';
export { failoverHost } from './failover/failover-host.js';
export { testFencing } from './failover/test-fencing.js';
export { deleteApp } from './market/delete-app.js';
export { exportApp } from './market/export-app.js';
export { publishApp } from './market/publish-app.js';
export { placement } from './placement/placement.js';
export { performOnRole } from './scaling/perform-on-role.js';
export { scaleRole } from './scaling/scale-role.js';
export { deployService } from './services/deploy-service.js';
export { repairService } from './services/repair-service.js';
export { undeployService } from './services/undeploy-service.js';
export { deleteImage } from './storage/delete-image.js';
export { cloneImage, createImage } from './storage/make-image.js';
export { resizeImage } from './storage/resize-image.js';
export { snapshotImage } from './storage/snapshot-image.js';
export {
  evaluatePolicies,
  handOver,
  monitorDatastores,
  monitorHosts,
  monitorMarketplaces,
  reconcile,
} from './supervision/ticks.js';
export { changeDevices } from './vms/change-devices.js';
export { debugVm } from './vms/debug-vm.js';
export { deployVm } from './vms/deploy-vm.js';
export { flushHost } from './vms/flush-host.js';
export { importVm } from './vms/import-vm.js';
export { migrateVm } from './vms/migrate-vm.js';
export { performOnVm } from './vms/perform-on-vm.js';
export { recoverVm } from './vms/recover-vm.js';
export { restoreDisk } from './vms/restore-disk.js';
export { saveDisk } from './vms/save-disk.js';
export { terminateVm } from './vms/terminate-vm.js';
