import { createTurns } from '../store/mongo/turns.js';
import { answerOperation, cancelOperation, retryOperation } from './acts/operation-actions.js';
import { listOperationsOn } from './acts/operations-on.js';
import { bind } from './bind.js';
import { listConsistencyChecks, showConsistencyCheck, startConsistencyCheck } from './consistency/consistency.js';
import type { OperationsContext, RequestsContext } from './context.js';
import { callFenced, failOverHost } from './failover/failover.js';
import { testFencing } from './failover/fencing-test.js';
import { showClusterWhatIf, showHostWhatIf } from './failover/what-if.js';
import { clusters } from './hosts/clusters.js';
import { cleanHost, createHost, hostOwnership, listHosts, removeHost, showHost, updateHost } from './hosts/hosts.js';
import { createAcl, listAcls, removeAcl, showAcl } from './identity/acls.js';
import {
  addGroupAdmin,
  createGroup,
  listGroups,
  removeGroup,
  removeGroupAdmin,
  showGroup,
  updateGroup,
} from './identity/groups.js';
import { createPasswords } from './identity/passwords.js';
import {
  listQuotas,
  showDefaultQuotas,
  showOwnQuotas,
  showQuota,
  updateDefaultQuotas,
  updateGroupQuota,
  updateUserQuota,
} from './identity/quotas.js';
import { createToken, listTokens, revokeToken, showToken } from './identity/tokens.js';
import {
  createUser,
  joinGroup,
  leaveGroup,
  listUsers,
  removeUser,
  setPassword,
  showSelf,
  showUser,
  updateUser,
} from './identity/users.js';
import { appOwnership, listApps, showApp, updateApp } from './market/apps.js';
import { exportApp } from './market/exporting.js';
import { marketplaces } from './market/marketplaces.js';
import { publishApp, removeApp } from './market/publishing.js';
import { addRange, holdAddress, releaseAddress, removeRange, resizeRange } from './networks/address-ranges.js';
import { instantiateNetwork, networkTemplates } from './networks/network-templates.js';
import { networks } from './networks/networks.js';
import { reserve } from './networks/reserving.js';
import { securityGroups } from './networks/security-groups.js';
import { isRepeated, listOperations } from './operations/operations.js';
import { ownershipOperations } from './ownership.js';
import { createPace } from './pace.js';
import { performOnRole } from './scaling/actions.js';
import { pausePolicy, replacePolicies, resumePolicy, showPolicies } from './scaling/policies.js';
import { addRole } from './scaling/roles.js';
import { recoverRoleOrService, removeRole, scaleRole } from './scaling/scaling.js';
import { pauseSchedule, replaceSchedules, resumeSchedule, showSchedules } from './scaling/schedules.js';
import { addRawAttributes, editService } from './scaling/service-edit.js';
import { releaseService } from './services/release.js';
import { repairService } from './services/service-recovery.js';
import { instantiateService, serviceTemplates } from './services/service-templates.js';
import {
  listServices,
  listWholeServices,
  removeService,
  showService,
  undeployService,
  updateService,
} from './services/services.js';
import { listTemplateInputs } from './services/template-inputs.js';
import { listRevisions, showRevision } from './services/template-revisions.js';
import { cloneServiceTemplate, removeServiceTemplateWhole } from './services/whole-templates.js';
import { datastores } from './storage/datastores.js';
import { changeImageSnapshots } from './storage/image-snapshots.js';
import { imageOwnership, listImages, removeImage, showImage, updateImage } from './storage/images.js';
import { cloneImage, createImage } from './storage/making-images.js';
import { resizeImage } from './storage/resizing-images.js';
import { rotateSecrets } from './storage/secrets.js';
import { appendToUpload, showUpload, stopUpload } from './storage/uploads.js';
import { restoreDisk } from './vms/disk-restores.js';
import { saveDisk } from './vms/disk-saves.js';
import { flushHost } from './vms/host-flush.js';
import { showHostMetrics, showVmMetrics } from './vms/metrics.js';
import { showVmContext } from './vms/vm-context.js';
import { changeDevices } from './vms/vm-devices.js';
import { deployVmOn, holdVm, releaseVm } from './vms/vm-hold.js';
import { importWild } from './vms/vm-import.js';
import { showVmLog } from './vms/vm-log.js';
import { migrateVm } from './vms/vm-migration.js';
import { showVmPlacement } from './vms/vm-placement.js';
import { recoverVm, resumeVm } from './vms/vm-recovery.js';
import { reschedVm } from './vms/vm-resched.js';
import { configureVm, resizeVm } from './vms/vm-resize.js';
import { addVmSchedule, removeVmSchedule, showVmSchedules } from './vms/vm-schedules.js';
import { askForScreen, openScreen } from './vms/vm-screen.js';
import { switchVm } from './vms/vm-switches.js';
import { vmTemplates } from './vms/vm-templates.js';
import { createVm, listVms, showVm, terminateVm, updateVm } from './vms/vms.js';
import { showOperation } from './why/operation-detail.js';
import { whyApp, whyHost, whyImage, whyOperation, whyService, whyVm } from './why/why.js';
import { whyNetwork } from './why/why-network.js';

/** Everything that can be asked for. Every face calls these; each authorises, and throws a Problem or answers. */
export const createOperations = (given: OperationsContext) => {
  const context = sharing(given);
  return {
    hosts: {
      ...bind(context, {
        list: listHosts,
        show: showHost,
        create: createHost,
        update: updateHost,
        clean: cleanHost,
        flush: flushHost,
        failOver: failOverHost,
        callFenced,
        whatIf: showHostWhatIf,
        testFencing,
        importWild,
        remove: removeHost,
      }),
      ...hostOwnership(context),
    },
    clusters: { ...clusters(context), ...bind(context, { whatIf: showClusterWhatIf }) },
    datastores: datastores(context),
    images: {
      ...bind(context, {
        list: listImages,
        show: showImage,
        create: createImage,
        clone: cloneImage,
        resize: resizeImage,
        changeSnapshots: changeImageSnapshots,
        update: updateImage,
        remove: removeImage,
      }),
      ...imageOwnership(context),
    },
    secrets: bind(context, { rotate: rotateSecrets }),
    uploads: bind(context, { show: showUpload, append: appendToUpload, stop: stopUpload }),
    marketplaces: marketplaces(context),
    apps: {
      ...bind(context, {
        list: listApps,
        show: showApp,
        publish: publishApp,
        export: exportApp,
        update: updateApp,
        remove: removeApp,
      }),
      ...appOwnership(context),
    },
    securityGroups: securityGroups(context),
    networks: {
      ...networks(context),
      ...bind(context, { addRange, resizeRange, removeRange, hold: holdAddress, release: releaseAddress, reserve }),
    },
    networkTemplates: {
      ...networkTemplates(context),
      ...bind(context, { instantiate: instantiateNetwork }),
    },
    vmTemplates: vmTemplates(context),
    serviceTemplates: {
      ...serviceTemplates(context),
      ...bind(context, {
        instantiate: instantiateService,
        clone: cloneServiceTemplate,
        removeWhole: removeServiceTemplateWhole,
        revisions: listRevisions,
        revision: showRevision,
        inputs: listTemplateInputs,
      }),
    },
    vms: bind(context, {
      list: listVms,
      show: showVm,
      create: createVm,
      update: updateVm,
      terminate: terminateVm,
      switch: switchVm,
      log: showVmLog,
      context: showVmContext,
      askForScreen,
      openScreen,
      recover: recoverVm,
      resume: resumeVm,
      migrate: migrateVm,
      changeDevices,
      saveDisk,
      restoreDisk,
      hold: holdVm,
      resched: reschedVm,
      resize: resizeVm,
      configure: configureVm,
      release: releaseVm,
      deploy: deployVmOn,
    }),
    vmSchedules: bind(context, { show: showVmSchedules, add: addVmSchedule, remove: removeVmSchedule }),
    metrics: bind(context, { ofVm: showVmMetrics, ofHost: showHostMetrics }),
    vmPlacement: bind(context, { show: showVmPlacement }),
    services: bind(context, {
      list: listServices,
      listWhole: listWholeServices,
      show: showService,
      update: updateService,
      undeploy: undeployService,
      remove: removeService,
      // Of roles whose scaling has failed, too.
      recover: recoverRoleOrService,
      repair: repairService,
      release: releaseService,
    }),
    scaling: bind(context, {
      scale: scaleRole,
      perform: performOnRole,
      addRole,
      removeRole,
      edit: editService,
      addRaw: addRawAttributes,
    }),
    policies: bind(context, { show: showPolicies, replace: replacePolicies, pause: pausePolicy, resume: resumePolicy }),
    schedules: bind(context, {
      show: showSchedules,
      replace: replaceSchedules,
      pause: pauseSchedule,
      resume: resumeSchedule,
    }),
    why: bind(context, {
      operation: whyOperation,
      service: whyService,
      vm: whyVm,
      host: whyHost,
      image: whyImage,
      app: whyApp,
      network: whyNetwork,
    }),
    consistency: bind(context, {
      start: startConsistencyCheck,
      show: showConsistencyCheck,
      list: listConsistencyChecks,
    }),
    quotas: bind(context, {
      own: showOwnQuotas,
      list: listQuotas,
      show: showQuota,
      update: updateGroupQuota,
      updateUser: updateUserQuota,
      showDefaults: showDefaultQuotas,
      updateDefaults: updateDefaultQuotas,
    }),
    users: bind(context, {
      list: listUsers,
      show: showUser,
      self: showSelf,
      create: createUser,
      update: updateUser,
      setPassword,
      join: joinGroup,
      leave: leaveGroup,
      remove: removeUser,
    }),
    groups: bind(context, {
      list: listGroups,
      show: showGroup,
      create: createGroup,
      update: updateGroup,
      addAdmin: addGroupAdmin,
      removeAdmin: removeGroupAdmin,
      remove: removeGroup,
    }),
    acls: bind(context, { list: listAcls, show: showAcl, create: createAcl, remove: removeAcl }),
    tokens: bind(context, { list: listTokens, show: showToken, create: createToken, revoke: revokeToken }),
    ownership: ownershipOperations(context),
    operations: bind(context, {
      list: listOperations,
      listOn: listOperationsOn,
      show: showOperation,
      isRepeated,
      cancel: cancelOperation,
      answer: answerOperation,
      retry: retryOperation,
    }),
  };
};
export type Operations = ReturnType<typeof createOperations>;

/** With what the requests of this process share from now on. */
const sharing = (context: OperationsContext): RequestsContext => ({
  ...context,
  passwords: createPasswords(context.directory, context.settings.failedLogins),
  pace: createPace((error) => context.onDelayed('who waits for what a VM has changed sees it within 30 s', error)),
  takeTurns: createTurns(),
  openScreens: new Map(),
});
