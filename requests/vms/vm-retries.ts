import { Problem } from '../../domain/problems.js';
import type { RetriesOn } from '../operations/retrying.js';
import { restoreDiskAgain } from './disk-restores.js';
import { saveDiskAgain } from './disk-saves.js';
import { changeDevicesAgain } from './vm-devices.js';
import { migrateVmAgain } from './vm-migration.js';
import { claimVmAgain, debugVmAgain, deployVmAgain } from './vm-recovery.js';
import { switchVmAgain } from './vm-switches.js';
import { terminateVmAgain } from './vms.js';

export const vmRetries: RetriesOn<'vm'> = {
  deployVm: (context, caller, { resource: { id } }, asked) => deployVmAgain(context, caller, id, asked),
  terminateVm: (context, caller, { resource: { id }, input }, asked) =>
    terminateVmAgain(context, caller, id, input, asked),
  recoverVm: (context, caller, { resource: { id }, input }, asked) => claimVmAgain(context, caller, id, input, asked),
  performOnVm: (context, caller, { resource: { id }, input }, asked) =>
    switchVmAgain(context, caller, id, input, asked),
  migrateVm: (context, caller, { resource: { id }, input }, asked) => migrateVmAgain(context, caller, id, input, asked),
  importVm: async (_context, _caller, { resource_name }) => {
    throw new Problem('wrong_state', `Import the domain of ${resource_name} again: it will be a new VM.`);
  },
  changeDevices: (context, caller, { resource: { id }, input }, asked) =>
    changeDevicesAgain(context, caller, id, input.change, asked),
  saveDisk: (context, caller, { resource: { id }, input }, asked) => saveDiskAgain(context, caller, id, input, asked),
  restoreDisk: (context, caller, { resource: { id }, input }, asked) =>
    restoreDiskAgain(context, caller, id, input, asked),
  debugVm: (context, caller, { resource: { id }, input }, asked) => debugVmAgain(context, caller, id, input, asked),
};
