import type { Operation } from '../../schemas/operations/operation.js';
import { VmSwitch } from '../../schemas/operations/vm-action.js';
import type { VmStateName } from './vm-states.js';
import type { VmVerb } from './vm-verbs.js';

type Row = {
  /** What is done to it at its hypervisor. */
  verb: Extract<VmVerb, 'poweroff' | 'reboot' | 'suspend' | 'undeploy'>;
  /** Its guest is not asked. */
  hard: boolean;
  /** The states of VMs to which it is done. */
  states: readonly VmStateName[];
};

const runs = ['ACTIVE/RUNNING'] as const;
const mayRun = ['ACTIVE/RUNNING', 'ACTIVE/UNKNOWN'] as const;

/**
 * What users switch their VMs by, and in which states: OpenNebula's (reference, action × state). Terminating, resuming and
 * recovering are apart: they may begin or end a VM.
 */
export const vmSwitches = {
  poweroff: { verb: 'poweroff', hard: false, states: mayRun },
  'poweroff-hard': { verb: 'poweroff', hard: true, states: mayRun },
  reboot: { verb: 'reboot', hard: false, states: runs },
  'reboot-hard': { verb: 'reboot', hard: true, states: runs },
  suspend: { verb: 'suspend', hard: false, states: runs },
  undeploy: { verb: 'undeploy', hard: false, states: [...mayRun, 'POWEROFF'] },
  'undeploy-hard': { verb: 'undeploy', hard: true, states: [...mayRun, 'POWEROFF'] },
} as const satisfies Readonly<Record<VmSwitch, Row>>;

export type SwitchVerb = (typeof vmSwitches)[VmSwitch]['verb'];

export const isSwitchAction = (action: string): action is VmSwitch => Object.hasOwn(vmSwitches, action);

/** Which of them an operation is; null: none. */
export const switchOf = ({ kind, input }: Pick<Operation, 'kind' | 'input'>): VmSwitch | null =>
  kind === 'performOnVm' && 'action' in input ? (VmSwitch.safeParse(input.action).data ?? null) : null;
