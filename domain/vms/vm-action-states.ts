import { type VmActionName, vmActions } from '../../schemas/vms/vm-actions.js';
import { type VmStateName, vmStateNames } from './vm-states.js';

/** The word that people say for a state: `RUNNING` for `ACTIVE/RUNNING`. */
export const stateWord = (state: VmStateName): string => state.replace('ACTIVE/', '');

/** The states in which this is done to a VM, as the table has them. */
export const statesOf = (action: VmActionName): readonly VmStateName[] =>
  vmActions[action].states.flatMap((word: string) => vmStateNames.filter((state) => stateWord(state) === word));
