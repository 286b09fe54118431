import type { Operation } from '../../schemas/operations/operation.js';
import type { Moving, Vm } from '../../schemas/vms/vm.js';
import { placeOf } from './stays.js';
import type { VmEvent } from './vm-events.js';
import { type VmStateName, vmStateName } from './vm-states.js';
import type { VmVerb } from './vm-verbs.js';

/** What leads a VM to another host, one after the other. */
type Moves = readonly Extract<VmVerb, 'migrate' | 'save' | 'move' | 'restart' | 'moveOff' | 'moveSaved'>[];
export type MoveVerb = Moves[number];

type Row = {
  /** `live` is for those that run; of others there is nothing to interrupt. */
  steps: (live: boolean) => Moves;
  /** What such a VM is again, wherever it is. */
  settled: VmEvent;
  /** The call that changes nothing of one that is as it was. A host that has heard it refuses whatever older move is still on its way. */
  fence: 'resume' | 'suspend' | 'poweroff';
};

/** How VMs are taken to another host, by what they do. */
export const vmMoves: Readonly<Record<Moving['from'], Row>> = {
  running: {
    steps: (live) => (live ? ['migrate'] : ['save', 'move', 'restart']),
    ...{ settled: 'run', fence: 'resume' },
  },
  suspended: { steps: () => ['moveSaved'], settled: 'suspended', fence: 'suspend' },
  off: { steps: () => ['moveOff'], settled: 'stop', fence: 'poweroff' },
};

const froms: Partial<Record<VmStateName, Moving['from']>> = {
  'ACTIVE/RUNNING': 'running',
  SUSPENDED: 'suspended',
  POWEROFF: 'off',
};

/** What a VM does that can be taken to another host; undefined: it cannot. */
export const movesFrom = (vm: Pick<Vm, 'state' | 'lcm_state'>): Moving['from'] | undefined => froms[vmStateName(vm)];

/** States of VMs that can be taken to another host; of one that is UNKNOWN this is for those that were on the way before. */
export const migratable: readonly VmStateName[] = ['ACTIVE/RUNNING', 'POWEROFF', 'SUSPENDED', 'ACTIVE/UNKNOWN'];

/** Whether the VM that an operation was to take to another host is on one, and is there what it was. */
export function hasMoved(
  vm: Pick<Vm, 'state' | 'lcm_state' | 'history' | 'moving'>,
  { kind, input }: Pick<Operation, 'kind' | 'input'>,
): boolean {
  const place = placeOf(vm);
  if (kind !== 'migrateVm' || !('live' in input) || !place || vm.moving) return false;
  return place.hid !== input.from && movesFrom(vm) !== undefined;
}

/** Those of the steps after which a VM is on its new host. */
export const arrivesBy = (verb: MoveVerb): boolean => verb !== 'save' && verb !== 'restart';
