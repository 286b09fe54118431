import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { staffing } from '../../../domain/scaling/staffing.js';
import { heldBack, replacement } from '../../../domain/services/role-cap.js';
import { type FailedVms, roleStart, type StartVm, startedOf } from '../../../domain/services/role-start.js';
import { storedVmState, type VmStateName } from '../../../domain/vms/vm-states.js';

/** `asked`: it was to go, whatever came of that. */
type Seen = StartVm & { asked: boolean };
const hold = { op: 'op', epoch: 1, attempt: 0 };
const vm = (_id: number, name: VmStateName, over: Partial<Seen> = {}): Seen => ({
  ...{ _id, ...storedVmState(name), hold, epoch: 1, wanted: null, user_template: {}, asked: false },
  ...over,
});
const many = (count: number, name: VmStateName, over: Partial<Seen> = {}): Seen[] =>
  Array.from({ length: count }, (_, at) => vm(100 * name.length + at, name, over));

function started(vms: readonly Seen[], cardinality: number, failed?: FailedVms) {
  const { its, kept } = startedOf(vms, failed);
  return roleStart({ cardinality }, vms, its, { op: 'op', kept, failed });
}
const counts = (vms: readonly Seen[], cardinality: number, failed?: FailedVms) => {
  const { again, goes, surplus, lacking, waits } = started(vms, cardinality, failed);
  return { again: again.length, goes: goes.length, surplus: surplus.length, lacking, waits };
};
const nothing = { again: 0, goes: 0, surplus: 0, lacking: 0, waits: 0 };
const behind = { wanted: 'x', left_behind: 'x' };

describe('a role that is deployed, recovered or repaired', () => {
  it.each<[string, Seen[], number, FailedVms | undefined, Partial<ReturnType<typeof counts>>]>([
    ['is given the VMs that it lacks', many(1, 'ACTIVE/RUNNING'), 3, undefined, { lacking: 2 }],
    ['has what failed replaced at once', many(3, 'ACTIVE/BOOT_FAILURE'), 3, undefined, { goes: 3, lacking: 3 }],
    ['has what is lost replaced at once', many(2, 'ACTIVE/UNKNOWN'), 2, 'replace', { goes: 2, lacking: 2 }],
    ['has what failed removed before others are made', many(2, 'ACTIVE/BOOT_FAILURE'), 2, 'remove', { goes: 2 }],
    ['has what failed deployed again where it is', many(2, 'ACTIVE/BOOT_FAILURE'), 2, 'retry', { again: 2 }],
    ['keeps what failed', many(2, 'ACTIVE/BOOT_FAILURE'), 3, 'keep', { lacking: 1 }],
    ['loses what is too many', many(3, 'ACTIVE/RUNNING'), 2, undefined, { goes: 1, surplus: 1 }],
    [
      'makes none for what somebody terminates',
      [...many(1, 'ACTIVE/RUNNING'), ...many(1, 'ACTIVE/SHUTDOWN', { wanted: 'by hand' })],
      3,
      undefined,
      { lacking: 1 },
    ],
    ['makes others for those left behind', many(2, 'ACTIVE/UNKNOWN', behind), 2, undefined, { lacking: 2 }],
    [
      'makes none as long as what could not be removed, and what took its place, may both run',
      [...many(2, 'ACTIVE/UNKNOWN'), ...many(2, 'ACTIVE/BOOT_FAILURE')],
      2,
      undefined,
      { goes: 2, waits: 2 },
    ],
    [
      'has one removed first that failed in the place of one that was left behind',
      [...many(1, 'ACTIVE/UNKNOWN', behind), ...many(1, 'ACTIVE/BOOT_FAILURE')],
      1,
      undefined,
      { goes: 1, waits: 1 },
    ],
    [
      'makes some as far as there is room',
      [...many(2, 'ACTIVE/EPILOG_FAILURE'), ...many(1, 'ACTIVE/UNKNOWN', behind), ...many(1, 'ACTIVE/RUNNING')],
      3,
      undefined,
      { goes: 2, lacking: 2 },
    ],
    [
      'loses what failed and is too many, and nothing takes its place',
      [...many(4, 'ACTIVE/UNKNOWN'), ...many(4, 'ACTIVE/BOOT_FAILURE')],
      2,
      'replace',
      { goes: 6, waits: 2 },
    ],
  ])('%s', (_, vms, cardinality, failed, expected) => {
    expect(counts(vms, cardinality, failed)).toEqual({ ...nothing, ...expected });
  });

  it('has that removed first which was taken least often: what cannot go is not in the way of what can', () => {
    const vms = [vm(1, 'ACTIVE/UNKNOWN', { epoch: 9 }), vm(2, 'ACTIVE/UNKNOWN', { epoch: 3 })];
    expect(started(vms, 1).goes.map(({ _id }) => _id)).toEqual([2]);
  });
});

describe('what a role says of its cap', () => {
  it('is that no more are made, where it has twice as many as it is to have', () => {
    expect(heldBack(3, 5)).toBeNull();
    expect(heldBack(3, 6)).toContain('it has 6 VMs');
    expect(heldBack(0, 0)).toBeNull();
    expect(replacement(3, { filling: 0, going: 3, behind: 3, failed: [] })).toMatchObject({ lacking: 0, vacant: 3 });
  });
});

const deeds = ['deploy', 'replace', 'remove', 'retry', 'keep', 'scale'] as const;
const fate = fc.constantFrom('run', 'fail', 'refuse', 'stick', 'go', 'lose', 'find', 'leave', 'by hand', 'nothing');
/** One for each VM, or the same for all: as when a host falls silent, or a store does. */
const fatesOf = fc.oneof(
  fc.array(fate, { minLength: 10, maxLength: 10 }),
  fate.map((one) => Array.from({ length: 10 }, () => one)),
);
const rounds = fc.array(
  fc.record({ deed: fc.constantFrom(...deeds), cardinality: fc.integer({ min: 0, max: 4 }), fates: fatesOf }),
  { minLength: 1, maxLength: 24, size: 'max' },
);
const isRemoved = ({ lcm_state }: Seen): boolean => ['SHUTDOWN', 'EPILOG_FAILURE'].includes(lcm_state);

/** What may come to a VM between two operations; some of it only where removals succeed at all. */
function afterwards(one: Seen, what: string, neverGone: boolean): Seen[] {
  const as = (name: VmStateName, over: Partial<Seen> = {}): Seen[] => [{ ...one, ...storedVmState(name), ...over }];
  if (isRemoved(one) || one.wanted !== null) {
    if (what === 'go' && !neverGone) return [];
    if (one.wanted !== null) return [one];
    return what === 'refuse' ? as('ACTIVE/UNKNOWN') : what === 'stick' ? as('ACTIVE/EPILOG_FAILURE') : [one];
  }
  if (what === 'by hand') return as('ACTIVE/SHUTDOWN', { wanted: 'by hand' });
  if (one.lcm_state === 'UNKNOWN') {
    if (what === 'leave') return [{ ...one, ...behind, asked: true }];
    return what === 'find' ? as('ACTIVE/RUNNING') : [one];
  }
  if (one.lcm_state === 'RUNNING') return what === 'lose' ? as('ACTIVE/UNKNOWN') : [one];
  return what === 'run' ? as('ACTIVE/RUNNING') : what === 'fail' ? as('ACTIVE/BOOT_FAILURE') : [one];
}

describe('a role that is deployed, recovered, repaired and scaled, in whatever order', () => {
  it.each([true, false])('has no more VMs than its cap, whatever fails (no removal succeeds: %s)', (neverGone) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), rounds, (first, all) => {
        let [cardinality, most, ids]: [number, number, number] = [first, first, 0];
        let vms: Seen[] = [];
        for (const { deed, cardinality: wished, fates } of all) {
          const before = vms.length;
          const going = vms.filter((one) => isRemoved(one) && one.wanted === null).length;
          if (deed === 'scale') cardinality = wished;
          most = Math.max(most, cardinality);
          const plan =
            deed === 'scale'
              ? { ...staffing(vms, cardinality, 'op'), again: [] }
              : { failed: [], victims: [], ...started(vms, cardinality, deed === 'deploy' ? undefined : deed) };
          const goes = 'goes' in plan ? plan.goes : [...plan.failed, ...plan.victims];
          const unreplaced = 'goes' in plan ? plan.surplus.length : plan.victims.length;
          // Of what goes so that others take its place there is never more than the role is to have.
          if (before <= 2 * cardinality)
            expect(goes.length - unreplaced).toBeLessThanOrEqual(Math.max(cardinality, going));
          if (plan.lacking > 0) expect(goes.length).toBeLessThanOrEqual(cardinality);
          const leaves = new Set(goes);
          vms = vms.map((one) =>
            leaves.has(one) ? { ...one, ...storedVmState('ACTIVE/SHUTDOWN'), epoch: one.epoch + 1, asked: true } : one,
          );
          vms.push(...Array.from({ length: plan.lacking }, () => vm(ids++, 'ACTIVE/BOOT')));
          // Neither DONE nor asked to go; and with those that are not gone yet.
          expect(vms.filter(({ asked }) => !asked).length).toBeLessThanOrEqual(most);
          expect(vms.length).toBeLessThanOrEqual(2 * most);
          vms = vms.flatMap((one, at) => afterwards(one, fates[at % fates.length] ?? 'nothing', neverGone));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('comes to what it is to have, by recoveries alone, once everything succeeds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), rounds, (cardinality, all) => {
        let vms: Seen[] = [];
        let ids = 0;
        const recovered = (fateOf: (one: Seen, at: number) => string): void => {
          const { goes, lacking } = started(vms, cardinality);
          const leaves = new Set(goes);
          vms = vms.map((one) => (leaves.has(one) ? { ...one, ...storedVmState('ACTIVE/SHUTDOWN') } : one));
          vms.push(...Array.from({ length: lacking }, () => vm(ids++, 'ACTIVE/BOOT')));
          vms = vms.flatMap((one, at) => afterwards(one, fateOf(one, at), false));
        };
        for (const { fates } of all)
          recovered((_, at) => {
            const what = fates[at % fates.length] ?? 'nothing';
            return what === 'by hand' ? 'nothing' : what;
          });
        for (let times = 0; times < 4; times++)
          recovered((one) => (isRemoved(one) || one.wanted !== null ? 'go' : 'run'));
        expect(vms.map(({ lcm_state }) => lcm_state)).toEqual(Array.from({ length: cardinality }, () => 'RUNNING'));
      }),
    );
  });
});
