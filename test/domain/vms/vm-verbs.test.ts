import { describe, expect, it } from 'vitest';
import { abandonment, nextVmState, storedVmState, vmStateNames } from '../../../domain/vms/vm-states.js';
import { isAfter, isDuring, type VmVerb, vmVerbs } from '../../../domain/vms/vm-verbs.js';

const verbs: VmVerb[] = ['boot', 'remove', 'clear', 'poweroff', 'suspend', 'undeploy', 'restore'];

describe('what is done to VMs', () => {
  it('is what the table says, and no more', () => {
    // A reboot changes no state: the hold alone says that it is at work.
    expect(Object.keys(vmVerbs).sort()).toEqual([...verbs, 'reboot'].sort());
  });

  describe.each(verbs)('%s', (verb) => {
    const { enter, during, leave, fail, after } = vmVerbs[verb];
    const before = vmStateNames.filter((state) => nextVmState(state, enter) !== undefined);

    it('begins in some other state, and again in its own', () => {
      expect(before).toContain(during);
      expect(before.length).toBeGreaterThan(1);
      expect(new Set(before.map((state) => nextVmState(state, enter)))).toEqual(new Set([during]));
    });

    it('leads from its state to one in which a VM needs it no more, or to a failure that it can begin from again', () => {
      expect(after).toContain(nextVmState(during, leave));
      const failed = nextVmState(during, fail);
      expect(failed && isAfter(verb, storedVmState(failed))).toBe(false);
      const again = failed && [failed, nextVmState(failed, 'retry'), nextVmState(failed, 'run')];
      expect(again?.some((state) => state && before.includes(state))).toBe(true);
    });

    it('is given up as it fails', () => {
      expect(abandonment(storedVmState(during))).toBe(fail);
    });

    it('knows a VM that is in the middle of it, and one that is through with it', () => {
      const states = vmStateNames.map((name) => ({ name, stored: storedVmState(name) }));
      expect(states.flatMap(({ name, stored }) => (isDuring(verb, stored) ? [name] : []))).toEqual([during]);
      expect(states.flatMap(({ name, stored }) => (isAfter(verb, stored) ? [name] : [])).sort()).toEqual(
        [...after].sort(),
      );
    });
  });
});
