import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leavingOrder, type StaffedVm, staffing } from '../../../domain/scaling/staffing.js';
import { belongs, isDeparting } from '../../../domain/services/service-health.js';
import { storedVmState, type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';

const hold = (op: string) => ({ op, epoch: 1, attempt: 0 });
const vm = (_id: number, name: VmStateName, over: Partial<StaffedVm> = {}): StaffedVm => ({
  ...{ _id, ...storedVmState(name), hold: null, wanted: null, user_template: {} },
  ...over,
});
const running = (...ids: number[]) => ids.map((id) => vm(id, 'ACTIVE/RUNNING'));
const idsOf = (vms: readonly StaffedVm[]) => vms.map(({ _id }) => _id);
const staffed = (vms: readonly StaffedVm[], cardinality: number) => {
  const { failed, victims, start, lacking, busy } = staffing(vms, cardinality, 'op');
  return { failed: idsOf(failed), victims: idsOf(victims), start: idsOf(start), lacking, busy };
};
const nothing = { failed: [], victims: [], start: [], lacking: 0, busy: 0 };

describe('a role that is scaled', () => {
  it.each<[string, StaffedVm[], number, Partial<ReturnType<typeof staffed>>]>([
    ['is given the VMs that it lacks', running(1, 2), 5, { lacking: 3 }],
    ['loses the oldest first', running(1, 2, 3, 4), 2, { victims: [1, 2] }],
    [
      'loses what does not serve before what does',
      [...running(1, 2), vm(3, 'ACTIVE/UNKNOWN'), vm(4, 'PENDING')],
      1,
      { victims: [3, 4, 1] },
    ],
    ['counts one that is powered off as one that serves', [vm(1, 'POWEROFF'), ...running(2)], 1, { victims: [1] }],
    ['keeps a VM whose state is not known in its place', [...running(1), vm(2, 'ACTIVE/UNKNOWN')], 3, { lacking: 1 }],
    ['has a VM that never ran replaced', [...running(1), vm(2, 'ACTIVE/BOOT_FAILURE')], 2, { failed: [2], lacking: 1 }],
    ['has a VM removed whose removal has failed', [...running(1), vm(2, 'ACTIVE/EPILOG_FAILURE')], 1, { failed: [2] }],
    [
      'goes on with what an earlier try has begun',
      [vm(1, 'PENDING', { hold: hold('op') }), vm(2, 'ACTIVE/BOOT', { hold: hold('op') })],
      2,
      { start: [1, 2] },
    ],
    ['goes on with a removal', [vm(1, 'ACTIVE/SHUTDOWN', { hold: hold('op') }), ...running(2)], 1, { victims: [1] }],
    [
      'takes none that another operation holds',
      [vm(1, 'ACTIVE/RUNNING', { hold: hold('other') }), ...running(2, 3)],
      1,
      { victims: [2, 3] },
    ],
    [
      'waits for those, when there are no others',
      [vm(1, 'ACTIVE/BOOT', { hold: hold('other') }), ...running(2)],
      0,
      { victims: [2], busy: 1 },
    ],
    [
      'removes fewer when somebody terminates one',
      [...running(1, 2, 3), vm(4, 'ACTIVE/SHUTDOWN', { wanted: 'by hand' })],
      2,
      { victims: [1] },
    ],
    [
      'makes none for one that somebody terminates',
      [...running(1, 2), vm(4, 'ACTIVE/RUNNING', { wanted: 'by hand' })],
      4,
      { lacking: 1 },
    ],
    [
      'makes one for a VM that was left behind',
      [...running(1), vm(2, 'ACTIVE/UNKNOWN', { wanted: 'x', left_behind: 'x' })],
      2,
      { lacking: 1 },
    ],
  ])('%s', (_, vms, cardinality, expected) => {
    expect(staffed(vms, cardinality)).toEqual({ ...nothing, ...expected });
  });

  it('loses the newest first when it says so, but what does not serve before', () => {
    const vms = [...running(1, 2, 3), vm(0, 'ACTIVE/UNKNOWN')];
    expect(idsOf(staffing(vms, 1, 'op', { order: 'newest' }).victims)).toEqual([0, 3, 2]);
  });

  it.each<[string, StaffedVm[], [number, number][], number[]]>([
    [
      'those that use the least go first',
      running(1, 2, 3),
      [
        [1, 90],
        [2, 0],
        [3, 40],
      ],
      [2, 3, 1],
    ],
    [
      'of two alike the older',
      running(1, 2, 3),
      [
        [1, 5],
        [2, 0],
        [3, 5],
      ],
      [2, 1, 3],
    ],
    [
      'one of which nothing is known may be busy, and goes last',
      running(1, 2, 3),
      [
        [2, 400],
        [3, 90],
      ],
      [3, 2, 1],
    ],
    ['where nothing is known, the oldest', running(1, 2, 3), [], [1, 2, 3]],
    [
      'what does not serve goes before, whatever it uses',
      [...running(1), vm(2, 'ACTIVE/UNKNOWN')],
      [
        [1, 0],
        [2, 99],
      ],
      [2, 1],
    ],
  ])('by load: %s', (_, vms, loads, expected) => {
    const scaleIn = { order: 'least_loaded', loads: new Map(loads) } as const;
    expect(idsOf(staffing(vms, 0, 'op', scaleIn).victims)).toEqual(expected);
  });

  it('keeps those that are protected, however many are too many, but for those that are named', () => {
    const user_template = { PROTECTED: 'yes' };
    const vms = [
      vm(1, 'ACTIVE/RUNNING', { user_template }),
      ...running(2, 3),
      vm(4, 'ACTIVE/UNKNOWN', { user_template }),
    ];
    const going = (cardinality: number, named: number[] = []) => {
      const { victims, busy, kept } = staffing(vms, cardinality, 'op', { named });
      return { victims: idsOf(victims), busy, kept };
    };
    expect(going(3)).toEqual({ victims: [2], busy: 0, kept: 0 });
    expect(going(0)).toEqual({ victims: [2, 3], busy: 0, kept: 2 });
    expect(going(3, [3])).toEqual({ victims: [3], busy: 0, kept: 0 });
    expect(going(2, [1])).toEqual({ victims: [1, 2], busy: 0, kept: 0 });
    expect(going(0, [1, 4])).toEqual({ victims: [4, 1, 2, 3], busy: 0, kept: 0 });
  });

  const anyVm = (_id: number) =>
    fc
      .record({
        name: fc.constantFrom(...vmStateNames.filter((name) => name !== 'DONE')),
        holder: fc.constantFrom(null, 'op', 'other'),
        wanted: fc.constantFrom(null, 'by hand'),
      })
      .map(({ name, holder, wanted }) => vm(_id, name, { hold: holder === null ? null : hold(holder), wanted }));
  const anyVms = fc
    .integer({ min: 0, max: 8 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, id) => anyVm(id))));

  it('never ends up with more or fewer than it is to have, but for what others hold or end', () => {
    fc.assert(
      fc.property(anyVms, fc.integer({ min: 0, max: 8 }), (vms, cardinality) => {
        const { failed, victims, start, lacking, busy } = staffing(vms, cardinality, 'op');
        const kept = vms.filter((one) => belongs(one) && !failed.includes(one) && !victims.includes(one));
        const departing = vms.filter(isDeparting).length;
        expect(kept.length + lacking - busy).toBeLessThanOrEqual(Math.max(cardinality, kept.length - busy));
        expect(kept.length + lacking + departing).toBeGreaterThanOrEqual(cardinality);
        // Nothing is made while anything goes that is too many, and nothing of others is touched.
        if (lacking > 0) expect(kept.length + lacking).toBeLessThanOrEqual(cardinality);
        for (const one of [...failed, ...victims, ...start]) {
          expect(one.hold?.op ?? 'op').toBe('op');
          expect(one.wanted).toBeNull();
        }
        expect(new Set([...failed, ...victims, ...start]).size).toBe(failed.length + victims.length + start.length);
      }),
    );
  });

  /** What may come to each VM of a role between two tries to staff it, removals that never succeed among it. */
  const fates = fc.array(
    fc.array(fc.constantFrom('run', 'fail', 'stick', 'go', 'nothing'), { minLength: 12, maxLength: 12 }),
    { minLength: 1, maxLength: 12 },
  );
  const isUnderRemoval = ({ lcm_state }: StaffedVm): boolean => ['SHUTDOWN', 'EPILOG_FAILURE'].includes(lcm_state);

  it('never has more VMs than it is to have, nor more that go, however often they fail and are not removed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fates, (cardinality, rounds) => {
        let vms: StaffedVm[] = [];
        let ids = 0;
        for (const fate of rounds) {
          const { failed, victims, lacking } = staffing(vms, cardinality, 'op');
          const leaving = new Set([...failed, ...victims]);
          vms = vms.map((one) => (leaving.has(one) ? vm(one._id, 'ACTIVE/SHUTDOWN') : one));
          vms.push(...Array.from({ length: lacking }, () => vm(ids++, 'ACTIVE/BOOT')));
          expect(vms.filter(isUnderRemoval).length).toBeLessThanOrEqual(cardinality);
          expect(vms.length - vms.filter(isUnderRemoval).length).toBeLessThanOrEqual(cardinality);
          vms = vms.flatMap((one, at): StaffedVm[] => {
            const what = fate[at % fate.length];
            if (isUnderRemoval(one))
              return what === 'go' ? [] : [what === 'stick' ? vm(one._id, 'ACTIVE/EPILOG_FAILURE') : one];
            if (what === 'run') return [vm(one._id, 'ACTIVE/RUNNING')];
            return [what === 'fail' ? vm(one._id, 'ACTIVE/BOOT_FAILURE') : one];
          });
        }
      }),
    );
  });

  it('loses VMs in an order that does not depend on how they are told', () => {
    fc.assert(
      fc.property(anyVms, (vms) => {
        expect(idsOf(leavingOrder(vms.toReversed()))).toEqual(idsOf(leavingOrder(vms)));
      }),
    );
  });
});
