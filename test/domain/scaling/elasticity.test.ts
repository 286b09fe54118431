import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ElasticRole, evaluateRole, type RoleCount } from '../../../domain/scaling/elasticity.js';
import type { MeasuredVm } from '../../../domain/scaling/measures.js';
import { ElasticityPolicy } from '../../../schemas/services/service-template.js';

const start = Date.parse('2026-11-28T12:00:00Z');
const policy = (over: Record<string, unknown>): ElasticityPolicy =>
  ElasticityPolicy.parse({ type: 'CHANGE', adjust: 1, expression: 'ATT > 50', ...over });
const target = (text: string, over: Record<string, unknown> = {}): ElasticityPolicy =>
  ElasticityPolicy.parse({ target: text, ...over });

const settings = (seconds: number, due: number | null) => ({
  due,
  now: new Date(start + seconds * 1_000),
  stale: 60_000,
  early: 2_000,
  cooldown: 300,
});

let ids = 0;
const vm = (ATT: unknown, over: Partial<MeasuredVm> = {}): MeasuredVm => ({
  ...{ id: ++ids, name: 'web', user_template: ATT === undefined ? {} : { ATT }, template: {}, own: {} },
  ...{ since: new Date(start - 3_600_000), sample: null },
  ...over,
});
const att = (...values: unknown[]): MeasuredVm[] => values.map((value) => vm(value));
const cpu = (value: number, at: number): MeasuredVm[] => [
  vm(undefined, { sample: { at: new Date(start + at * 1_000), CPU: value } }),
];

/** A role that is looked at again and again. */
class Looked {
  count: RoleCount | null = null;
  /** The scheduled policy of it that is due. */
  due: number | null = null;
  role: ElasticRole;
  constructor(policies: ElasticityPolicy[], over: Partial<ElasticRole> = {}) {
    this.role = {
      name: 'web',
      state: 'RUNNING',
      cardinality: 2,
      min_vms: 1,
      max_vms: 5,
      elasticity_policies: policies,
      ...over,
    };
  }
  at(seconds: number, vms: readonly MeasuredVm[]) {
    const { count, said, decision } = evaluateRole(this.role, this.count, vms, settings(seconds, this.due));
    this.count = count;
    const evals = count.policies.map(({ true_evals }) => true_evals);
    return {
      verdicts: said.map((one) => one?.verdict ?? null),
      why: said.map((one) => one?.why ?? null),
      evals,
      decision,
      to: decision?.to ?? null,
    };
  }
  /** What it has decided is done, and it has rested. */
  scaled(to: number, seconds: number): void {
    this.role = { ...this.role, cardinality: to, scaled_at: new Date(start + seconds * 1_000) };
  }
}

describe('the guide’s example, 1.4.7', () => {
  it('goes as its four steps say', () => {
    const frontend = new Looked([
      policy({ expression: 'ATT > 50', adjust: 2, period_number: 3, period: 10 }),
      policy({ expression: 'ATT < 20', type: 'PERCENTAGE_CHANGE', adjust: -10, min_adjust_step: 2 }),
    ]);
    // 1) 40 and 60: the average is 50, and true evaluations do not increase.
    for (const at of [0, 10, 20, 30])
      expect(frontend.at(at, att(40, 60))).toMatchObject({ verdicts: ['false', 'false'], evals: [0, 0], to: null });
    // 2) 45 and 60: they increase each 10 seconds; the third time there are to be more.
    expect(frontend.at(40, att(45, 60))).toMatchObject({
      evals: [1, 0],
      to: null,
      why: ['1 of 3 periods', 'it does not hold'],
    });
    expect(frontend.at(45, att(45, 60))).toMatchObject({ evals: [1, 0], to: null });
    expect(frontend.at(50, att(45, 60))).toMatchObject({ evals: [2, 0], to: null });
    expect(frontend.at(60, att(45, 60))).toMatchObject({ evals: [3, 0], to: 4, decision: { policy: 0, from: 2 } });
    frontend.scaled(4, 61);
    // 3) They are reset. New VMs have no ATT: the average is still above 50, and 30 s later there are more, up to 5.
    const four = att(45, 60, undefined, undefined);
    expect(frontend.at(70, four)).toMatchObject({ evals: [1, 0], to: null });
    expect(frontend.at(80, four)).toMatchObject({ evals: [2, 0], to: null });
    expect(frontend.at(90, four)).toMatchObject({ evals: [3, 0], to: 5 });
    frontend.scaled(5, 91);
    const five = [...four, vm(undefined)];
    for (const at of [100, 110]) frontend.at(at, five);
    expect(frontend.at(120, five)).toMatchObject({
      verdicts: ['at_limit', 'false'],
      why: ['it wants 7: at max_vms 5', 'it does not hold'],
      to: null,
    });
    // 4) 10 % of 5 is less than one: it would be 1, but min_adjust_step makes it 2.
    expect(frontend.at(130, att(10, 10))).toMatchObject({ to: 3, decision: { policy: 1, from: 5 } });
  });
});

describe('while a scheduled policy of the role is due', () => {
  it('no policy is asked, and none loses what it has counted', () => {
    const role = new Looked([policy({ period: 10, period_number: 2 })]);
    expect(role.at(0, att(60)).evals).toEqual([1]);
    role.due = 3;
    expect(role.at(10, att(60))).toMatchObject({
      ...{ verdicts: ['waits'], why: ['scheduled policy 3 is due, and goes before it'], evals: [1], to: null },
    });
    role.due = null;
    expect(role.at(20, att(60))).toMatchObject({ verdicts: ['scales'], to: 3 });
  });

  it('min_vms is kept up all the same', () => {
    const role = new Looked([policy({})], { cardinality: 1, min_vms: 2 });
    role.due = 0;
    expect(role.at(0, att(60))).toMatchObject({ verdicts: ['waits'], decision: { policy: null, from: 1, to: 2 } });
  });
});

describe('periods', () => {
  it('count once, also for a look that began a moment before another; a clock set back by more than one begins anew', () => {
    const role = new Looked([policy({ period: 3_600, period_number: 9 })]);
    expect(role.at(100, att(60)).evals).toEqual([1]);
    for (const at of [99, 90, 101]) expect(role.at(at, att(60))).toMatchObject({ evals: [1], verdicts: [null] });
    expect(role.at(-3_600, att(60)).evals).toEqual([2]);
  });

  it('in a row are counted, and one that does not hold or is not known begins again', () => {
    const role = new Looked([policy({ period: 10, period_number: 2 })]);
    expect(role.at(0, att(60)).evals).toEqual([1]);
    expect(role.at(10, att('?'))).toMatchObject({ evals: [0], verdicts: ['unknown'] });
    expect(role.at(20, att(60)).evals).toEqual([1]);
    expect(role.at(30, att(5)).evals).toEqual([0]);
    // Ticks do not come on the dot; one too early is none.
    expect(role.at(38, att(60)).evals).toEqual([1]);
    expect(role.at(45, att(60))).toMatchObject({ evals: [1], verdicts: [null] });
    expect(role.at(61, att(60))).toMatchObject({ evals: [2], to: 3 });
  });

  it('count for what the hypervisor measures only when it has measured again', () => {
    const role = new Looked([policy({ expression: 'CPU > 50', period: 10, period_number: 2 })]);
    expect(role.at(0, cpu(90, -1)).evals).toEqual([1]);
    expect(role.at(10, cpu(90, -1))).toMatchObject({ evals: [1], verdicts: [null], to: null });
    expect(role.at(20, cpu(90, 19))).toMatchObject({ evals: [2], to: 3 });
  });

  it('count anew when the expression has changed, not when the policy stands elsewhere', () => {
    const [one, other] = [policy({ period_number: 3 }), policy({ expression: 'ATT > 10', period_number: 3 })];
    const role = new Looked([one, other]);
    role.at(0, att(60));
    role.role = {
      ...role.role,
      elasticity_policies: [other, one, policy({ expression: 'ATT > 20', period_number: 3 })],
    };
    expect(role.at(10, att(60)).evals).toEqual([2, 2, 1]);
  });
});

describe('of several policies', () => {
  const up = (adjust: number) => policy({ adjust });
  it.each([
    ['an increase beats a decrease', [up(-1), up(1)], 5, 6, 1],
    ['the largest increase', [up(1), up(3), up(2)], 5, 8, 1],
    ['the smallest decrease', [up(-3), up(-1), up(-2)], 5, 4, 1],
    ['the first of the same', [up(2), policy({ type: 'CARDINALITY', adjust: 7 })], 5, 7, 0],
    ['the largest within the limits', [up(20), up(30)], 5, 10, 0],
    ['a decrease, where the increase is at its limit', [up(1), up(-2)], 10, 8, 1],
    ['one that may bring back what was forced above max_vms', [up(1), up(-1)], 14, 10, 1],
  ])('%s wins', (_, policies, cardinality, to, winner) => {
    const { decision, verdicts } = new Looked(policies, { cardinality, min_vms: 2, max_vms: 10 }).at(0, att(60));
    expect(decision).toMatchObject({ from: cardinality, to, policy: winner });
    expect(verdicts[winner]).toBe('scales');
    for (const verdict of verdicts.toSpliced(winner, 1)) expect(['outbid', 'at_limit']).toContain(verdict);
  });

  it('none raises what was forced above max_vms', () => {
    const role = new Looked([up(1), policy({ type: 'CARDINALITY', adjust: 20 })], { cardinality: 14, max_vms: 10 });
    expect(role.at(0, att(60))).toMatchObject({
      to: null,
      why: ['it wants 15: above max_vms 10', 'it wants 20: above max_vms 10'],
    });
  });

  it('min_vms is restored where there are fewer, whatever policies say, and without a rest', () => {
    const role = new Looked([up(-1), policy({ expression: 'CPU > 5' })], { cardinality: 1, min_vms: 3 });
    expect(role.at(0, att(60)).decision).toEqual({
      policy: null,
      from: 1,
      to: 3,
      cooldown: 0,
      why: 'it has 1 VM, below min_vms 3',
    });
    expect(new Looked([up(4)], { cardinality: 1, min_vms: 3 }).at(0, att(60)).decision).toMatchObject({
      policy: 0,
      to: 5,
    });
    expect(new Looked([], { cardinality: 0, min_vms: 1 }).at(0, []).to).toBe(1);
  });
});

describe('a role rests', () => {
  it.each<[string, Partial<ElasticRole>, string]>([
    ['in its cooldown', { state: 'COOLDOWN', cooldown_until: new Date(start + 41_000) }, 'cooldown for 41 s'],
    ['while it is scaled', { state: 'SCALING', operation: 'op' }, 'an operation is at work on the role'],
    ['once its scaling has failed', { state: 'FAILED_SCALING' }, 'the role is FAILED_SCALING'],
  ])('%s', (_, over, why) => {
    const role = new Looked([policy({})], { ...over, cardinality: 0 });
    expect(role.at(0, att(60))).toMatchObject({ to: null, why: [why] });
  });

  it('and is asked again after it, in WARNING, too', () => {
    expect(new Looked([policy({})], { state: 'COOLDOWN', cooldown_until: new Date(start) }).at(0, att(60)).to).toBe(3);
    expect(new Looked([policy({})], { state: 'WARNING' }).at(0, att(60)).to).toBe(3);
  });

  it('longer from one direction than from the other', () => {
    const scaled_at = new Date(start);
    const rests = { scaled_at, cooldown_up: 30, cooldown_down: 600 };
    expect(new Looked([policy({})], rests).at(20, att(60)).why).toEqual(['it wants 3: cooldown_up for 10 s']);
    expect(new Looked([policy({})], rests).at(30, att(60)).decision).toMatchObject({ to: 3, cooldown: 30 });
    const down = new Looked([policy({ adjust: -1 })], rests);
    expect(down.at(30, att(60))).toMatchObject({ to: null, why: ['it wants 1: cooldown_down for 570 s'] });
    expect(down.at(600, att(60)).to).toBe(1);
  });

  it.each([
    ['as the policy says', { cooldown: 7 }, { cooldown: 60 }, 7],
    ['as the role says', {}, { cooldown: 60 }, 60],
    ['as configured', {}, {}, 300],
  ])('after it was scaled, %s', (_, over, role, cooldown) => {
    expect(new Looked([policy(over)], role).at(0, att(60)).decision).toMatchObject({ cooldown });
  });
});

describe('a policy', () => {
  it.each([
    [{ enabled: false }, 'paused until somebody resumes it'],
    [{ paused_until: '2026-11-28T12:00:05Z' }, 'paused until 2026-11-28T12:00:05.000Z'],
  ])('that is paused, %j, does nothing', (over, why) => {
    expect(new Looked([policy(over)]).at(0, att(60))).toMatchObject({ to: null, verdicts: ['paused'], why: [why] });
    expect(new Looked([policy(over)]).at(6, att(60)).to).toBe('paused_until' in over ? 3 : null);
  });

  it('takes its largest step at most', () => {
    const over = { cardinality: 10, max_vms: 100 };
    expect(new Looked([policy({ adjust: 50, max_adjust_step: 4 })], over).at(0, att(60)).to).toBe(14);
    expect(new Looked([policy({ adjust: -50, max_adjust_step: 4 })], over).at(0, att(60)).to).toBe(6);
  });

  it('leaves out VMs that are warming up, and holds where no other is', () => {
    const young = vm(99, { since: new Date(start - 20_000) });
    const role = new Looked([policy({ warm_up: 60 })]);
    expect(role.at(0, [vm(10), young]).verdicts).toEqual(['false']);
    expect(role.at(0, [young])).toMatchObject({
      verdicts: ['unknown'],
      why: ['each VM that runs is younger than warm_up, 60 s'],
    });
    expect(role.at(40, [young]).to).toBe(3);
  });

  it('changes nothing before it has wished for that throughout its window', () => {
    const role = new Looked([policy({ expression: 'ATT < 20', adjust: -1, stabilization: 60 })], { cardinality: 4 });
    expect(role.at(0, att(10))).toMatchObject({ verdicts: ['stabilizing'], to: null });
    expect(role.at(30, att(90)).verdicts).toEqual(['false']);
    for (const at of [40, 60, 80]) expect(role.at(at, att(10)).verdicts, `at ${at}`).toEqual(['stabilizing']);
    expect(role.at(90, att(10)).to).toBe(3);
  });

  it('says that it changes nothing where it does not', () => {
    const role = new Looked([policy({ type: 'CARDINALITY', adjust: 2 })]);
    expect(role.at(0, att(60))).toMatchObject({ verdicts: ['no_change'], why: ['it wants the 2 that there are'] });
  });
});

describe('a target', () => {
  it.each([
    [4, 90, 6],
    [4, 67, 5],
    [4, 61, null],
    [4, 10, 1],
    [4, 65, null],
    [4, 55, null],
    [4, 60, null],
    [10, 120, 20],
  ])('of 60 makes of %i VMs at %i on average %s', (cardinality, value, to) => {
    const role = new Looked([target('ATT = 60')], { cardinality, max_vms: 100 });
    expect(role.at(0, att(value)).to).toBe(to);
  });

  const young = (count: number) =>
    Array.from({ length: count }, () => vm(undefined, { since: new Date(start - 1_000) }));
  it.each<[string, MeasuredVm[], number | null, string]>([
    [
      'adds only what it takes if those without a value took nothing',
      [...att(120, 120), vm(undefined)],
      6,
      'it wants 6',
    ],
    [
      'adds none where that brings it near enough',
      [...att(120), vm(undefined)],
      null,
      '200 % of its target; 1 VM has no value yet, and with 0 for these it is 100 %',
    ],
    [
      'counts VMs that are warming up likewise',
      [...att(120, 120), ...young(2)],
      null,
      '200 % of its target; 2 VMs have no value yet, and with 0 for these it is 100 %',
    ],
    [
      'removes none before all have been asked',
      [...att(10, 10), vm(undefined)],
      null,
      '17 % of its target; 1 VM has no value yet, so none is removed',
    ],
    [
      'nor while some are warming up',
      [...att(10, 10), ...young(1)],
      null,
      '17 % of its target; 1 VM has no value yet, so none is removed',
    ],
  ])('%s', (_, vms, to, why) => {
    const role = new Looked([target('ATT = 60', { warm_up: 60 })], { cardinality: 4, max_vms: 100 });
    const looked = role.at(0, vms);
    expect(looked.to).toBe(to);
    expect(looked.why[0]).toBe(to === null ? why : 'scales from 4 to 6');
  });

  it('is not brought past by VMs that have no value yet, whatever they will say', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 8 }),
        fc.boolean(),
        (known, later, warm) => {
          const cardinality = known.length + later.length;
          const toOf = (vms: readonly MeasuredVm[]) =>
            new Looked([target('ATT = 60', { warm_up: 60 })], { cardinality, min_vms: 0, max_vms: 1_000 }).at(0, vms)
              .to ?? cardinality;
          const now = toOf([...att(...known), ...(warm ? young(later.length) : later.map(() => vm(undefined)))]);
          const then = toOf(att(...known, ...later));
          expect(now).toBeGreaterThanOrEqual(later.length === 0 ? then : cardinality);
          expect(now).toBeLessThanOrEqual(Math.max(then, cardinality));
        },
      ),
    );
  });

  it('and an average are bounded, however large values are', () => {
    const huge = '1e308';
    const role = new Looked([target('ATT = 0.001')], { cardinality: 2, max_vms: 1_000_000_000 });
    expect(role.at(0, att(huge, huge))).toMatchObject({ to: 2_000_000 });
    const above = new Looked([policy({ expression: 'ATT > 9e307 & sum(ATT) > 1e308' })]);
    expect(above.at(0, att(huge, huge))).toMatchObject({
      to: 3,
      decision: { why: expect.not.stringContaining('Infinity') },
    });
    expect(new Looked([policy({ expression: 'ATT = 0' })]).at(0, att(huge, `-${huge}`, huge, `-${huge}`)).to).toBe(3);
  });

  it('of what nobody knows changes nothing', () => {
    expect(new Looked([target('CPU = 60')]).at(0, att(60))).toMatchObject({ verdicts: ['unknown'], to: null });
  });

  it('goes by the largest wish of its window when it takes VMs, and by the smallest when it adds', () => {
    const down = new Looked([target('ATT = 60', { stabilization: 100 })], { cardinality: 10, max_vms: 50 });
    down.at(0, att(60));
    for (const [at, value] of [
      [50, 30],
      [60, 42],
      [90, 6],
    ] as const)
      down.at(at, att(value));
    expect(down.at(120, att(12)).to).toBe(7);
    const up = new Looked([target('ATT = 60', { stabilization: 100 })], { cardinality: 10, max_vms: 50 });
    up.at(0, att(60));
    for (const [at, value] of [
      [50, 90],
      [60, 72],
      [90, 300],
    ] as const)
      up.at(at, att(value));
    expect(up.at(120, att(120)).to).toBe(12);
  });
});

describe('whatever policies, values and limits there are,', () => {
  const anyPolicy = fc.oneof(
    fc
      .record({
        type: fc.constantFrom('CHANGE', 'CARDINALITY', 'PERCENTAGE_CHANGE'),
        adjust: fc.integer({ min: -30, max: 30 }),
        expression: fc.constantFrom('ATT > 50', 'ATT <= 50', 'CPU > 5', '!(ATT = 1 | CPU > 5)'),
        period_number: fc.integer({ min: 0, max: 2 }),
        stabilization: fc.constantFrom(0, 30),
        max_adjust_step: fc.integer({ min: 1, max: 40 }),
      })
      .map(policy),
    fc.constantFrom(target('ATT = 40'), target('max(CPU) = 40')),
  );
  const values = fc.array(fc.constantFrom<unknown>(5, 45, 60, 1_000, undefined, 'text'), { maxLength: 4 });
  const anyRole = fc.record({
    policies: fc.array(anyPolicy, { minLength: 1, maxLength: 4 }),
    cardinality: fc.integer({ min: 0, max: 20 }),
    min_vms: fc.integer({ min: 0, max: 6 }),
    more: fc.integer({ min: 0, max: 9 }),
    looks: fc.array(values, { minLength: 1, maxLength: 4 }),
  });

  it('a decision stays within the limits, and raises nothing above max_vms', () => {
    fc.assert(
      fc.property(anyRole, ({ policies, cardinality, min_vms, more, looks }) => {
        const max_vms = min_vms + more;
        const role = new Looked(policies, { cardinality, min_vms, max_vms });
        looks.forEach((all, at) => {
          const { decision } = role.at(at * 10, att(...all));
          if (!decision) return;
          expect(decision.from).toBe(cardinality);
          expect(decision.to).not.toBe(cardinality);
          expect(decision.to).toBeGreaterThanOrEqual(min_vms);
          expect(decision.to).toBeLessThanOrEqual(max_vms);
        });
      }),
    );
  });

  it('a role of which nothing is known is held, unless it has fewer than min_vms', () => {
    fc.assert(
      fc.property(anyRole, fc.constantFrom('none', 'text', 'stale'), ({ policies, cardinality, min_vms }, kind) => {
        const sample = kind === 'stale' ? { at: new Date(start - 61_000), CPU: 99 } : null;
        const vms = [vm(kind === 'text' ? 'text' : undefined, { sample })];
        const role = new Looked(policies, { cardinality: cardinality + min_vms, min_vms, max_vms: 99 });
        for (const at of [0, 10, 20]) expect(role.at(at, vms).decision).toBeNull();
      }),
    );
  });

  it('an out-decision beats an in-decision', () => {
    fc.assert(
      fc.property(anyRole, ({ policies, cardinality, looks }) => {
        const limits = { cardinality, min_vms: 0, max_vms: 1_000 };
        const all = new Looked(policies, limits);
        const each = policies.map((one) => new Looked([one], limits));
        looks.forEach((values, at) => {
          const vms = att(...values);
          const { to } = all.at(at * 10, vms);
          const wishes = each.map((one) => one.at(at * 10, vms).to).filter((wish) => wish !== null);
          const outs = wishes.filter((wish) => wish > cardinality);
          expect(to).toBe(wishes.length === 0 ? null : Math.max(...(outs.length > 0 ? outs : wishes)));
        });
      }),
    );
  });
});
