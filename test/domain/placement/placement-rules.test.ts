import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateRank, judge } from '../../../domain/expressions/evaluate.js';
import { parseRank, parseRequirement } from '../../../domain/expressions/parse.js';
import { attributeOf } from '../../../domain/hosts/host-attributes.js';
import {
  explainPlacement,
  type HostSnapshot,
  type PlacementSettings,
  type PlacementWish,
  planPlacement,
} from '../../../domain/placement/placement.js';
import { placementText } from '../../../domain/placement/placement-text.js';
import type { Sibling } from '../../../domain/placement/placement-ties.js';
import { tiesIn } from '../../../domain/services/role-placement.js';
import type { Attributes } from '../../../schemas/hosts/cluster.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { checkServiceTemplate } from '../services/check-service-template.js';

const host = (id: number, more: Partial<HostSnapshot> = {}): HostSnapshot => ({
  id,
  name: `host-${id}`,
  state: 'MONITORED',
  free: { cpu: 800, memory: 8192 },
  total: { cpu: 800, memory: 8192 },
  vms: 0,
  vm_mad: 'simulated',
  cluster: { id: 0, name: 'default' },
  attributes: {},
  ...more,
});
const wish = (vm: number, more: Partial<PlacementWish> = {}): PlacementWish => ({
  vm,
  capacity: { cpu: 100, memory: 512 },
  ...more,
});
const chosen = (hosts: HostSnapshot[], wishes: PlacementWish[], settings?: PlacementSettings) =>
  planPlacement(hosts, wishes, settings).placed.map((placed) => placed.host);
const reasonFor = (hosts: HostSnapshot[], needs: PlacementWish) => planPlacement(hosts, [needs]).unplaced[0]?.reason;

const mixed = [
  host(1, { cluster: { id: 100, name: 'production' }, attributes: { RACK: 'a', PRIORITY: 2, HYPERVISOR: 'kvm' } }),
  host(2, { vms: 3, free: { cpu: 500, memory: 4096 }, attributes: { RACK: 'b', PRIORITY: 5 } }),
  host(3, { vms: 1, free: { cpu: 700, memory: 7168 } }),
];

describe('requirements', () => {
  it.each([
    ['CLUSTER_ID = 100', 1],
    ['CLUSTER = "prod*"', 1],
    ['"CLUSTERS/ID" @> 100', 1],
    ['HYPERVISOR = kvm', 1],
    ['HYPERVISOR = simulated & RACK = b', 2],
    ['RACK = "[bc]"', 2],
    ['ID = 3', 3],
    ['NAME = "host-3"', 3],
    ['RUNNING_VMS > 2', 2],
    ['FREE_CPU < 600', 2],
    ['FREE_MEMORY < 4194305', 2],
    ['"TEMPLATE/RACK" = b', 2],
    ['HOST_SHARE = 1 | MAX_CPU = 800 & USED_CPU = 100', 3],
    ['rack = "a"', 1],
  ])('%s leads to host %d', (requirements, id) => {
    expect(chosen(mixed, [wish(1, { requirements })])).toEqual([id]);
  });

  it('are asked again of a host that has taken VMs since', () => {
    const one = [host(1)];
    const wishes = [1, 2, 3].map((vm) => wish(vm, { requirements: 'FREE_CPU > 600' }));
    expect(planPlacement(one, wishes)).toMatchObject({
      placed: [{ vm: 1 }, { vm: 2 }],
      unplaced: [{ vm: 3, reason: 'the one enabled host will not do: host 1: FREE_CPU > 600 is false (it is 600)' }],
    });
  });

  it.each([
    [
      'CLUSTER_ID = 100',
      wish(1, { capacity: { cpu: 900, memory: 512 } }),
      'none of 3 enabled hosts will do: hosts 2 and 3: CLUSTER_ID = 100 is false (it is 0); host 1: 9 CPU needed (8 free)',
    ],
    ['MISSING != 1', wish(1), 'none of 3 enabled hosts will do: hosts 1, 2 and 3 have no attribute MISSING'],
    [
      'RACK = "c"',
      wish(1),
      'none of 3 enabled hosts will do: hosts 1 and 2: RACK = "c" is false; host 3 has no attribute RACK',
    ],
    [
      'RACK =',
      wish(1),
      expect.stringMatching(
        /^none of 3 enabled hosts will do: hosts 1, 2 and 3: SCHED_REQUIREMENTS cannot be read, line 1, column 7: expected/,
      ),
    ],
  ])('%s that no host meets are told of by host', (requirements, needs, reason) => {
    expect(reasonFor(mixed, { ...needs, requirements })).toEqual(reason);
  });

  it('group many hosts under one reason', () => {
    const many = Array.from({ length: 30 }, (_, id) => host(id, { state: id === 29 ? 'DISABLED' : 'MONITORED' }));
    expect(reasonFor(many, wish(1, { requirements: 'CLUSTER_ID = 100' }))).toBe(
      'none of 29 enabled hosts will do: hosts 0, 1, 2 and 26 more: CLUSTER_ID = 100 is false (it is 0)',
    );
    const { candidates, refused } = explainPlacement(many, wish(1, { requirements: 'ID = 7' }));
    expect({ candidates, refused }).toEqual({
      candidates: 1,
      refused: [
        { reason: 'ID = 7 is false', hosts: [0, 1, 2, 3, 4, 5, 6, 8, 9, 10], more: 18 },
        { reason: 'is DISABLED', hosts: [29], more: 0 },
      ],
    });
  });
});

describe('ranks and policies', () => {
  it.each<[string, PlacementSettings, string | undefined, number]>([
    ['stripe takes the host with fewest VMs', { policy: 'stripe' }, undefined, 1],
    ['pack takes the host with most VMs', { policy: 'pack' }, undefined, 2],
    ['load_aware takes the host with most free CPU', { policy: 'load_aware' }, undefined, 1],
    ['fixed takes the host with the highest PRIORITY', { policy: 'fixed' }, undefined, 2],
    ['custom goes by its expression', { policy: 'custom', rank: '-FREE_CPU' }, undefined, 2],
    ['a VM’s own rank wins', { policy: 'pack' }, 'ID', 3],
    ['a rank of what is missing counts 0, so that the fewest VMs decide', { policy: 'pack' }, 'MISSING', 1],
    ['a rank that cannot be read is left out', { policy: 'pack' }, '1 +', 2],
  ])('%s', (_, settings, rank, id) => {
    expect(chosen(mixed, [wish(1, { rank })], settings)).toEqual([id]);
  });

  it('follow what the plan itself has placed', () => {
    const two = [host(1), host(2)];
    const five = [1, 2, 3, 4, 5].map((vm) => wish(vm));
    expect(chosen(two, five, { policy: 'pack' })).toEqual([1, 1, 1, 1, 1]);
    expect(chosen(two, five, { policy: 'load_aware' })).toEqual([1, 2, 1, 2, 1]);
    expect(
      chosen(
        two,
        five.map((one) => ({ ...one, rank: '- RUNNING_VMS' })),
      ),
    ).toEqual([1, 2, 1, 2, 1]);
  });

  it('limit what a host takes in one pass, and count what it has taken before', () => {
    const two = [host(1), host(2)];
    const plan = planPlacement(
      two,
      [1, 2, 3, 4].map((vm) => wish(vm)),
      { policy: 'stripe', perHost: 2 },
      { taken: new Map([[2, 1]]) },
    );
    expect(plan).toMatchObject({
      placed: [{ host: 1 }, { host: 2 }, { host: 1 }],
      unplaced: [
        {
          vm: 4,
          reason: 'none of 2 enabled hosts will do: hosts 1 and 2 have taken 2 VMs in this pass, as many as it may',
        },
      ],
    });
  });

  it('are recorded with the candidates and what excluded the others, and told in words', () => {
    const [placed] = planPlacement(mixed, [wish(34, { requirements: 'ID > 1', rank: 'FREE_CPU' })]).placed;
    expect(placed).toEqual({
      vm: 34,
      host: 3,
      record: {
        rank_by: 'SCHED_RANK FREE_CPU',
        rank: 700,
        candidates: 2,
        hosts: 3,
        others: [{ host: 2, rank: 500 }],
        refused: [{ reason: 'ID > 1 is false (it is 1)', hosts: [1], more: 0 }],
      },
    });
    const facts = {
      vm: { _id: 34, name: 'test', state: 'ACTIVE' },
      isOver: false,
      hosts: 0,
      candidates: 0,
      refused: [],
    };
    expect(placementText({ ...facts, host: { id: 3, name: 'host-3' }, record: placed?.record ?? null })).toBe(
      'VM 34 (test) is on host 3 (host-3), chosen of 2 that could take it, of 3 hosts, by SCHED_RANK FREE_CPU. When the first VM of its kind was placed in that pass, its rank was 700; the best of the others: host 2 with 500. Host 1: ID > 1 is false (it is 1).',
    );
    const alone = { ...facts, host: { id: 1, name: 'host-1' }, ...explainPlacement([], wish(34)) };
    const record = { rank_by: 'stripe', rank: 0, candidates: 1, hosts: 1, others: [], refused: [] };
    expect(placementText({ ...alone, record })).toBe('VM 34 (test) is on host 1 (host-1), the only host there was.');
    expect(placementText({ ...alone, record: { ...record, hosts: 2 } })).toBe(
      'VM 34 (test) is on host 1 (host-1), the only one of 2 hosts that could take it.',
    );
    expect(
      placementText({
        ...facts,
        host: null,
        record: null,
        hosts: 1,
        ...explainPlacement([host(1)], wish(34, { requirements: 'ID = 2' })),
      }),
    ).toBe('VM 34 (test) has no host: none of 1 host will do. Host 1: ID = 2 is false (it is 1).');
  });
});

const template = (...roles: object[]) =>
  ServiceTemplateBody.parse({ name: 'shop', roles: roles.map((role) => ({ vm_template: 0, ...role })) });
const tied = (body: ServiceTemplateBody, role: string) => {
  const ties = tiesIn(body.roles)(role);
  return ties ? { ...ties, service: 12, role } : undefined;
};

describe('rules between roles', () => {
  it('hold both ways, and those that are together with one are together', () => {
    const { roles } = template(
      { name: 'a', placement: { affinity: ['b'], anti_affinity: ['d'] } },
      { name: 'b' },
      { name: 'c', placement: { affinity: ['b'] } },
      { name: 'd', placement: { hosts: 'spread' } },
      { name: 'e' },
    );
    expect(Object.fromEntries(roles.map(({ name }) => [name, tiesIn(roles)(name)]))).toEqual({
      a: { together: ['a', 'b', 'c'], apart: ['d'] },
      b: { together: ['a', 'b', 'c'], apart: [] },
      c: { together: ['a', 'b', 'c'], apart: [] },
      d: { hosts: 'spread', together: [], apart: ['a'] },
      e: undefined,
    });
  });

  it.each([
    [
      'roles that do not exist',
      [{ name: 'a', placement: { affinity: ['x'], anti_affinity: ['a', 'y'] } }],
      [
        { pointer: '/roles/0/placement/affinity/0', detail: 'no role is called "x"' },
        { pointer: '/roles/0/placement/anti_affinity/1', detail: 'no role is called "y"' },
      ],
    ],
    [
      'roles that are to be together and apart',
      [
        { name: 'a', placement: { affinity: ['b'] } },
        { name: 'b', placement: { anti_affinity: ['a'] } },
      ],
      [
        {
          pointer: '/roles/1/placement/anti_affinity/0',
          detail: 'b and a are to be apart, but affinity puts a, b on one host',
        },
      ],
    ],
    [
      'a spread over one host',
      [{ name: 'a', placement: { hosts: 'spread', affinity: ['a'] } }],
      [{ pointer: '/roles/0/placement/hosts', detail: 'is spread, but affinity puts a on one host' }],
    ],
    [
      'VMs that are alone and packed',
      [{ name: 'a', placement: { hosts: 'pack', anti_affinity: ['a'] } }],
      [
        {
          pointer: '/roles/0/placement/hosts',
          detail: 'is pack, but anti_affinity with itself puts each VM of a on a host of its own',
        },
      ],
    ],
    [
      'requirements that cannot be read',
      [{ name: 'a', vm_template_contents: 'SCHED_REQUIREMENTS="RACK ="' }],
      [
        {
          pointer: '/roles/0/vm_template_contents',
          detail: expect.stringMatching(/^SCHED_REQUIREMENTS, line 1, column 7: expected/),
        },
      ],
    ],
  ])('refuse %s', (_, roles, findings) => {
    expect(checkServiceTemplate(template(...roles))).toEqual(findings);
  });

  it('spread VMs of a role over hosts whatever else is there, or pack them', () => {
    const busy = [host(1, { vms: 7 }), host(2), host(3)];
    const four = (hosts: 'spread' | 'pack') => {
      const body = template({ name: 'web', placement: { hosts } });
      return [1, 2, 3, 4].map((vm) => wish(vm, { tied: tied(body, 'web') }));
    };
    expect(chosen(busy, four('spread'))).toEqual([2, 3, 1, 2]);
    expect(chosen(busy, four('pack'))).toEqual([2, 2, 2, 2]);
  });

  it('look for a host that has room for all that are to be together, and say where the others are', () => {
    const body = template({ name: 'web', placement: { affinity: ['web'] } });
    const hosts = [
      host(1, { free: { cpu: 100, memory: 8192 } }),
      host(2, { vms: 5, free: { cpu: 200, memory: 8192 } }),
    ];
    const two = [1, 2].map((vm) => wish(vm, { tied: tied(body, 'web') }));
    expect(chosen(hosts, two)).toEqual([2, 2]);
    const siblings = [{ service: 12, role: 'web', host: 1 }];
    expect(planPlacement(hosts, two, undefined, { siblings })).toMatchObject({
      placed: [{ host: 1 }],
      unplaced: [
        {
          reason:
            'none of 2 enabled hosts will do: host 1: 1 CPU needed (0 free); host 2: VMs of role web are together, on host 1',
        },
      ],
    });
  });

  describe('of VMs whose host has failed', () => {
    const body = template(
      { name: 'web', placement: { affinity: ['db'], anti_affinity: ['log'] } },
      { name: 'db' },
      { name: 'log' },
    );
    const was = (role: string, isLost = true) => ({ service: 12, role, host: 1, isLost });
    const of = (vm: number, role: string) => wish(vm, { tied: tied(body, role) });

    it('bind nobody to it when they are lost, and keep off those that are apart', () => {
      const lost = [was('web'), was('web'), was('db')];
      const all = [of(1, 'web'), of(2, 'db'), of(3, 'web')];
      const places = (hosts: HostSnapshot[], wishes: PlacementWish[], siblings: Sibling[]) =>
        planPlacement(hosts, wishes, undefined, { siblings }).placed.map(({ host: on }) => on);
      expect(places([host(1, { state: 'ERROR' }), host(2), host(3)], all, lost)).toEqual([2, 2, 2]);
      // Where some are already is where the others go, though the host of those that are lost is back.
      const one = { service: 12, role: 'web', host: 3 };
      expect(places([host(1), host(2), host(3)], all, [...lost, one])).toEqual([3, 3, 3]);
      expect(places([host(1)], [of(4, 'log')], lost)).toEqual([]);
    });

    it.each([
      ['ERROR', 'host 1 that does not answer and may still run it: arcus host offline 1, once that is gone for good'],
      ['OFFLINE', 'host 1 that is OFFLINE: arcus host enable 1'],
      ['DISABLED', 'host 1 that is DISABLED: arcus host enable 1'],
      ['INIT', 'host 1 that takes no VMs before it has been looked at'],
    ] as const)('bind the others as long as they may run, and say what helps: %s', (state, where) => {
      const hosts = [host(1, { state }), host(2)];
      const siblings = [was('web', false), was('web')];
      const text = `role db is together with role web, which is on ${where}`;
      expect(planPlacement(hosts, [of(2, 'db')], undefined, { siblings }).unplaced).toEqual([
        { vm: 2, reason: `the one enabled host will not do: host 2: ${text}` },
      ]);
      expect(explainPlacement(hosts, of(2, 'db'), { siblings }).refused).toContainEqual({
        reason: text,
        hosts: [2],
        more: 0,
      });
    });
  });

  describe('of VMs that are to be together', () => {
    const body = template(
      { name: 'web', placement: { affinity: ['db'] } },
      { name: 'db' },
      { name: 'log', placement: { anti_affinity: ['db'] } },
    );
    const of = (vm: number, role: string, more: Partial<PlacementWish> = {}) =>
      wish(vm, { tied: tied(body, role), ...more });
    const seventy = Array.from({ length: 70 }, (_, vm) => of(vm, vm < 35 ? 'web' : 'db'));
    const large = { cpu: 7_000, memory: 70 * 512 };

    it('bind none to a host that cannot take all, and say what all need', () => {
      const { placed, unplaced } = planPlacement([host(1), host(2, { free: { ...large, cpu: 6_999 } })], seventy);
      expect(placed).toEqual([]);
      expect(new Set(unplaced.map(({ reason }) => reason))).toEqual(
        new Set([
          'one of 70 VMs that are to be on one host: that needs 70 CPU; the freest of 2 enabled hosts has 69.99',
        ]),
      );
      const { candidates, refused } = explainPlacement([host(1), host(2)], of(1, 'web'), { waiting: seventy });
      expect({ candidates, refused }).toEqual({
        candidates: 0,
        refused: [
          {
            reason: '70 CPU and 35840 MB needed by 70 VMs that are to be together (8 CPU and 8192 MB free)',
            hosts: [1, 2],
            more: 0,
          },
        ],
      });
    });

    it('count those, too, that another step places, or whose turn it is not', () => {
      const few = seventy.slice(0, 5);
      const hosts = [host(1), host(2, { free: large, vms: 9 })];
      expect(chosen(hosts, few)).toEqual([1, 1, 1, 1, 1]);
      expect(planPlacement(hosts, few, undefined, { waiting: seventy }).placed.map(({ host: id }) => id)).toEqual([
        2, 2, 2, 2, 2,
      ]);
    });

    it('keep room for the others, whoever comes in between', () => {
      const hosts = [host(1, { free: { cpu: 300, memory: 8192 } })];
      const two = [of(1, 'web'), of(2, 'db')];
      const between = [wish(3), wish(4)];
      const plan = planPlacement(
        hosts,
        [two[0], ...between, two[1]].flatMap((one) => one ?? []),
      );
      expect(plan).toMatchObject({
        placed: [{ vm: 1 }, { vm: 3 }, { vm: 2 }],
        unplaced: [{ vm: 4, reason: 'needs 1 CPU; the one enabled host has 0' }],
      });
    });

    it('keep out those who are apart from one that is to come', () => {
      const two = [host(1), host(2, { vms: 1, free: { cpu: 100, memory: 512 } })];
      const wishes = [of(1, 'web'), of(2, 'log'), of(3, 'db'), of(4, 'log')];
      expect(planPlacement(two, wishes)).toMatchObject({
        placed: [
          { vm: 1, host: 1 },
          { vm: 2, host: 2 },
          { vm: 3, host: 1 },
        ],
        unplaced: [{ vm: 4, reason: expect.stringContaining('host 1: role log is apart from role db, which has') }],
      });
      const [, ...one] = planPlacement(two.slice(0, 1), wishes.slice(0, 2)).unplaced;
      expect(one).toEqual([]);
      expect(
        planPlacement(two.slice(0, 1), wishes.slice(0, 2), undefined, { waiting: wishes }).unplaced[0]?.reason,
      ).toContain('role log is apart from role db, which is to have a VM there');
    });

    it('look for a host to which all may go, by requirements and by who is apart', () => {
      const hosts = [
        host(1, { attributes: { RACK: 'a' } }),
        host(2, { vms: 1, attributes: { RACK: 'a', DISK: 'ssd' } }),
        host(3, { vms: 2, attributes: { RACK: 'a', DISK: 'ssd' } }),
      ];
      const group = [of(1, 'web', { requirements: 'RACK = a' }), of(2, 'db', { requirements: 'DISK = ssd' })];
      expect(chosen(hosts, group)).toEqual([2, 2]);
      const siblings = [{ service: 12, role: 'log', host: 2 }];
      expect(planPlacement(hosts, group, undefined, { siblings }).placed.map(({ host: id }) => id)).toEqual([3, 3]);
      expect(planPlacement(hosts.slice(0, 2), group, undefined, { siblings }).unplaced[0]?.reason).toBe(
        'none of 2 enabled hosts will do: host 1 has no attribute DISK, for one of 2 VMs that are to be together; host 2: one of 2 VMs that are to be together is apart from a role that has a VM there',
      );
    });
  });

  const anyTemplate = fc
    .record({
      web: fc.constantFrom('spread', 'pack', undefined),
      apart: fc.subarray(['web', 'db']),
      together: fc.constantFrom<string[]>([], ['cache'], ['web', 'cache']),
    })
    .map(({ web, apart, together }) =>
      template(
        { name: 'web', placement: { ...(web && { hosts: web }), anti_affinity: apart } },
        { name: 'db', placement: { affinity: together.filter((name) => name !== 'web') } },
        { name: 'cache', placement: { affinity: together.includes('web') ? ['cache'] : [] } },
      ),
    )
    .filter((body) => checkServiceTemplate(body).length === 0);
  const anyHosts = fc
    .array(
      fc.record({
        cpu: fc.integer({ min: 0, max: 1_000 }),
        vms: fc.integer({ min: 0, max: 5 }),
        cluster: fc.constantFrom(0, 100),
        state: fc.constantFrom('MONITORED' as const, 'MONITORED' as const, 'DISABLED' as const),
        attributes: fc.constantFrom<Attributes>({}, { RACK: 'a' }, { RACK: 'b', PRIORITY: 3 }),
      }),
      { maxLength: 7 },
    )
    .map((hosts) =>
      hosts.map(({ cpu, cluster, ...rest }, id) =>
        host(id, { ...rest, free: { cpu, memory: 8192 }, cluster: { id: cluster, name: String(cluster) } }),
      ),
    );
  const anyWishes = fc.array(
    fc.record({
      cpu: fc.integer({ min: 1, max: 300 }),
      role: fc.constantFrom('web', 'db', 'cache', null),
      requirements: fc.constantFrom(
        undefined,
        'CLUSTER_ID = 100',
        'RACK != a',
        'FREE_CPU > 200 | RACK = b & !(ID = 1)',
      ),
      rank: fc.constantFrom(undefined, 'FREE_CPU', 'PRIORITY - RUNNING_VMS'),
    }),
    { maxLength: 25 },
  );
  const anySettings = fc.record({
    policy: fc.constantFrom('stripe' as const, 'pack' as const, 'load_aware' as const, 'fixed' as const),
    perHost: fc.constantFrom(undefined, 1, 3),
  });

  it('are kept with capacity, requirements, limits and ranks, in every plan, which is the same for the same', () => {
    fc.assert(
      fc.property(anyTemplate, anyHosts, anyWishes, anySettings, (body, hosts, drawn, settings) => {
        const wishes = drawn.map(({ cpu, role, requirements, rank }, vm) =>
          wish(vm, {
            capacity: { cpu, memory: 64 },
            requirements,
            rank,
            tied: role === null ? undefined : tied(body, role),
          }),
        );
        const before = structuredClone(hosts);
        const plan = planPlacement(hosts, wishes, settings);
        expect(hosts).toEqual(before);
        expect(planPlacement(hosts.toReversed(), wishes, settings).placed.map(({ vm, host }) => [vm, host])).toEqual(
          plan.placed.map(({ vm, host }) => [vm, host]),
        );
        expect(plan.placed.length + plan.unplaced.length).toBe(wishes.length);
        // Played again, one VM after the other.
        const now = new Map(hosts.map((one) => [one.id, { ...one, free: { ...one.free }, taken: 0 }]));
        const rolesOn = new Map<number, string[]>();
        const places = new Map(plan.placed.map(({ vm, host }) => [vm, host]));
        for (const [at, { vm, capacity, requirements = '', rank, tied: ties }] of wishes.entries()) {
          const there = now.get(places.get(vm) ?? -1);
          if (!there) continue;
          expect(there.state).toBe('MONITORED');
          expect(there.free.cpu).toBeGreaterThanOrEqual(capacity.cpu);
          expect(there.taken).toBeLessThan(settings.perHost ?? Number.POSITIVE_INFINITY);
          const parsed = parseRequirement(requirements);
          expect(parsed.ok && judge(parsed.value, (name) => attributeOf(there, name)).verdict).toBe(true);
          if (rank !== undefined && ties === undefined) {
            const value = parseRank(rank);
            const rankOf = (one: HostSnapshot) =>
              value.ok ? evaluateRank(value.value, (name) => attributeOf(one, name)) : 0;
            for (const other of now.values()) {
              // It may keep room for those that are together with one that is there, also when they come in another pass.
              const group = wishes.filter(({ tied: theirs }) => theirs?.together.length);
              const isTheirs = group.some(({ vm: member }) => places.get(member) === other.id);
              const kept = wishes
                .slice(at)
                .filter((later) => isTheirs && group.includes(later) && (places.get(later.vm) ?? other.id) === other.id)
                .reduce((sum, later) => sum + later.capacity.cpu, 0);
              const could =
                other.state === 'MONITORED' &&
                other.free.cpu - kept >= capacity.cpu &&
                other.taken < (settings.perHost ?? Number.POSITIVE_INFINITY) &&
                parsed.ok &&
                judge(parsed.value, (name) => attributeOf(other, name)).verdict === true;
              if (could) expect(rankOf(there)).toBeGreaterThanOrEqual(rankOf(other));
            }
          }
          if (ties) {
            const here = rolesOn.get(there.id) ?? [];
            for (const other of ties.apart) expect(here).not.toContain(other);
            for (const [id, roles] of rolesOn)
              if (id !== there.id) for (const other of ties.together) expect(roles).not.toContain(other);
            rolesOn.set(there.id, [...here, ties.role]);
          }
          there.free.cpu -= capacity.cpu;
          there.free.memory -= capacity.memory;
          there.vms += 1;
          there.taken += 1;
        }
        // Where no limit and no requirement that moves is in the way, a group is placed as a whole or not at all.
        const grouped = wishes.filter(({ tied: ties }) => ties !== undefined && ties.together.length > 0);
        const isPlain = settings.perHost === undefined && grouped.every((one) => !one.requirements?.includes('FREE'));
        if (isPlain) expect([0, grouped.length]).toContain(grouped.filter(({ vm }) => places.has(vm)).length);
      }),
      { numRuns: 300 },
    );
  });

  it('spread a role evenly where every host has room', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        (busy, vms) => {
          const body = template({ name: 'web', placement: { hosts: 'spread' } });
          const hosts = busy.map((count, id) => host(id, { vms: count, free: { cpu: 100_000, memory: 1_000_000 } }));
          const where = chosen(
            hosts,
            Array.from({ length: vms }, (_, vm) => wish(vm, { tied: tied(body, 'web') })),
          );
          const counts = hosts.map(({ id }) => where.filter((one) => one === id).length);
          expect(where).toHaveLength(vms);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
