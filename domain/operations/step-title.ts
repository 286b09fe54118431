import type { Step } from '../../schemas/operations/step.js';
import { amongText } from '../among.js';

type Titled = Pick<Step, 'name' | 'role' | 'vms' | 'among'>;

const plural = (count: number): string => (count === 1 ? '1 VM' : `${count} VMs`);
const ofRole = ({ role, among }: Titled): string =>
  role !== null ? ` of role ${role}` : among ? ` of ${amongText(among)}` : '';
/** A step that is about roles, and says of none which, is about several: one of an earlier version. */
const ofRoles = (step: Titled): string => ofRole(step) || ' of several roles';
const batch = (step: Titled): string => {
  if (step.role === null && step.among === undefined && step.vms === 1) return 'the VM';
  return `${step.vms === null ? 'the VMs' : plural(step.vms)}${ofRole(step)}`;
};
const settled = ({ role, among }: Titled): string =>
  role !== null ? `settle role ${role}` : among ? `settle ${amongText(among)}` : 'settle roles';

const titles = {
  beginDeployment: () => 'plan the deployment',
  startRoles: (step) => `make the VMs${ofRoles(step)} and find hosts for them`,
  placeRoles: (step) => `look for hosts for the VMs${ofRoles(step)}`,
  countUnready: (step) => `see which VMs${ofRoles(step)} have reported READY=YES`,
  bootVms: (step) => `boot ${batch(step)}`,
  bringImages: (step) => `bring images to where the disks of ${batch(step)} are made`,
  destroyVms: (step) => `remove ${batch(step)}`,
  finishRoles: settled,
  makeNetworks: () => 'make the networks of the service',
  beginRepair: () => 'plan the repair',
  takeLost: (step) => `take the VMs${ofRole(step)} whose state is not known`,
  findVms: (step) => `look for ${batch(step)}`,
  leaveBehind: (step) => `leave ${batch(step)} to be removed when the host answers`,
  planRounds: (step) =>
    `see what the failure ${step.role === null ? `policies${ofRole(step)} say` : `policy${ofRole(step)} says`}`,
  askPerson: () => 'ask a person',
  startSkip: (step) => `take the failed VMs${ofRole(step)}, to go on without them`,
  finishSkip: settled,
  beginScaling: () => 'plan the scaling',
  staffRole: (step) => `take and make VMs${ofRole(step)}, and find hosts for them`,
  retakeVictims: (step) => `take the VMs${ofRole(step)} that others had`,
  finishScaling: settled,
  beginPerforming: () => 'plan the action',
  performOnVms: (step) => `ask it of ${batch(step)}`,
  judgePerforming: () => 'see what the VMs have said',
  beginUndeployment: () => 'plan the undeployment',
  startRoleRemovals: (step) => `take the VMs${ofRoles(step)}`,
  retakeRoleVms: (step) => `take the VMs${ofRoles(step)} that others had`,
  finishRoleRemovals: settled,
  removeNetworks: () => 'remove the networks of the service',
  beginVmDeployment: () => 'plan the deployment',
  placeVm: () => 'find a host for the VM',
  whyWaits: () => 'see why the host does not take the VM',
  park: () => 'leave the VM to wait for a host',
  takeForClearing: () => 'take the VM, to end what there is of it',
  clearVms: (step) => `end what there is of ${batch(step)}`,
  beginClaim: () => 'see how the VM is',
  compareClaim: () => 'compare what was said of the VM with its host',
  claimVm: () => 'write down what was said of the VM',
  restoreVms: (step) => `resume ${batch(step)} from what was saved`,
  beginVmSwitch: () => 'plan the action',
  takeForSwitch: () => 'take the VM',
  switchVms: (step) => `switch ${batch(step)}`,
  verbFailure: () => 'see how the VM is',
  beginMigration: () => 'plan the migration',
  prepareMigration: () => 'find another host for the VM',
  holdForMove: () => 'take the VM',
  moveVms: (step) => `move ${batch(step)}`,
  moveFailure: () => 'see where the VM is',
  settleMove: () => 'see on which host the VM is',
  hasMigrated: () => 'see where the VM is',
  beginFlush: () => 'plan the flush',
  flushVms: () => 'ask for the migration of its VMs, and wait for them',
  judgeFlush: () => 'see what has stayed on the host',
  beginFailover: () => 'plan the failover',
  confirmFailure: () => 'look at the host once more',
  fenceHost: () => 'turn the host off',
  parkFailover: () => 'wait until somebody says that the host is off',
  recoverLost: () => 'take its VMs, and find places for them',
  judgeFailover: () => 'see which VMs are not recovered',
  beginFencingTest: () => 'plan the test',
  checkPower: () => 'see whether the host has power',
  cutPower: () => 'turn the host off',
  restorePower: () => 'turn the host on, and wait until it answers',
  beginImport: () => 'take the VM that the domain is to be',
  adoptDomain: () => 'make the domain that of the VM',
  giveUpImport: () => 'see whether the VM has the domain',
  disownDomain: () => 'give the domain back',
  beginDeviceChange: () => 'plan the change',
  prepareDeviceChange: () => 'take the VM, and see what it has',
  changeDevices: (step) => `change the devices of ${batch(step)}`,
  deviceFailure: () => 'see what the VM has',
  settleDevices: () => 'see on its host what the VM has',
  beginDiskSave: () => 'plan the saving',
  holdForSaving: () => 'keep the disk as it is',
  endSaving: () => 'let the VM go on',
  retireBackups: () => 'have older images of it deleted',
  beginDiskRestore: () => 'plan the restoring',
  holdForRestoring: () => 'take the VM',
  restoreDisk: () => 'copy the bytes of the image, and put them in the place of the disk',
  settleRestore: () => 'see that the disk stays as it is',
  beginDebugging: () => 'plan the action',
  takeForDebugging: () => 'take the VM',
  debugVms: () => 'do one action of what failed',
  debugFailure: () => 'see what came of the action',
  beginVmTermination: () => 'plan the termination',
  takeForRemoval: () => 'take the VM from whoever has it',
  vmFailure: () => 'see how the VM is',
  beginImage: () => 'plan the making',
  judgeUpload: () => 'see how much has been sent of the image',
  fillImage: () => 'bring in the bytes of the image',
  growImage: () => 'make the image larger',
  measureImage: () => 'see how large the image is',
  changeSnapshots: () => 'change the snapshots of the image',
  settleSnapshots: () => 'see which snapshots the image has',
  beginImageDeletion: () => 'take the image from whoever has it',
  emptyImage: () => 'remove what there is of the image',
  beginExport: () => 'plan the export',
  beginPublication: () => 'plan the publication',
  publishBytes: () => 'send the bytes of the image to the marketplace',
  beginAppDeletion: () => 'take the app from whoever has it',
  undoExport: () => 'remove what there is of the images',
  emptyApp: () => 'remove what there is of the app',
  beginCheck: () => 'plan the check',
  beginRound: () => 'begin a round of the check',
  noteCheck: () => 'write down how far the check is',
  look: () => 'compare what is written down',
  lookAgain: () => 'look again where something did not fit',
  repairFindings: () => 'repair what does not fit',
  lookAtHosts: () => 'compare it with what is on the hosts',
  lookAgainAtHosts: () => 'look again at hosts where something did not fit',
  repairHosts: () => 'repair what does not fit on the hosts',
  lookAtDatastores: () => 'compare images with what lies in datastores',
  lookAgainAtDatastores: () => 'look again at datastores where something did not fit',
  repairDatastores: () => 'remove what does not fit from datastores',
  lookAtMarkets: () => 'compare apps with what lies in marketplaces',
  lookAgainAtMarkets: () => 'look again at marketplaces where something did not fit',
  repairMarkets: () => 'repair what does not fit of apps',
  endOperation: () => 'end the operation',
  handOver: () => 'have the operation in the way stopped',
} satisfies Readonly<Record<string, (step: Titled) => string>>;

export type TitledStep = keyof typeof titles;
const isTitled = (name: string): name is TitledStep => Object.hasOwn(titles, name);

export const titledSteps: readonly string[] = Object.keys(titles);

/** What a step does, in words; one that has none here is named like its activity: `countThings` → `count things`. */
export function stepTitle(step: Titled): string {
  const { name } = step;
  return isTitled(name)
    ? titles[name](step)
    : `${step.name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}${ofRole(step)}`;
}
