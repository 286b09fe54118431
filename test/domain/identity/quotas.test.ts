import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  added,
  amountIn,
  chargeOfService,
  chargeOfVm,
  effectiveLimit,
  exceeded,
  fromUnits,
  holdersOf,
  inUnits,
  limitsOf,
  negated,
  nothing,
  quotaProblem,
} from '../../../domain/identity/quotas.js';
import { type Limits, quotaKinds } from '../../../schemas/identity/amounts.js';
import { UpdateDefaultQuotas, UpdateQuota } from '../../../schemas/identity/quota.js';

const alice = { type: 'user', id: 2 } as const;
const all = (amount: number): Limits => limitsOf(() => amount);

describe('a limit', () => {
  it.each([
    ['its own', 5, 9, 5],
    ['none at all', 0, 9, 0],
    ['the default', -1, 9, 9],
    ['the default, which allows nothing', -1, 0, 0],
    ['the default, which is no limit', -1, -2, null],
    ['no limit, whatever the default', -2, 9, null],
  ])('is %s', (_what, own, byDefault, expected) => {
    expect(effectiveLimit(own, byDefault)).toBe(expected);
  });
});

describe('a charge', () => {
  it('of a VM is one VM and its capacity', () => {
    expect(chargeOfVm({ cpu: 150, memory: 512 })).toEqual({ services: 0, vms: 1, cpu: 150, memory: 512 });
  });

  it('of a service is one service and all that its roles will have', () => {
    const roles = [
      { cardinality: 2, capacity: { cpu: 50, memory: 128 } },
      { cardinality: 3, capacity: { cpu: 100, memory: 256 } },
      { cardinality: 0, capacity: { cpu: 6_400, memory: 1 } },
    ];
    expect(chargeOfService(roles)).toEqual({ services: 1, vms: 5, cpu: 400, memory: 1_024 });
  });

  it.each([
    ['user and group', { uid: 2, gid: 1 }, ['user 2', 'group 1']],
    ['the group of user 0', { uid: 0, gid: 1 }, ['group 1']],
    ['a user in group 0', { uid: 2, gid: 0 }, ['user 2']],
    ['nobody for oneadmin', { uid: 0, gid: 0 }, []],
  ])('goes to %s, the user first', (_whom, owner, expected) => {
    expect(holdersOf(owner).map(({ type, id }) => `${type} ${id}`)).toEqual(expected);
  });

  it.each([
    ['what fits exactly', 10, 6, 4, null],
    ['one too many', 10, 7, 4, 'services'],
    ['anything where none is allowed', 0, 0, 1, 'services'],
    ['more of what is beyond its limit already', 3, 5, 1, 'services'],
    ['nothing of what is beyond its limit already', 3, 5, 0, null],
    ['anything without a limit', -2, 5_000, 1_000, null],
  ])('of %s: limit %d, used %d, asked %d', (_what, limit, used, asked, expected) => {
    const found = exceeded(alice, { limits: all(limit), used: all(used) }, all(-2), all(asked));
    expect(found?.quota ?? null).toBe(expected);
  });

  it('is never refused to user 0 and group 0', () => {
    for (const type of ['user', 'group'] as const)
      expect(exceeded({ type, id: 0 }, { limits: all(0), used: nothing }, all(0), all(1))).toBeNull();
  });

  it('is allowed where, and only where, no quota is exceeded by it', () => {
    const natural = fc.integer({ min: 0, max: 20 });
    const limit = fc.integer({ min: -2, max: 20 });
    const amounts = (one: fc.Arbitrary<number>) =>
      fc.record({ services: one, vms: one, cpu: one, memory: one, images: one, storage: one, leases: one });
    fc.assert(
      fc.property(
        amounts(limit),
        amounts(limit),
        amounts(natural),
        amounts(natural),
        (limits, byDefault, used, asked) => {
          const found = exceeded(alice, { limits, used }, byDefault, asked);
          const over = quotaKinds.filter((kind) => {
            const holds = limits[kind] === -1 ? byDefault[kind] : limits[kind];
            return holds >= 0 && asked[kind] > 0 && used[kind] + asked[kind] > holds;
          });
          expect(found?.quota).toBe(over[0]);
        },
      ),
    );
  });

  it('given back leaves exactly what was there before', () => {
    const ofVms = { services: fc.nat(), vms: fc.nat(), cpu: fc.nat(), memory: fc.nat() };
    // What is charged for no image, or was by an earlier version, says nothing of images.
    const amounts = fc.record(
      {
        ...ofVms,
        images: fc.nat(),
        storage: fc.nat(),
        leases: fc.nat(),
        on: fc.dictionary(fc.constantFrom('network/1/leases', 'image/2/rvms', 'datastore/1/size'), fc.nat()),
      },
      { requiredKeys: ['services', 'vms', 'cpu', 'memory'] },
    );
    fc.assert(
      fc.property(amounts, amounts, (one, other) => {
        const back = added(added(one, other), negated(other));
        for (const kind of quotaKinds) expect(amountIn(back, kind)).toBe(amountIn(one, kind));
      }),
    );
  });
});

describe('a refusal', () => {
  it('names the quota, whose it is, its limit, what is used and what was asked', () => {
    const limits = { ...all(-1), cpu: 250 };
    const found = exceeded(
      alice,
      { limits, used: { ...nothing, cpu: 100 } },
      all(-2),
      chargeOfVm({ cpu: 175, memory: 1 }),
    );
    expect(found).toEqual({ quota: 'cpu', holder: alice, limit: 2.5, used: 1, asked: 1.75 });
    const problem = found && quotaProblem(found, 'alice');
    expect(problem?.message).toBe(
      'The quota of user 2 (alice) on CPU is 2.5 cores: 1 core in use, and this takes 1.75 cores more.',
    );
    expect(problem).toMatchObject({ code: 'quota_exceeded', quota: found });
  });
});

describe('limits as people give them', () => {
  it('of CPU are in hundredths of a core, there and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (hundredths) => {
        const cores = inUnits('cpu', hundredths);
        expect(UpdateQuota.safeParse({ cpu: cores }).success).toBe(true);
        expect(fromUnits('cpu', cores)).toBe(hundredths);
      }),
    );
    for (const word of [-1, -2]) expect(fromUnits('cpu', inUnits('cpu', word))).toBe(word);
  });

  it.each([
    [{ vms: -3 }, 'must be at least 0'],
    [{ vms: 1.5 }, 'must be a whole number'],
    [{ cpu: -0.5 }, 'must be at least 0'],
    [{ cpu: 0.125 }, 'hundredths'],
    [{ memory: '4' }, 'must be a whole number'],
    [{ disk: 4 }, 'disk'],
  ])('are refused: %j', (limits, why) => {
    const parsed = UpdateQuota.safeParse(limits);
    expect(parsed.error?.issues[0]?.message).toContain(why);
  });

  it('cannot make a default of the default', () => {
    expect(UpdateDefaultQuotas.safeParse({ users: { vms: -1 } }).success).toBe(false);
    expect(UpdateDefaultQuotas.safeParse({ users: { vms: -2 } }).success).toBe(true);
  });
});
