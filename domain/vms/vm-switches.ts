import type { Operation } from '../../schemas/operations/operation.js';
import { VmSwitch } from '../../schemas/operations/vm-action.js';
import type { SnapshotVerb } from './vm-snapshots.js';
import type { VmVerb } from './vm-verbs.js';

type Row = {
  /** What is done to it at its hypervisor. */
  verb: Extract<VmVerb, 'poweroff' | 'reboot' | 'suspend' | 'store' | 'undeploy'> | SnapshotVerb;
  /** Its guest is not asked. */
  hard: boolean;
};

/** What users switch their VMs by. Terminating, resuming and recovering are apart: they may begin or end a VM. */
export const vmSwitches = {
  poweroff: { verb: 'poweroff', hard: false },
  'poweroff-hard': { verb: 'poweroff', hard: true },
  reboot: { verb: 'reboot', hard: false },
  'reboot-hard': { verb: 'reboot', hard: true },
  suspend: { verb: 'suspend', hard: false },
  stop: { verb: 'store', hard: false },
  undeploy: { verb: 'undeploy', hard: false },
  'undeploy-hard': { verb: 'undeploy', hard: true },
  'snapshot-create': { verb: 'createSnapshot', hard: false },
  'snapshot-revert': { verb: 'revertSnapshot', hard: false },
  'snapshot-delete': { verb: 'deleteSnapshot', hard: false },
} as const satisfies Readonly<Record<VmSwitch, Row>>;

export type SwitchVerb = (typeof vmSwitches)[VmSwitch]['verb'];

export const isSwitchAction = (action: string): action is VmSwitch => Object.hasOwn(vmSwitches, action);

/** Which of them an operation is; null: none. */
export const switchOf = ({ kind, input }: Pick<Operation, 'kind' | 'input'>): VmSwitch | null =>
  kind === 'performOnVm' && 'action' in input ? (VmSwitch.safeParse(input.action).data ?? null) : null;
