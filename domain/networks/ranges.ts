import { limits } from '../../schemas/common/limits.js';
import type { Address, AddressRange, AddressWish, NewRange } from '../../schemas/networks/addresses.js';
import type { Finding } from '../problems.js';
import { ip4Number, ip4Text, ip6Groups, ip6Text, macNumber, macOfIp4, macText, slaac } from './addresses.js';

type Span = { first: number; last: number };

const has = ({ type }: Pick<AddressRange, 'type'>) => ({
  ip4: type === 'IP4' || type === 'IP4_6',
  ip6: type === 'IP6' || type === 'IP4_6',
});

const macsOf = ({ mac, size }: Pick<AddressRange, 'mac' | 'size'>): Span => {
  const first = macNumber(mac);
  return { first, last: first + size - 1 };
};
const ip4sOf = ({ ip, size }: Pick<AddressRange, 'ip' | 'size'>): Span | null => {
  if (ip === undefined) return null;
  const first = ip4Number(ip);
  return { first, last: first + size - 1 };
};

/** The address with this number in a range, from 0. */
export function addressAt(range: AddressRange, index: number): Address {
  const mac = macText(macNumber(range.mac) + index);
  const { ip6 } = has(range);
  const under = (prefix: string | undefined): string | null => (prefix === undefined ? null : slaac(prefix, mac));
  return {
    mac,
    ip: range.ip === undefined ? null : ip4Text(ip4Number(range.ip) + index),
    ip6_link: ip6 ? slaac('fe80::', mac) : null,
    ip6_global: ip6 ? under(range.global_prefix) : null,
    ip6_ula: ip6 ? under(range.ula_prefix) : null,
  };
}

/** The number that an address has in a range; null: it is none of it. Where both are given, both have to be of one address. */
export function indexIn(range: AddressRange, { ip, mac, ar_id }: AddressWish): number | null {
  if (ar_id !== undefined && ar_id !== range.ar_id) return null;
  const within = (number: number, span: Span | null): number | null =>
    span && number >= span.first && number <= span.last ? number - span.first : null;
  const byIp = ip === undefined ? undefined : within(ip4Number(ip), ip4sOf(range));
  const byMac = mac === undefined ? undefined : within(macNumber(mac), macsOf(range));
  if (byIp !== undefined && byMac !== undefined) return byIp === byMac ? byIp : null;
  return byIp ?? byMac ?? null;
}

/** What is wrong with where a range ends or lies, as predicates by the field that says it. */
function faultsOf(range: Pick<AddressRange, 'type' | 'size' | 'mac' | 'ip'>): [field: string, fault: string][] {
  const macs = macsOf(range);
  const ip4s = ip4sOf(range);
  // The first byte says that a MAC is that of one card: it must not change on the way.
  const macsEnd = Math.floor(macs.last / 2 ** 40) !== Math.floor(macs.first / 2 ** 40);
  return [
    ...(macsEnd ? ([['mac', `has not ${range.size} addresses after it`]] as const) : []),
    ...(ip4s ? faultsOfIp4(ip4s, range.size) : []),
  ].map(([field, fault]) => [field, fault]);
}

/** What no guest can have for an address. */
const unusable = [
  { first: 0, last: ip4Number('0.255.255.255'), why: 'are of no network' },
  { first: ip4Number('127.0.0.0'), last: ip4Number('127.255.255.255'), why: 'are those of each machine itself' },
  { first: ip4Number('224.0.0.0'), last: 2 ** 32 - 1, why: 'are of many machines at once, or of none' },
] as const;

function faultsOfIp4(span: Span, size: number): ['ip', string][] {
  if (span.last >= 2 ** 32) return [['ip', `has not ${size} addresses after it`]];
  return unusable.flatMap(({ first, last, why }): ['ip', string][] =>
    span.first <= last && span.last >= first
      ? [
          [
            'ip',
            `leads to ${ip4Text(Math.max(first, span.first))}: from ${ip4Text(first)} to ${ip4Text(last)} addresses ${why}`,
          ],
        ]
      : [],
  );
}

/** What two ranges both have, as a sentence’s end; null: nothing. */
function shared(one: AddressRange, other: AddressRange): string | null {
  const both = (a: Span | null, b: Span | null): number | null =>
    a && b && a.first <= b.last && b.first <= a.last ? Math.max(a.first, b.first) : null;
  const ip = both(ip4sOf(one), ip4sOf(other));
  if (ip !== null) return `${ip4Text(ip)} is in range ${other.ar_id} already`;
  const mac = both(macsOf(one), macsOf(other));
  return mac === null ? null : `${macText(mac)} is in range ${other.ar_id} already`;
}

/** The first MAC of a range that nobody has said: OpenNebula's of its first address, or one that is drawn. `chance`: 0 to 1. */
const macOf = ({ ip }: { ip?: string | undefined }, chance: number): string =>
  ip === undefined ? macText(0x0200 * 2 ** 32 + Math.floor(chance * 2 ** 32)) : macOfIp4(ip);

/** A prefix as it is kept: its 64 bits. */
const prefixOf = (given: string): string => ip6Text([...ip6Groups(given).slice(0, 4), 0, 0, 0, 0]);

/** Draws are bounded: each meets a range of the network with a chance of less than one in ten. */
const draws = 20;

export type RangePlan = { range: AddressRange; findings: readonly [] } | { findings: readonly [Finding, ...Finding[]] };

/**
 * The range that a wish comes to, beside those that a network has; or what is wrong with it, by pointers below `under`. `chance`: draws 0 to 1.
 */
export function planRange(
  wish: NewRange,
  {
    ar_id,
    others,
    under,
    chance,
  }: { ar_id: number; others: readonly AddressRange[]; under: string; chance: () => number },
): RangePlan {
  const wrong = (field: string, detail: string): RangePlan => ({
    findings: [{ pointer: `${under}/${field}`, detail }],
  });
  const { ip, global_prefix, ula_prefix } = { ip: undefined, global_prefix: undefined, ula_prefix: undefined, ...wish };
  for (let draw = 0; ; draw += 1) {
    const range: AddressRange = {
      ...{ ar_id, type: wish.type, size: wish.size, mac: wish.mac ?? macOf({ ip }, chance()) },
      ...(ip !== undefined && { ip }),
      ...(global_prefix !== undefined && { global_prefix: prefixOf(global_prefix) }),
      ...(ula_prefix !== undefined && { ula_prefix: prefixOf(ula_prefix) }),
    };
    const isDrawn = wish.mac === undefined && ip === undefined;
    const [fault] = faultsOf(range);
    if (fault && !(isDrawn && draw < draws)) return wrong(...fault);
    if (fault) continue;
    const met = others.flatMap((other) => shared(range, other) ?? [])[0];
    if (met === undefined) return { range, findings: [] };
    if (!isDrawn || draw >= draws)
      return wrong(wish.mac === undefined && ip !== undefined ? 'ip' : 'mac', `meets another range: ${met}`);
  }
}

/** Those that wishes come to, one after the other, with ids from `next` on. */
export function planRanges(
  wishes: readonly NewRange[],
  {
    next,
    others,
    under,
    chance,
  }: { next: number; others: readonly AddressRange[]; under: string; chance: () => number },
): { ranges: AddressRange[]; findings: Finding[] } {
  const ranges: AddressRange[] = [];
  const findings: Finding[] = [];
  wishes.forEach((wish, at) => {
    const plan = planRange(wish, {
      ...{ ar_id: next + at, others: [...others, ...ranges], under: `${under}/${at}`, chance },
    });
    if ('range' in plan) ranges.push(plan.range);
    else findings.push(...plan.findings);
  });
  return { ranges, findings };
}

/** Why a range cannot have another size, whoever has its addresses; null: it can. */
export function resizeFault(range: AddressRange, size: number, others: readonly AddressRange[]): string | null {
  if (range.from) return 'is that of what was reserved: reserve more, or remove the range';
  const resized = { ...range, size };
  const [fault] = faultsOf(resized);
  if (fault) return `${fault[0]} ${fault[1]}`;
  return others.flatMap((other) => shared(resized, other) ?? [])[0] ?? null;
}

/** The range of a reservation that these addresses of another network make. */
export function reservedRange(
  range: AddressRange,
  { network, first, size, ar_id }: { network: number; first: number; size: number; ar_id: number },
): AddressRange {
  const { mac, ip } = addressAt(range, first);
  const { type, global_prefix, ula_prefix } = range;
  return {
    ...{ ar_id, type, size, mac },
    ...(ip !== null && { ip }),
    ...(global_prefix !== undefined && { global_prefix }),
    ...(ula_prefix !== undefined && { ula_prefix }),
    from: { network, ar_id: range.ar_id, first },
  };
}

/** Why a network may have no more ranges; null: it may. */
export const rangesFault = (count: number): string | null =>
  count > limits.addressRanges.most ? `a network has at most ${limits.addressRanges.most} ranges` : null;
