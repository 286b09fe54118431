import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atOnce } from '../../../domain/bit-by-bit.js';
import { explainPlacement, type HostSnapshot } from '../../../domain/placement/placement.js';
import { createQueue, planTurns, type Waiting } from '../../../domain/placement/placement-turns.js';

const host = (id: number, cpu: number, memory = 100_000): HostSnapshot => ({
  ...{ id, name: `host-${id}`, state: 'MONITORED', vms: 0 },
  ...{ free: { cpu, memory }, total: { cpu, memory } },
});
const waiting = (vm: number, owner: number, cpu: number, more: Partial<Waiting> = {}): Waiting => ({
  ...{ vm, owner, service: null, since: vm, capacity: { cpu, memory: 1 } },
  ...more,
});
const turnsOf = (hosts: readonly HostSnapshot[], all: readonly Waiting[], served?: Record<string, number>) => {
  const queue = createQueue();
  for (const one of all) queue.add(one);
  return atOnce(planTurns(hosts, queue, undefined, { served: new Map(Object.entries(served ?? {})) }));
};
const many = (from: number, count: number, make: (vm: number) => Waiting): Waiting[] =>
  Array.from({ length: count }, (_, at) => make(from + at));
const placedOf = (...given: Parameters<typeof turnsOf>): number[] => turnsOf(...given).placed.map(({ vm }) => vm);

const wishes = [
  undefined,
  'CLUSTER_ID = 7',
  // What others take makes these true: they are looked at again in the same pass.
  'RUNNING_VMS > 1',
  'FREE_CPU < 150',
];
const anyWaiting = fc
  .array(
    fc.record({
      owner: fc.integer({ min: 2, max: 5 }),
      service: fc.option(fc.integer({ min: 0, max: 2 })),
      cpu: fc.constantFrom(50, 100, 300, 100_000),
      requirements: fc.constantFrom(...wishes),
      since: fc.integer({ min: 0, max: 20 }),
    }),
    { maxLength: 40 },
  )
  .map((all) =>
    all.map(({ cpu, service, ...one }, vm) =>
      waiting(vm, one.owner, cpu, { ...one, service: service === null ? null : one.owner * 10 + service }),
    ),
  );
const anyHosts = fc
  .array(fc.constantFrom(0, 50, 100, 250, 400), { maxLength: 5 })
  .map((free) => free.map((cpu, id) => host(id, cpu)));

describe('those that wait', () => {
  it('get a host while any that is left would take them, whoever else waits', () => {
    fc.assert(
      fc.property(anyHosts, anyWaiting, (hosts, all) => {
        const { placed } = turnsOf(hosts, all);
        const got = new Map(placed.map(({ vm, host: at }) => [vm, at]));
        expect(got.size).toBe(placed.length);
        const left = hosts.map((one) => {
          const its = all.filter(({ vm }) => got.get(vm) === one.id);
          const cpu = one.free.cpu - its.reduce((sum, { capacity }) => sum + capacity.cpu, 0);
          expect(cpu).toBeGreaterThanOrEqual(0);
          return { ...one, free: { ...one.free, cpu, memory: one.free.memory - its.length }, vms: its.length };
        });
        for (const one of all)
          if (!got.has(one.vm)) expect(explainPlacement(left, one).candidates, `VM ${one.vm} waits`).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('are placed whatever order they are read in, each reason told once for all that ask for the same', () => {
    fc.assert(
      fc.property(anyHosts, anyWaiting, (hosts, all) => {
        // Of equal age, whoever is read first comes first.
        const distinct = all.map((one, at) => ({ ...one, since: one.since * 100 + at }));
        const [forth, back] = [turnsOf(hosts, distinct), turnsOf(hosts, distinct.toReversed())];
        expect(back.placed).toEqual(forth.placed);
        expect(new Set(back.reasons.values())).toEqual(new Set(forth.reasons.values()));
      }),
    );
  });

  it('of two owners get hosts alternately, however many of one wait, and for however long', () => {
    const all = [...many(0, 1_000, (vm) => waiting(vm, 2, 100)), ...many(1_000, 5, (vm) => waiting(vm, 3, 100))];
    const first = placedOf([host(0, 1_200)], all);
    expect(first).toEqual([0, 1_000, 1, 1_001, 2, 1_002, 3, 1_003, 4, 1_004, 5, 6]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 50 }), (room, others) => {
        const some = [...many(0, 50, (vm) => waiting(vm, 2, 100)), ...many(50, others, (vm) => waiting(vm, 3, 100))];
        const got = placedOf([host(0, room * 100)], some);
        expect(got).toHaveLength(Math.min(room, 50 + others));
        const ofOther = got.filter((vm) => vm >= 50).length;
        expect(ofOther).toBe(Math.min(others, Math.floor(room / 2)));
      }),
    );
  });

  it('begin with whoever had a turn longest ago, from one pass to the next', () => {
    const all = [...many(0, 100, (vm) => waiting(vm, 2, 100)), ...many(100, 100, (vm) => waiting(vm, 3, 100))];
    let left = all;
    const owners: number[] = [];
    const served: Record<string, number> = {};
    for (let pass = 1; pass <= 6; pass++) {
      // Room for one each time: without a memory the owner who came first would have it each time.
      const turns = turnsOf([host(0, 100)], left, served);
      for (const key of turns.served) served[key] = pass;
      const [vm = -1] = turns.placed.map((one) => one.vm);
      owners.push(left.find((one) => one.vm === vm)?.owner ?? -1);
      left = left.filter((one) => one.vm !== vm);
    }
    expect(owners).toEqual([2, 3, 2, 3, 2, 3]);
  });

  it('of several services of one owner take turns too, those of no service as one of them', () => {
    const all = [
      ...many(0, 10, (vm) => waiting(vm, 2, 100, { service: 1 })),
      ...many(10, 10, (vm) => waiting(vm, 2, 100, { service: 2 })),
      ...many(20, 10, (vm) => waiting(vm, 2, 100)),
    ];
    expect(placedOf([host(0, 700)], all)).toEqual([0, 10, 20, 1, 11, 21, 2]);
  });

  it('of an owner are passed over where no host takes them, and his turn is not lost by it', () => {
    const all = [
      ...many(0, 1_000, (vm) => waiting(vm, 2, 100_000)),
      ...many(1_000, 2, (vm) => waiting(vm, 2, 100)),
      ...many(2_000, 2, (vm) => waiting(vm, 3, 100)),
    ];
    const { placed, reasons } = turnsOf([host(0, 400)], all);
    expect(placed.map(({ vm }) => vm)).toEqual([1_000, 2_000, 1_001, 2_001]);
    expect([...reasons.values()]).toEqual(['needs 1000 CPU; the one enabled host has 0']);
  });

  it('come behind the others when they were offered a host and did not take it', () => {
    const all = [waiting(0, 2, 100, { since: 500 }), waiting(1, 2, 100), waiting(2, 2, 100)];
    expect(placedOf([host(0, 100)], all)).toEqual([1]);
  });

  it('cost one look at the hosts for each wish, and one for each that is placed', () => {
    const hosts = Array.from({ length: 50 }, (_, id) => host(id, 200));
    const looks = (groups: number, each: number): number => {
      let asked = 0;
      const attributes = new Proxy<Record<string, string>>(
        {},
        {
          getOwnPropertyDescriptor: () => {
            asked += 1;
            return undefined;
          },
        },
      );
      const counted = hosts.map((one) => ({ ...one, attributes }));
      const queue = createQueue();
      for (let vm = 0; vm < groups * each; vm++)
        queue.add(waiting(vm, 2 + (vm % 3), 100, { requirements: `RACK = "${vm % groups}"` }));
      atOnce(planTurns(counted, queue));
      return asked;
    };
    const few = looks(20, 1);
    expect(few).toBeGreaterThanOrEqual(20 * 50);
    // A hundred times as many VMs that ask for the same: not one look more.
    expect(looks(20, 100)).toBe(few);
    expect(looks(40, 10)).toBeLessThanOrEqual(2 * few);
  });
});
