import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FailoverFacts, type LostVm, planFailover, whyNotRecovered } from '../../../domain/failover/plan.js';
import { nextVmState } from '../../../domain/vms/vm-events.js';
import { type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';
import type { FailedOver } from '../../../schemas/operations/failed-over.js';
import { FailoverWish, HaAction } from '../../../schemas/operations/ha-action.js';

const vm = (id: number, over: Partial<LostVm> = {}): LostVm => ({
  ...{ id, state: 'ACTIVE/UNKNOWN', reason: null, place: 'here', ours: false, busy: null, between: false },
  ...{ after: [], role: null, wish: null },
  ...over,
});
const facts = (vms: LostVm[], over: Partial<FailoverFacts> = {}): FailoverFacts => ({
  ...{ vms, known: {}, action: 'recreate', stopped: false, host: 'off', deployments: new Map() },
  ...over,
});
const entry = (over: Partial<FailedOver> = {}): FailedOver => ({
  ...{ turn: 0, at: new Date(0), outcome: 'under_way', was: 'running', op: null, why: null },
  ...over,
});
/** What is done with one VM, or what is said of it. */
function of(one: LostVm, over: Partial<FailoverFacts> = {}): string {
  const { deeds, said } = planFailover(facts([one], over));
  return deeds.get(one.id) ?? said.get(one.id)?.outcome ?? 'nothing';
}

describe('a VM of a host that is off', () => {
  it.each([
    ['ACTIVE/UNKNOWN', 'clear', 'leave', 'end'],
    ['ACTIVE/RUNNING', 'clear', 'leave', 'end'],
    ['ACTIVE/BOOT_FAILURE', 'clear', 'leave', 'end'],
    ['ACTIVE/PROLOG_FAILURE', 'clear', 'leave', 'end'],
    ['ACTIVE/EPILOG_STOP_FAILURE', 'clear', 'stays', 'end'],
    ['ACTIVE/SHUTDOWN', 'clear', 'waits', 'end'],
    ['POWEROFF', 'stays', 'stays', 'stays'],
    ['SUSPENDED', 'stays', 'stays', 'stays'],
    ['DONE', 'gone', 'gone', 'gone'],
  ] as const)('that is %s is dealt with as its policy says', (state, recreate, migrate, remove) => {
    expect(HaAction.options.map((action) => of(vm(1, { state }), { action }))).toEqual([recreate, migrate, remove]);
  });

  it('is dealt with as whoever has it wants, where he has said so', () => {
    const wishes = (over: Partial<LostVm>, action: HaAction): string[] =>
      ([...HaAction.options, 'none'] as const).map((wish) => of(vm(1, { ...over, wish }), { action }));
    for (const action of HaAction.options) expect(wishes({}, action)).toEqual(['clear', 'leave', 'end', 'stays']);
    expect(of(vm(1, { wish: 'none' }), { host: 'silent' })).toBe('waits');
    // One whose disks go already is made anew, or not, as he wants, too.
    const going = { state: 'ACTIVE/EPILOG', place: 'elsewhere', ours: true } as const;
    const known = { 1: entry() };
    expect(of(vm(1, { ...going, wish: 'delete' }), { known })).toBe('end');
    expect(of(vm(1, { ...going, wish: 'recreate' }), { known, action: 'delete' })).toBe('clear');
  });

  it('that is off leaves it, and stays off, where the policy takes those, too', () => {
    const off = vm(1, { state: 'POWEROFF' });
    expect(HaAction.options.map((action) => of(off, { action, stopped: true }))).toEqual(['vacate', 'vacate', 'end']);
    const saved = vm(1, { state: 'SUSPENDED' });
    expect(HaAction.options.map((action) => of(saved, { action, stopped: true }))).toEqual(['stays', 'stays', 'end']);
  });

  it('that ran before, and is found off since its host was, is started', () => {
    const off = vm(1, { state: 'POWEROFF' });
    const known = { 1: entry({ outcome: 'waits' }) };
    expect([of(off, { known }), of(off, { known, action: 'migrate' })]).toEqual(['clear', 'leave']);
    expect(of(off, { known, host: 'answers' })).toBe('restart');
    expect(of(vm(1, { state: 'ACTIVE/UNKNOWN' }), { known, host: 'answers' })).toBe('restart');
    expect(of(off, { known: { 1: entry({ was: 'off' }) }, host: 'answers' })).toBe('recovered');
  });

  it('that was on its way to another is ended on both, or stays: it is never made anew where its disks are to be kept', () => {
    expect(of(vm(1, { between: true }), { action: 'recreate' })).toBe('clear');
    for (const state of vmStateNames)
      for (const between of [true, false])
        expect(of(vm(1, { state, between }), { action: 'migrate', stopped: true })).not.toMatch(/clear|end/);
    expect(of(vm(1, { between: true }), { action: 'migrate' })).toBe('stays');
  });

  it('at which somebody is at work waits for that alone', () => {
    const { deeds, said } = planFailover(facts([vm(1, { busy: 'op-1' }), vm(2)]));
    expect(said.get(1)).toMatchObject({ outcome: 'waits', why: 'operation op-1 is at work on it' });
    expect(deeds.get(2)).toBe('clear');
  });
});

it('nothing is done with a VM of a host that is not known to be off', () => {
  for (const state of vmStateNames)
    for (const action of HaAction.options)
      expect(planFailover(facts([vm(1, { state })], { action, host: 'silent', stopped: true })).deeds.size).toBe(0);
});

describe('roles', () => {
  const db = vm(1, { role: '7/db' });
  const web = vm(2, { role: '7/web', after: ['7/db'] });

  it('go after those that they stand on, until these run, or cannot', () => {
    const first = planFailover(facts([db, web]));
    expect([...first.deeds]).toEqual([[1, 'clear']]);
    expect(first.said.get(2)).toMatchObject({ outcome: 'waits', why: 'VMs of role db go first' });
    const known = { 1: entry(), 2: entry({ outcome: 'waits' }) };
    const booting = { ...db, state: 'ACTIVE/BOOT', place: 'elsewhere', ours: true } as const;
    expect([...planFailover(facts([booting, web], { known })).deeds]).toEqual([[1, 'boot']]);
    const runs = { ...db, state: 'ACTIVE/RUNNING', place: 'elsewhere' } as const;
    expect([...planFailover(facts([runs, web], { known })).deeds]).toEqual([[2, 'clear']]);
    const failed = { ...db, state: 'ACTIVE/BOOT_FAILURE', place: 'elsewhere' } as const;
    expect([...planFailover(facts([failed, web], { known })).deeds]).toEqual([[2, 'clear']]);
  });

  it('end in no order', () => {
    expect([...planFailover(facts([db, web], { action: 'delete' })).deeds]).toEqual([
      [1, 'end'],
      [2, 'end'],
    ]);
  });
});

it('what fits nowhere is pending once its own deployment waits, and holds nobody up', () => {
  const one = vm(1, { state: 'PENDING', place: 'nowhere', role: '7/db' });
  const known = { 1: entry() };
  expect(of(one, { known })).toBe('place');
  const deployments = new Map([[1, { op: 'op-9', state: 'waiting' as const }]]);
  const { said, open } = planFailover(facts([one], { known, deployments }));
  expect([said.get(1), open]).toMatchObject([{ outcome: 'pending', op: 'op-9' }, 0]);
});

it('what a step was in the midst of goes on: a VM that was to leave, and one whose disks go', () => {
  const leaving = vm(1, { state: 'ACTIVE/SHUTDOWN_UNDEPLOY', ours: true });
  const off = { 1: entry({ was: 'off' }) };
  expect(['recreate', 'migrate'].map((action) => of(leaving, { action: action as 'migrate', known: off }))).toEqual([
    'vacate',
    'vacate',
  ]);
  const going = vm(1, { state: 'ACTIVE/EPILOG', place: 'elsewhere', ours: true });
  const known = { 1: entry() };
  expect(HaAction.options.map((action) => of(going, { action, known }))).toEqual(['clear', 'waits', 'end']);
  expect(of({ ...going, ours: false }, { known })).toBe('waits');
  expect(of(going, { known: { 1: entry({ outcome: 'stays' }) } })).toBe('stays');
});

it('a VM that stays wherever it is is not tried again, unless it runs', () => {
  const known = { 1: entry({ outcome: 'stays', why: 'it is refused' }) };
  const states = ['PENDING', 'ACTIVE/BOOT', 'ACTIVE/BOOT_FAILURE'] as const;
  for (const state of states)
    expect(of(vm(1, { state, place: state === 'PENDING' ? 'nowhere' : 'elsewhere', ours: true }), { known })).toBe(
      'stays',
    );
  expect(of(vm(1, { state: 'ACTIVE/RUNNING', place: 'elsewhere' }), { known })).toBe('recovered');
});

it('a VM of which a step failed after all its tries stays, and the failover ends', () => {
  const known = { 1: entry({ outcome: 'stays', why: 'it took too long' }) };
  expect(planFailover(facts([vm(1)], { known }))).toMatchObject({ open: 0 });
  expect(whyNotRecovered('host-1', known)).toBe('1 of 1 VMs of host-1 is not recovered: VM 1: it took too long');
  expect(whyNotRecovered('host-1', { 1: entry({ outcome: 'stays', was: 'off' }) })).toBeNull();
  expect(whyNotRecovered('host-1', { 1: entry({ outcome: 'pending' }) })).toBeNull();
});

/** States in which a VM has no host. */
const away = /^(PENDING|HOLD|UNDEPLOYED|STOPPED|DONE|ACTIVE\/EPILOG)/;
const anyVm = fc
  .record({
    id: fc.nat(20),
    state: fc.constantFrom(...vmStateNames),
    reason: fc.constant(null),
    place: fc.constantFrom('here', 'coming', 'elsewhere', 'nowhere' as const),
    ours: fc.boolean(),
    busy: fc.constantFrom(null, 'op-1'),
    between: fc.boolean(),
    after: fc.constantFrom([], ['1/a'], ['1/a', '1/b']),
    role: fc.constantFrom(null, '1/a', '1/b', '1/c'),
    wish: fc.constantFrom(null, ...FailoverWish.options),
  })
  .map((one) => (away.test(one.state) && one.place !== 'coming' ? { ...one, place: 'nowhere' as const } : one));
const anyFacts = fc.record({
  vms: fc.uniqueArray(anyVm, { selector: ({ id }) => id, maxLength: 12 }),
  known: fc.dictionary(
    fc.nat(20).map(String),
    fc.record({
      ...{ turn: fc.constant(0), at: fc.constant(new Date(0)), op: fc.constant(null), why: fc.constant(null) },
      outcome: fc.constantFrom<FailedOver['outcome']>('waits', 'under_way', 'recovered', 'gone', 'pending', 'stays'),
      was: fc.constantFrom('running', 'off' as const),
    }),
  ),
  action: fc.constantFrom(...HaAction.options),
  stopped: fc.boolean(),
  host: fc.constantFrom('off', 'answers', 'silent' as const),
  deployments: fc.constant(new Map()),
});
/** The event by which a deed begins; what is only placed or booted has its own. */
const begins = { clear: 'shutdown', end: 'shutdown', leave: 'leave', vacate: 'undeploy', restart: 'retry' } as const;

it('each VM is told of; what is done with one is possible in its state, is of nobody else, and never where it may run still', () => {
  fc.assert(
    fc.property(anyFacts, (given) => {
      const { said, deeds, open } = planFailover(given);
      expect(new Set(said.keys())).toEqual(new Set(given.vms.map(({ id }) => id)));
      for (const one of given.vms) {
        const deed = deeds.get(one.id);
        if (deed === undefined) continue;
        expect(one.busy).toBeNull();
        if (one.place === 'here' && given.host !== 'answers') expect(given.host).toBe('off');
        const event = deed in begins ? begins[deed as keyof typeof begins] : undefined;
        if (event) expect(nextVmState(one.state as VmStateName, event), `${deed} of ${one.state}`).toBeDefined();
      }
      expect(open).toBe(
        [...said.values()].filter(({ outcome }) => outcome === 'waits' || outcome === 'under_way').length,
      );
    }),
  );
});
