import { z } from 'zod';

/** What a rule of a security group is about, as OpenNebula calls it. IPSEC: ESP and AH. */
export const RuleProtocol = z.enum(['ALL', 'TCP', 'UDP', 'ICMP', 'ICMPV6', 'IPSEC']);
export type RuleProtocol = z.infer<typeof RuleProtocol>;
