import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HostSnapshot, type PlacementWish, planPlacement } from '../../../domain/placement/placement.js';
import type { Capacity } from '../../../schemas/common/capacity.js';
import { HostState } from '../../../schemas/hosts/host.js';

const capacity = (cores: number, memory: number): Capacity => ({ cpu: cores * 100, memory });
const host = (id: number, free: Capacity, more: Partial<HostSnapshot> = {}): HostSnapshot => ({
  id,
  name: `host-${id}`,
  state: 'MONITORED',
  free,
  total: free,
  vms: 0,
  ...more,
});
const wish = (vm: number, cores: number, memory: number, avoid: number[] = []): PlacementWish => ({
  vm,
  capacity: capacity(cores, memory),
  avoid,
});
const reasonFor = (hosts: HostSnapshot[], needs: PlacementWish) => planPlacement(hosts, [needs]).unplaced[0]?.reason;

const anyCapacity = fc.record({ cpu: fc.integer({ min: 1, max: 800 }), memory: fc.integer({ min: 1, max: 8192 }) });
const anyHosts = fc
  .array(
    fc.record({
      state: fc.constantFrom<HostState>('MONITORED', 'MONITORED', ...HostState.options),
      free: anyCapacity,
      vms: fc.integer({ min: 0, max: 5 }),
    }),
    { maxLength: 6 },
  )
  .map((hosts) => hosts.map(({ free, ...rest }, id) => host(id, free, rest)));
const anyWishes = fc
  .array(fc.record({ capacity: anyCapacity, avoid: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 2 }) }), {
    maxLength: 30,
  })
  .map((wishes) => wishes.map((one, vm) => ({ ...one, vm })));

describe('a plan of placement', () => {
  it('spreads VMs over the hosts with the fewest of them', () => {
    const hosts = [host(0, capacity(8, 8192), { vms: 2 }), host(1, capacity(8, 8192)), host(2, capacity(8, 8192))];
    const { placed } = planPlacement(
      hosts,
      [1, 2, 3, 4, 5].map((vm) => wish(vm, 1, 512)),
    );
    expect(placed.map(({ host }) => host)).toEqual([1, 2, 1, 2, 0]);
  });

  it('prefers the freest host among those with equally many VMs', () => {
    const hosts = [host(0, capacity(4, 8192)), host(1, capacity(8, 4096)), host(2, capacity(8, 8192))];
    expect(planPlacement(hosts, [wish(7, 1, 512)]).placed).toMatchObject([{ vm: 7, host: 2 }]);
  });

  it('takes an avoided host only when no other fits', () => {
    const hosts = [host(0, capacity(8, 8192)), host(1, capacity(2, 8192), { vms: 9 })];
    expect(planPlacement(hosts, [wish(1, 1, 512, [0])]).placed).toMatchObject([{ vm: 1, host: 1 }]);
    expect(planPlacement(hosts, [wish(1, 4, 512, [0])]).placed).toMatchObject([{ vm: 1, host: 0 }]);
  });

  it('keeps within free capacity, places each VM once or says why not, on enabled hosts only', () => {
    fc.assert(
      fc.property(anyHosts, anyWishes, (hosts, wishes) => {
        const { placed, unplaced } = planPlacement(hosts, wishes);
        const answered = [...placed, ...unplaced].map(({ vm }) => vm).sort((a, b) => a - b);
        expect(answered).toEqual(wishes.map(({ vm }) => vm));
        for (const { id, state, free } of hosts) {
          const here = placed.filter(({ host }) => host === id).map(({ vm }) => wishes[vm]?.capacity);
          const taken = (size: keyof Capacity) => here.reduce((sum, one) => sum + (one?.[size] ?? 0), 0);
          expect(taken('cpu')).toBeLessThanOrEqual(free.cpu);
          expect(taken('memory')).toBeLessThanOrEqual(free.memory);
          if (state !== 'MONITORED') expect(here).toEqual([]);
        }
      }),
    );
  });

  it('leaves a VM out only when it fits nowhere beside those placed before it', () => {
    fc.assert(
      fc.property(anyHosts, anyWishes, (hosts, wishes) => {
        const { placed, unplaced } = planPlacement(hosts, wishes);
        for (const { vm } of unplaced) {
          const needs = wishes[vm]?.capacity;
          const fits = hosts.filter(({ id, state, free }) => {
            const before = placed
              .filter((one) => one.host === id && one.vm < vm)
              .map((one) => wishes[one.vm]?.capacity);
            const left = (size: keyof Capacity) => before.reduce((sum, one) => sum - (one?.[size] ?? 0), free[size]);
            return needs && state === 'MONITORED' && needs.cpu <= left('cpu') && needs.memory <= left('memory');
          });
          expect(fits).toEqual([]);
        }
      }),
    );
  });

  it('is the same for the same hosts in any order, and changes none of them', () => {
    fc.assert(
      fc.property(anyHosts, anyWishes, (hosts, wishes) => {
        const before = structuredClone(hosts);
        const { placed } = planPlacement(hosts, wishes);
        expect(hosts).toEqual(before);
        expect(planPlacement([...hosts].reverse(), wishes).placed).toEqual(placed);
      }),
    );
  });

  it('fills a hundred hosts with a thousand VMs evenly', () => {
    const hosts = Array.from({ length: 100 }, (_, id) => host(id, capacity(10, 10_240)));
    const { placed, unplaced } = planPlacement(
      hosts,
      Array.from({ length: 1001 }, (_, vm) => wish(vm, 1, 1024)),
    );
    expect(placed).toHaveLength(1000);
    expect(unplaced).toEqual([{ vm: 1000, reason: expect.stringContaining('100 enabled hosts') }]);
    for (const { id } of hosts) expect(placed.filter((one) => one.host === id)).toHaveLength(10);
  });
});

describe('the reason of a VM that fits nowhere', () => {
  const small = [host(0, capacity(2, 1024)), host(1, capacity(1, 4096)), host(2, capacity(0.5, 512))];

  it.each([
    ['CPU is short', wish(1, 4, 512), 'needs 4 CPU; the freest of 3 enabled hosts has 2'],
    ['memory is short', wish(1, 1, 8192), 'needs 8192 MB of memory; the freest of 3 enabled hosts has 4096'],
    [
      'both are short',
      wish(1, 4, 8192),
      'needs 4 CPU and 8192 MB of memory on one host; of 3 enabled hosts the freest has 2 CPU, the one with most memory 4096 MB',
    ],
    [
      'no host has both',
      wish(1, 2, 2048),
      'needs 2 CPU and 2048 MB of memory on one host; of 3 enabled hosts the freest has 2 CPU, the one with most memory 4096 MB',
    ],
  ])('says so when %s', (_, needs, reason) => {
    expect(reasonFor(small, needs)).toBe(reason);
  });

  it('counts what VMs of the same plan have taken', () => {
    const { unplaced } = planPlacement([host(0, capacity(2, 4096))], [wish(1, 1.5, 512), wish(2, 1, 512)]);
    expect(unplaced).toEqual([{ vm: 2, reason: 'needs 1 CPU; the one enabled host has 0.5' }]);
  });

  it('says that there is no host, or none enabled', () => {
    expect(reasonFor([], wish(1, 1, 1))).toBe('no host is registered');
    const off = (id: number, state: HostState) => host(id, capacity(8, 8192), { state });
    expect(reasonFor([off(0, 'DISABLED'), off(1, 'ERROR'), off(2, 'DISABLED')], wish(1, 1, 1))).toBe(
      'none of 3 hosts takes VMs: 2 are disabled, 1 does not answer (ERROR)',
    );
    expect(reasonFor([off(0, 'OFFLINE')], wish(1, 1, 1))).toBe('the only host takes no VMs: it is offline');
  });

  it('calls a host that owes capacity full, not negative', () => {
    expect(reasonFor([host(0, { cpu: -50, memory: 10 })], wish(1, 1, 1))).toBe(
      'needs 1 CPU; the one enabled host has 0',
    );
  });
});
