import type { AddressRange } from '../../schemas/networks/addresses.js';
import type { AddressSpan, Allowed, NicFilter } from '../../schemas/networks/nic-filter.js';
import { portsIn, type SecurityGroup, type SecurityRule } from '../../schemas/networks/security-group.js';
import { ip4Number, ip4Text, ip6Groups, ip6Text, slaac } from './addresses.js';

/** A NIC as its filter has to know it. `guards`: what its guest may not send as somebody else. */
export type FilteredNic = {
  mac: string;
  ips: readonly (string | null)[];
  guards: { mac: boolean; ip: boolean };
};

type Group = Pick<SecurityGroup, 'rules' | 'revision'>;

/**
 * What passes of a NIC of these groups. What one of them lets pass passes. `rangesOf`: the address ranges of a network that a rule names; one that is not there
 * has none, and nobody is in it. The revision rises with that of each group.
 */
export function nicFilter(
  groups: readonly Group[],
  { mac, ips, guards }: FilteredNic,
  rangesOf: (network: number) => readonly AddressRange[],
): NicFilter {
  const allowed = (type: SecurityRule['rule_type']): Allowed[] =>
    groups.flatMap(({ rules }) =>
      rules.filter(({ rule_type }) => rule_type === type).map((rule) => allowedBy(rule, rangesOf)),
    );
  const its = ips.flatMap((ip) => ip ?? []);
  return {
    revision: groups.reduce((sum, { revision }) => sum + revision, 0),
    inbound: allowed('inbound'),
    outbound: allowed('outbound'),
    mac: guards.mac ? mac : null,
    ips: guards.ip
      ? {
          ip4: its.filter((ip) => !ip.includes(':')),
          // The address that it gives itself on its own wire.
          ip6: [...new Set([slaac('fe80::', mac), ...its.filter((ip) => ip.includes(':'))])],
        }
      : null,
  };
}

function allowedBy(rule: SecurityRule, rangesOf: (network: number) => readonly AddressRange[]): Allowed {
  const { protocol, range, icmp_type, ip, size, network_id } = rule;
  return {
    protocol,
    ports: range === undefined ? null : portsIn(range),
    icmpType: icmp_type ?? null,
    peers:
      network_id !== undefined ? peersOf(rangesOf(network_id)) : ip !== undefined ? addressesFrom(ip, size ?? 1) : null,
  };
}

type Peers = NonNullable<Allowed['peers']>;

const addressesFrom = (ip: string, size: number): Peers =>
  ip.includes(':')
    ? { ip4: [], ip6: [{ first: ip6Text(ip6Groups(ip)), last: ip6Text(plus(ip6Groups(ip), size - 1)) }] }
    : { ip4: [span4(ip, size)], ip6: [] };

/** None goes beyond the last address there is. */
const span4 = (first: string, size: number): AddressSpan => ({
  first,
  last: ip4Text(Math.min(ip4Number(first) + size - 1, 2 ** 32 - 1)),
});

/** Groups of an IPv6 address, and so many more. */
function plus(groups: readonly number[], more: number): number[] {
  let carry = more;
  const sum = groups.toReversed().map((group) => {
    const whole = group + carry;
    carry = Math.floor(whole / 65_536);
    return whole % 65_536;
  });
  return carry > 0 ? groups.map(() => 65_535) : sum.toReversed();
}

/** Of IPv6, whoever is under the prefixes of a network: each gives itself its address there. */
function peersOf(ranges: readonly AddressRange[]): Peers {
  const prefixes = ranges.flatMap(({ global_prefix, ula_prefix }) => [global_prefix ?? [], ula_prefix ?? []].flat());
  return {
    ip4: ranges.flatMap(({ ip, size }) => (ip === undefined ? [] : [span4(ip, size)])),
    ip6: [...new Set(prefixes)].map((prefix) => ({
      first: prefix,
      last: ip6Text([...ip6Groups(prefix).slice(0, 4), 65_535, 65_535, 65_535, 65_535]),
    })),
  };
}
