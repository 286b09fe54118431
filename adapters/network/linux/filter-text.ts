import type { AddressSpan, Allowed, NicFilter } from '../../../schemas/networks/nic-filter.js';
import type { RuleProtocol } from '../../../schemas/networks/rule-protocol.js';

/** What is said of a packet that answers one which was allowed: Linux’s mark of it, but for the one bit nobody’s business. */
const answers = '0x40000000';
const others = '0xbfffffff';

/** A bridge as its chains know it: what goes to its own MAC is for the host itself, and is as ever. */
export type BridgeFacts = { name: string; mac: string; index: number };

/** Which filter of a NIC it is. */
export type FilterVersion = { epoch: number; revision: number };

const directions = ['from', 'to', 'guard'] as const;

/** Of its chains: `one-3-0.5.2.to`. Who replaces a filter names the one that it has seen: where that is there no more, nothing is done. */
const chainOf = (device: string, { epoch, revision }: FilterVersion, direction: (typeof directions)[number]): string =>
  `${device}.${epoch}.${revision}.${direction}`;

const chainName = /^(?<device>o[a-z0-9-]+)\.(?<epoch>\d+)\.(?<revision>\d+)\.to$/;

export function versionIn(chain: string): (FilterVersion & { device: string }) | null {
  const { device, epoch, revision } = chainName.exec(chain)?.groups ?? {};
  return device === undefined ? null : { device, epoch: Number(epoch), revision: Number(revision) };
}

/**
 * What all filters need, whether it is there or not. Bridged packets have connections in `inet` chains alone; a mark tells the `bridge` ones.
 * Each bridge is a zone: networks that have the same addresses have not each other's connections.
 */
export const groundText = ({ name, mac, index }: BridgeFacts): string => `
add table inet arcus
add map inet arcus zones { type ifname : verdict; }
add map inet arcus marks { type ifname : verdict; }
add chain inet arcus arriving { type filter hook prerouting priority -300; policy accept; }
flush chain inet arcus arriving
add rule inet arcus arriving iifname vmap @zones
add chain inet arcus answering { type filter hook prerouting priority -150; policy accept; }
flush chain inet arcus answering
add rule inet arcus answering iifname vmap @marks
add chain inet arcus zone-${name}
flush chain inet arcus zone-${name}
add rule inet arcus zone-${name} ether daddr != ${mac} ct zone set ${zoneOf(index)}
add element inet arcus zones { "${name}" : jump zone-${name} }
add chain inet arcus mark-${name}
flush chain inet arcus mark-${name}
add rule inet arcus mark-${name} meta mark set meta mark & ${others}
add rule inet arcus mark-${name} ether daddr != ${mac} ct state established,related meta mark set meta mark | ${answers}
add element inet arcus marks { "${name}" : jump mark-${name} }
add table bridge arcus
add map bridge arcus from { type ifname : verdict; }
add map bridge arcus to { type ifname : verdict; }
add map bridge arcus guard { type ifname : verdict; }
add chain bridge arcus refused
flush chain bridge arcus refused
add rule bridge arcus refused drop
add chain bridge arcus arriving { type filter hook prerouting priority -350; policy accept; }
flush chain bridge arcus arriving
add rule bridge arcus arriving iifname vmap @guard
add chain bridge arcus passing { type filter hook forward priority 0; policy accept; }
flush chain bridge arcus passing
add rule bridge arcus passing iifname vmap @from
add rule bridge arcus passing oifname vmap @to
`;

/** A zone has 16 bits, and 0 is everybody else's. */
const zoneOf = (index: number): number => (index % 65_535) + 1;

/** Of a filter that has been seen; the whole is refused when it is there no more. */
export const removalText = (device: string, seen: FilterVersion): string =>
  [
    ...directions.map((direction) => `delete element bridge arcus ${direction} { "${device}" }`),
    ...directions.map((direction) => `delete chain bridge arcus ${chainOf(device, seen, direction)}`),
    '',
  ].join('\n');

/** Of one that stays as it is, under another epoch. */
export const renameText = (device: string, seen: FilterVersion, to: FilterVersion): string =>
  directions
    .map((one) => `rename chain bridge arcus ${chainOf(device, seen, one)} ${chainOf(device, to, one)}\n`)
    .join('');

/** Refused where the NIC has one. */
export const additionText = (device: string, version: FilterVersion, filter: NicFilter): string =>
  directions
    .flatMap((direction) => {
      const chain = chainOf(device, version, direction);
      return [
        `add chain bridge arcus ${chain}`,
        ...linesOf(direction, filter).map((line) => `add rule bridge arcus ${chain} ${line}`),
        `create element bridge arcus ${direction} { "${device}" : jump ${chain} }`,
      ];
    })
    .join('\n')
    .concat('\n');

/** Refused while any NIC has a filter: its chains go to `refused`. */
export const clearanceText = 'delete chain bridge arcus refused\ndelete table bridge arcus\ndelete table inet arcus\n';

function linesOf(direction: (typeof directions)[number], filter: NicFilter): string[] {
  if (direction === 'guard') return guardLines(filter);
  const inbound = direction === 'to';
  return [
    `meta mark & ${answers} == ${answers} return`,
    // Without these nobody finds anybody.
    'ether type arp return',
    `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, ${inbound ? 'nd-router-advert, mld-listener-query' : 'nd-router-solicit, mld-listener-report, mld2-listener-report'} } return`,
    ...(inbound ? filter.inbound : filter.outbound).flatMap((allowed) => allowedLines(allowed, inbound)),
    'goto refused',
  ];
}

/** A guest that has no address yet sends as none. */
function guardLines({ mac, ips }: NicFilter): string[] {
  const none = (addresses: readonly string[], own: string): string => `{ ${[own, ...addresses].join(', ')} }`;
  return [
    ...(mac === null ? [] : [`ether saddr != ${mac} drop`, `arp saddr ether != ${mac} drop`]),
    ...(ips === null
      ? []
      : [
          `ip saddr != ${none(ips.ip4, '0.0.0.0')} drop`,
          `arp saddr ip != ${none(ips.ip4, '0.0.0.0')} drop`,
          `ip6 saddr != ${none(ips.ip6, '::')} drop`,
        ]),
    // Behind a tag any address could be.
    ...(mac === null && ips === null ? [] : ['ether type { vlan, 8021ad } drop']),
  ];
}

const matches: Readonly<Record<RuleProtocol, string>> = {
  ALL: '',
  TCP: 'meta l4proto tcp',
  UDP: 'meta l4proto udp',
  ICMP: 'meta l4proto icmp',
  ICMPV6: 'meta l4proto ipv6-icmp',
  IPSEC: 'meta l4proto { esp, ah }',
};

function allowedLines({ protocol, ports, icmpType, peers }: Allowed, inbound: boolean): string[] {
  const what = [matches[protocol], detailOf(protocol, ports, icmpType)].filter((words) => words !== '').join(' ');
  if (peers === null) return [`${what} return`.trim()];
  const end = inbound ? 'saddr' : 'daddr';
  const among = (family: string, spans: readonly AddressSpan[]): string[] =>
    // One by one: in a set no two may meet, as those of people do.
    spans.map(({ first, last }) =>
      [`${family} ${end} ${spanText(first, last)}`, what, 'return'].join(' ').replace('  ', ' '),
    );
  return [...among('ip', peers.ip4), ...among('ip6', peers.ip6)];
}

const spanText = (first: string | number, last: string | number): string =>
  first === last ? `${first}` : `${first}-${last}`;

function detailOf(protocol: RuleProtocol, ports: Allowed['ports'], icmpType: number | null): string {
  switch (protocol) {
    case 'TCP':
    case 'UDP': {
      if (ports === null) return '';
      return `th dport { ${merged(ports)
        .map(({ first, last }) => spanText(first, last))
        .join(', ')} }`;
    }
    case 'ICMP':
      return icmpType === null ? '' : `icmp type ${icmpType}`;
    case 'ICMPV6':
      return icmpType === null ? '' : `icmpv6 type ${icmpType}`;
    case 'ALL':
    case 'IPSEC':
      return '';
  }
}

/** Spans of a set may not meet. */
function merged(spans: readonly { first: number; last: number }[]): { first: number; last: number }[] {
  const whole: { first: number; last: number }[] = [];
  for (const { first, last } of [...spans].sort((one, other) => one.first - other.first)) {
    const before = whole.at(-1);
    if (before && first <= before.last + 1) before.last = Math.max(before.last, last);
    else whole.push({ first, last });
  }
  return whole;
}
