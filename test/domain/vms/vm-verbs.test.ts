import { describe, expect, it } from 'vitest';
import { deviceActions } from '../../../domain/vms/vm-devices.js';
import { abandonment, nextVmState } from '../../../domain/vms/vm-events.js';
import { arrivesBy, type MoveVerb, movesFrom, vmMoves } from '../../../domain/vms/vm-moves.js';
import { storedVmState, vmStateNames } from '../../../domain/vms/vm-states.js';
import { isAfter, isDuring, type VmVerb, vmVerbs } from '../../../domain/vms/vm-verbs.js';

const verbs: VmVerb[] = ['boot', 'remove', 'clear', 'poweroff', 'suspend', 'undeploy', 'restore'];

/** What stops VMs and brings them back, one after the other; what makes their disks, and ends what is kept of them. */
const stopping: VmVerb[] = ['saveStop', 'store', 'fetch', 'discard', 'discardToClear', 'makeDisks', 'vacate'];

const moves: MoveVerb[] = ['migrate', 'save', 'move', 'restart', 'moveOff', 'moveSaved'];

const changes: VmVerb[] = Object.values(deviceActions).flatMap((row) => Object.values(row));

/** What moves VMs, by what they do, and whether that is not to be interrupted. */
const ways = (['running', 'suspended', 'off'] as const).flatMap((from) =>
  [false, true].map((live) => ({ from, live, steps: vmMoves[from].steps(live) })),
);

describe('what moves VMs', () => {
  it.each(ways)(
    'from $from, live: $live, is one step after the other, and leads back to what it was',
    ({ from, steps }) => {
      let state = vmStateNames.find((name) => movesFrom(storedVmState(name)) === from);
      const began = state;
      for (const verb of steps) {
        const { enter, during, leave, fail } = vmVerbs[verb];
        state = state && nextVmState(state, enter);
        expect(state, verb).toBe(during);
        expect(nextVmState(during, enter), 'its second try').toBe(during);
        expect(nextVmState(during, 'shutdown'), 'a termination').toBe('ACTIVE/SHUTDOWN');
        expect(abandonment(storedVmState(during)), 'given up').toBe(fail);
        // Wherever it was given up, it can be said again what it is.
        for (const at of [during, nextVmState(during, fail)])
          expect(at && nextVmState(at, vmMoves[from].settled), `settled after ${verb}`).toBeDefined();
        state = nextVmState(during, leave);
      }
      expect(state).toBe(began);
      expect(steps.filter(arrivesBy)).toHaveLength(1);
    },
  );

  it('is every step that moves', () => {
    expect(new Set(ways.flatMap(({ steps }) => steps))).toEqual(new Set(moves));
  });
});

describe('what is done to VMs', () => {
  it('is what the table says, and no more', () => {
    // A reboot changes no state: the hold alone says that it is at work. Of those that move, the place does; of devices, what it has.
    // A reboot changes no state: the hold alone says that it is at work. Of those that move, the place does; of a snapshot, its list.
    // What was stopped and cannot be resumed is SUSPENDED: from there it is restored.
    const others = ['resumeStopped', 'reboot', 'createSnapshot', 'revertSnapshot', 'deleteSnapshot'];
    expect(Object.keys(vmVerbs).sort()).toEqual([...verbs, ...moves, ...changes, ...stopping, ...others].sort());
  });

  describe.each([...verbs, ...stopping])('%s', (verb) => {
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
