import { Ip4 } from '../../schemas/common/ip4.js';
import { limits } from '../../schemas/common/limits.js';
import { Ip6Prefix } from '../../schemas/networks/addresses.js';
import type { NetworkAttributes } from '../../schemas/networks/network.js';
import type { Finding } from '../problems.js';
import { ip4Number } from './addresses.js';
import { groupIdsIn } from './security-groups.js';

type Check = (value: string) => string | null;

const isIPv4 = (value: string): boolean => Ip4.safeParse(value).success;
const isIPv6 = (value: string): boolean => Ip6Prefix.safeParse(value).success;
const ip4: Check = (value) => (isIPv4(value) ? null : 'must be an IPv4 address');
const ip6: Check = (value) => (isIPv6(value) ? null : 'must be an IPv6 address');
const words = (value: string): string[] => value.split(/\s/).filter((word) => word !== '');

const isPowerOfTwo = (number: number): boolean => Number.isInteger(Math.log2(number));

/** A mask is ones and then zeros: what is missing to all ones is one less than a power of two. */
function mask(value: string): string | null {
  if (!isIPv4(value)) return 'must be a mask such as 255.255.255.0';
  return isPowerOfTwo(2 ** 32 - ip4Number(value)) ? null : 'must be a mask: ones, and then zeros';
}

function mtu(value: string): string | null {
  const bytes = Number(value);
  return /^\d{1,5}$/.test(value) && bytes >= 68 && bytes <= 65_535
    ? null
    : 'must be a number of bytes from 68 to 65535';
}

const yesOrNo: Check = (value) => (/^(yes|no)$/i.test(value) ? null : 'must be YES or NO');

/** What guests are told of, or hosts go by, and so has to be what it says. Other attributes are whatever they are. */
const checks: Readonly<Record<string, Check>> = {
  NETWORK_ADDRESS: ip4,
  NETWORK_MASK: mask,
  GATEWAY: ip4,
  GATEWAY6: ip6,
  DNS: (value) =>
    words(value).every((word) => isIPv4(word) || isIPv6(word)) ? null : 'must be addresses, with blanks between them',
  GUEST_MTU: mtu,
  MTU: mtu,
  SECURITY_GROUPS: (value) =>
    groupIdsIn(value) ? null : `must be at most ${limits.securityGroups.most} ids of security groups, such as 0,100`,
  FILTER_MAC_SPOOFING: yesOrNo,
  FILTER_IP_SPOOFING: yesOrNo,
};

/** What is wrong with attributes, by pointers below `under`. What guests are told and is empty says nothing, and is right. */
export const attributeFindings = (attributes: NetworkAttributes, under: string): Finding[] =>
  Object.entries(attributes).flatMap(([name, value]) => {
    const fault = value === '' ? null : (checks[name]?.(value) ?? null);
    return fault === null ? [] : [{ pointer: `${under}/${name}`, detail: fault }];
  });
