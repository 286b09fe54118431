import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FilteredNic, nicFilter } from '../../../domain/networks/nic-filter.js';
import { groupIdsIn, groupsOfNic, guardsOf } from '../../../domain/networks/security-groups.js';
import type { Allowed, NicFilter } from '../../../schemas/networks/nic-filter.js';
import { RuleProtocol } from '../../../schemas/networks/rule-protocol.js';
import { portsIn, SecurityRule } from '../../../schemas/networks/security-group.js';

const nic: FilteredNic = {
  ...{ mac: '02:00:0a:00:00:05', ips: ['10.0.0.5', null, '2001:db8::5'] },
  guards: { mac: false, ip: false },
};
const noNetworks = () => [];
const filter = (rules: SecurityRule[], change: Partial<FilteredNic> = {}): NicFilter =>
  nicFilter([{ rules, revision: 1 }], { ...nic, ...change }, noNetworks);

type Packet = { protocol: RuleProtocol; port: number; type: number; peer: string };

const number4 = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** Whether a rule means a packet, as OpenNebula's documentation has it. */
function means(rule: SecurityRule, { protocol, port, type, peer }: Packet): boolean {
  if (rule.protocol !== 'ALL' && rule.protocol !== protocol) return false;
  if (
    rule.range !== undefined &&
    !rule.range.split(',').some((part) => {
      const [first, last = first] = part.split(':').map(Number);
      return port >= (first ?? 0) && port <= (last ?? 0);
    })
  )
    return false;
  if (rule.icmp_type !== undefined && rule.icmp_type !== type) return false;
  if (rule.ip === undefined) return true;
  const from = number4(peer) - number4(rule.ip);
  return from >= 0 && from < (rule.size ?? 0);
}

/** Whether what was made of the rules lets it pass. */
const passes = (allowed: readonly Allowed[], { protocol, port, type, peer }: Packet): boolean =>
  allowed.some(
    (one) =>
      (one.protocol === 'ALL' || one.protocol === protocol) &&
      (one.ports === null || one.ports.some(({ first, last }) => port >= first && port <= last)) &&
      (one.icmpType === null || one.icmpType === type) &&
      (one.peers === null ||
        one.peers.ip4.some(({ first, last }) => number4(first) <= number4(peer) && number4(peer) <= number4(last))),
  );

const port = fc.integer({ min: 0, max: 12 });
const range = fc
  .array(fc.tuple(port, port), { minLength: 1, maxLength: 3 })
  .map((spans) => spans.map(([a, b]) => (a === b ? `${a}` : `${Math.min(a, b)}:${Math.max(a, b)}`)).join(','));
const peer = fc.integer({ min: 0, max: 5 }).map((last) => `10.0.0.${last}`);
const rule: fc.Arbitrary<SecurityRule> = fc
  .record({
    protocol: fc.constantFrom(...RuleProtocol.options),
    rule_type: fc.constantFrom('inbound' as const, 'outbound' as const),
    range: fc.option(range, { nil: undefined }),
    icmp_type: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    at: fc.option(fc.record({ ip: peer, size: fc.integer({ min: 1, max: 3 }) }), { nil: undefined }),
  })
  .map(({ protocol, rule_type, range: ports, icmp_type, at }) => ({
    ...{ protocol, rule_type },
    ...(ports !== undefined && (protocol === 'TCP' || protocol === 'UDP') && { range: ports }),
    ...(icmp_type !== undefined && (protocol === 'ICMP' || protocol === 'ICMPV6') && { icmp_type }),
    ...at,
  }));
const packet: fc.Arbitrary<Packet> = fc.record({
  protocol: fc.constantFrom(...RuleProtocol.options.filter((one) => one !== 'ALL')),
  ...{ port, type: fc.integer({ min: 0, max: 3 }), peer },
});

describe('what passes of a NIC', () => {
  it('is what one of the rules of its groups means, and nothing else, of each protocol', () => {
    const group = fc.record({ rules: fc.array(rule, { maxLength: 4 }), revision: fc.nat(9) });
    fc.assert(
      fc.property(
        fc.array(group, { maxLength: 3 }),
        fc.array(packet, { minLength: 20, maxLength: 20 }),
        (groups, packets) => {
          for (const { rules } of groups)
            for (const one of rules) expect(SecurityRule.safeParse(one).success).toBe(true);
          const made = nicFilter(groups, nic, noNetworks);
          for (const one of packets)
            for (const type of ['inbound', 'outbound'] as const)
              expect(passes(made[type], one)).toBe(
                groups.some(({ rules }) => rules.some((its) => its.rule_type === type && means(its, one))),
              );
        },
      ),
    );
  });

  it('is nothing without rules, and nobody of a network that is not there', () => {
    expect(filter([])).toMatchObject({ inbound: [], outbound: [] });
    expect(filter([{ protocol: 'ALL', rule_type: 'inbound', network_id: 7 }]).inbound).toEqual([
      { protocol: 'ALL', ports: null, icmpType: null, peers: { ip4: [], ip6: [] } },
    ]);
  });

  it('is of who has an address of a network that a rule names', () => {
    const ranges = [
      { ar_id: 0, type: 'IP4_6', size: 10, mac: '02:00:00:00:00:01', ip: '10.0.1.250', global_prefix: '2001:db8::' },
      { ar_id: 1, type: 'ETHER', size: 10, mac: '02:00:00:00:01:01' },
    ] as const;
    const rules: SecurityRule[] = [{ protocol: 'TCP', rule_type: 'inbound', range: '22', network_id: 7 }];
    const made = nicFilter([{ rules, revision: 1 }], nic, (id) => (id === 7 ? ranges : []));
    expect(made.inbound[0]?.peers).toEqual({
      ip4: [{ first: '10.0.1.250', last: '10.0.2.3' }],
      ip6: [{ first: '2001:db8::', last: '2001:db8::ffff:ffff:ffff:ffff' }],
    });
  });

  it.each([
    ['10.0.0.250', 10, { ip4: [{ first: '10.0.0.250', last: '10.0.1.3' }], ip6: [] }],
    ['255.255.255.250', 10, { ip4: [{ first: '255.255.255.250', last: '255.255.255.255' }], ip6: [] }],
    ['2001:db8::fff0', 32, { ip4: [], ip6: [{ first: '2001:db8::fff0', last: '2001:db8::1:f' }] }],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0', 32, { ip6: [{ last: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' }] }],
  ])('is of addresses from %s on', (ip, size, peers) => {
    expect(filter([{ protocol: 'ALL', rule_type: 'outbound', ip, size }]).outbound).toMatchObject([{ peers }]);
  });

  it('is sent as itself alone, where its network says so', () => {
    expect(filter([])).toMatchObject({ mac: null, ips: null });
    const guards = guardsOf({ FILTER_MAC_SPOOFING: 'yes', FILTER_IP_SPOOFING: 'YES' });
    expect(filter([], { guards })).toMatchObject({
      mac: nic.mac,
      ips: { ip4: ['10.0.0.5'], ip6: ['fe80::aff:fe00:5', '2001:db8::5'] },
    });
    expect(guardsOf({ FILTER_IP_SPOOFING: 'NO' })).toEqual({ mac: false, ip: false });
  });

  it('is of a later revision after each change of a group', () => {
    const revisions = fc.array(fc.nat(50), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(revisions, fc.nat(4), (some, at) => {
        const of = (all: readonly number[]) =>
          nicFilter(
            all.map((revision) => ({ rules: [], revision })),
            nic,
            noNetworks,
          ).revision;
        const changed = some.map((revision, place) => (place === at % some.length ? revision + 1 : revision));
        expect(of(changed)).toBeGreaterThan(of(some));
      }),
    );
  });
});

describe('security groups', () => {
  it.each([
    ['1,101', [1, 101]],
    [' 101 , 1, 101,', [101, 1]],
    ['', []],
    ['web', null],
    ['1;2', null],
    ['-1', null],
    [Array.from({ length: 17 }, (_, id) => id).join(','), null],
  ])('named as %j are %j', (text, ids) => {
    expect(groupIdsIn(text)).toEqual(ids);
  });
  it('of a NIC are its network’s and its own, or the default one', () => {
    expect(groupsOfNic([], {})).toEqual([0]);
    expect(groupsOfNic([100], {})).toEqual([100]);
    expect(groupsOfNic([100, 101], { SECURITY_GROUPS: '101,102' })).toEqual([101, 102, 100]);
  });
});

describe('a rule', () => {
  const faults = (rule: object) =>
    SecurityRule.safeParse({ protocol: 'TCP', rule_type: 'inbound', ...rule }).error?.issues.map(({ path }) =>
      path.join('/'),
    );
  it.each([
    ['ports of ICMP', { protocol: 'ICMP', range: '80' }, ['range']],
    ['a type of TCP', { icmp_type: 8 }, ['icmp_type']],
    ['an address without a size', { ip: '10.0.0.1' }, ['size']],
    ['a size without an address', { size: 4 }, ['ip']],
    ['an address and a network', { ip: '10.0.0.1', size: 4, network_id: 0 }, ['network_id']],
    ['ports that are none', { range: '80-90' }, ['range']],
    ['what is no address', { ip: 'here', size: 1 }, ['ip']],
  ])('is refused with %s', (_, rule, where) => {
    expect(faults(rule)).toEqual(where);
  });
  it.each([
    ['22', [{ first: 22, last: 22 }]],
    [
      '22,80:90',
      [
        { first: 22, last: 22 },
        { first: 80, last: 90 },
      ],
    ],
    ['90:80', null],
    ['65536', null],
    ['1:2:3', null],
    ['', null],
    ['22,', null],
  ])('reads %j as ports %j', (text, ports) => {
    expect(portsIn(text)).toEqual(ports);
  });
});
