import { describe, expect, it } from 'vitest';
import { isContradicted, type SeenDomain } from '../../../domain/vms/vm-claims.js';
import { nextVmState, type VmEvent } from '../../../domain/vms/vm-events.js';
import { recoveries } from '../../../domain/vms/vm-recover.js';
import { vmStateNames } from '../../../domain/vms/vm-states.js';

const all: readonly SeenDomain[] = ['none', 'booting', 'running', 'stopped', 'suspended', 'failed'];

/** What a host may show of a VM that is called so. */
const shownOf: Record<string, readonly SeenDomain[]> = {
  'ACTIVE/RUNNING': ['booting', 'running'],
  POWEROFF: ['none', 'stopped', 'failed'],
  SUSPENDED: ['suspended'],
  UNDEPLOYED: ['none'],
  STOPPED: ['none'],
  DONE: ['none'],
};

const claims = vmStateNames.flatMap((state) =>
  (['success', 'failure'] as const).flatMap((action): [string, VmEvent, string][] => {
    const recovery = recoveries[state][action];
    if (recovery.do !== 'claim') return [];
    return [[`${action} of ${state}`, recovery.event, nextVmState(state, recovery.event) ?? 'nowhere']];
  }),
);

describe('a claim', () => {
  it.each(claims)('of %s is believed only where its host shows nothing else (%s, to %s)', (_, event, aim) => {
    // A failure leads to a state from which the VM is recovered, whatever there is of it.
    const may = shownOf[aim] ?? all;
    expect(all.filter((seen) => !isContradicted(event, seen))).toEqual(may);
  });
});
