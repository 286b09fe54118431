import { z } from 'zod';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { Ip4 } from '../common/ip4.js';
import { atMost, limits } from '../common/limits.js';
import { RangeSize } from './addresses.js';
import { RuleProtocol } from './rule-protocol.js';

const RuleType = z.enum(['inbound', 'outbound']).describe('inbound: to the guest; outbound: from it');

/** Ports as OpenNebula writes them, as spans; null: they are none. */
export function portsIn(text: string): { first: number; last: number }[] | null {
  const spans = text.split(',').map((part) => {
    const [first = '', last = first, ...more] = part.split(':');
    const isPort = (port: string): boolean => /^\d{1,5}$/.test(port) && Number(port) <= 65_535;
    if (more.length > 0 || !isPort(first) || !isPort(last) || Number(last) < Number(first)) return null;
    return { first: Number(first), last: Number(last) };
  });
  const found = spans.flatMap((span) => span ?? []);
  return found.length === spans.length ? found : null;
}

/** Whether what is wrong with it is that its spans go backwards. */
const isReversed = (text: string): boolean =>
  portsIn(
    text
      .split(',')
      .map((part) => part.split(':').reverse().join(':'))
      .join(','),
  ) !== null;

const shape = {
  protocol: RuleProtocol.describe('ALL: whatever it is; IPSEC: ESP and AH'),
  rule_type: RuleType,
  range: z
    .string()
    .max(limits.portRange.most, atMost('portRange'))
    .refine((text) => portsIn(text) !== null, {
      error: ({ input }) =>
        isReversed(String(input))
          ? 'has a span whose last port is before its first: 80:90, not 90:80'
          : 'must be ports from 0 to 65535, such as 22,53,80:90',
    })
    .optional()
    .describe('Ports of TCP and UDP, such as 22,53,80:90; absent: all'),
  icmp_type: z
    .int({ error: 'must be the number of a type, 0 to 255' })
    .min(0, 'must be the number of a type, 0 to 255')
    .max(255, 'must be the number of a type, 0 to 255')
    .optional()
    .describe('Of ICMP and ICMPV6, such as 8, an echo request of ICMP; absent: all'),
  ip: z
    .union([Ip4, z.ipv6()], { error: 'must be an IP address' })
    .optional()
    .describe('The first address at the other end, IPv4 or IPv6; absent: whoever it is'),
  size: RangeSize.optional().describe('How many addresses from `ip` on'),
  network_id: ObjectId.optional().describe(
    'Whoever has an address of this virtual network, in place of `ip` and `size`',
  ),
};

/** What may pass. Whatever no rule lets pass is dropped, but for what answers what may. */
export const SecurityRule = z.strictObject(shape).superRefine((rule, context) => {
  const wrong = (field: string, message: string): void => context.addIssue({ code: 'custom', path: [field], message });
  const { protocol, range, icmp_type, ip, size, network_id } = rule;
  if (range !== undefined && protocol !== 'TCP' && protocol !== 'UDP')
    wrong('range', `is for TCP and UDP, and this is ${protocol}`);
  if (icmp_type !== undefined && protocol !== 'ICMP' && protocol !== 'ICMPV6')
    wrong('icmp_type', `is for ICMP and ICMPV6, and this is ${protocol}`);
  if ((ip === undefined) !== (size === undefined))
    wrong(ip === undefined ? 'ip' : 'size', 'is needed: both or neither');
  if (network_id !== undefined && ip !== undefined) wrong('network_id', 'stands in the place of ip and size');
});
export type SecurityRule = z.output<typeof SecurityRule>;

const Rules = z.array(SecurityRule).max(limits.securityRules.most, atMost('securityRules'));
const described = Rules.describe('What may pass; what none of them lets pass is dropped');

export const CreateSecurityGroup = z.strictObject({ name: ObjectName, rules: described.optional() });
export type CreateSecurityGroup = z.output<typeof CreateSecurityGroup>;

/** What people can change of one, whole. */
export const SecurityGroupEdit = z.strictObject({ name: ObjectName, rules: Rules.default([]) });
export type SecurityGroupEdit = z.output<typeof SecurityGroupEdit>;

/** A merge patch of that. */
export const UpdateSecurityGroup = z.strictObject({ name: ObjectName.optional(), rules: described.optional() });

/** The group of NICs that name none: whatever comes passes. It is always there, and is as it is. */
export const defaultSecurityGroup = 0;

/** As stored. */
export type SecurityGroup = Ownership & {
  _id: number;
  name: string;
  rules: SecurityRule[];
  /** How often its rules were changed. */
  revision: number;
  created_at: Date;
};

export const SecurityGroupResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  rules: z.array(z.object(shape)),
  vms: z.array(ObjectId).describe(`VMs with NICs of it, the first ${limits.securityGroupUsers.most}`),
  networks: z.array(ObjectId).describe('Virtual networks that name it'),
  created_at: Timestamp,
}).meta({ id: 'SecurityGroup' });
export type SecurityGroupResource = z.infer<typeof SecurityGroupResource>;
