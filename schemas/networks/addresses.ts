import { z } from 'zod';
import { Ip4 } from '../common/ip4.js';
import { limits } from '../common/limits.js';
import { Mac } from '../common/mac.js';

/** The first 64 bits of an IPv6 address; what follows them is made of the MAC. */
export const Ip6Prefix = z.ipv6('must be an IPv6 prefix of 64 bits, such as 2001:db8::');

export const RangeSize = z
  .int({ error: 'must be an integer' })
  .min(1, 'must be at least 1')
  .max(limits.rangeSize.most, `must be at most ${limits.rangeSize.most}`)
  .describe('How many addresses');

const first4 = Ip4.describe('The first address; the others follow it');
const firstMac = Mac.optional().describe('The first MAC; the others follow it');
const global = Ip6Prefix.optional().describe(
  'Prefix of global addresses, 64 bits: each ends as its MAC has it (SLAAC)',
);
const ula = Ip6Prefix.optional().describe('Prefix of unique local addresses, 64 bits');

/** Addresses that follow each other, as people ask for them. A MAC that is not given is `02:00` and the IPv4 address, or drawn. */
export const NewRange = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('IP4'), size: RangeSize, ip: first4, mac: firstMac }),
  z.strictObject({
    ...{ type: z.literal('IP6'), size: RangeSize, mac: firstMac },
    ...{ global_prefix: global, ula_prefix: ula },
  }),
  z.strictObject({
    ...{ type: z.literal('IP4_6'), size: RangeSize, ip: first4, mac: firstMac },
    ...{ global_prefix: global, ula_prefix: ula },
  }),
  z.strictObject({ type: z.literal('ETHER'), size: RangeSize, mac: firstMac }),
]);
export type NewRange = z.output<typeof NewRange>;

export const RangeType = z.enum(['IP4', 'IP6', 'IP4_6', 'ETHER']);

/** Where the addresses of a range come from: those of another network, from this one on. */
export type RangeOrigin = { network: number; ar_id: number; first: number };

/** As stored. `ar_id`: never given twice to the ranges of a network. */
export type AddressRange = {
  ar_id: number;
  type: z.infer<typeof RangeType>;
  size: number;
  mac: string;
  ip?: string;
  global_prefix?: string;
  ula_prefix?: string;
  /** Of a reservation. */
  from?: RangeOrigin;
};

/** What one address of a range is. `null`: its range has none of that kind. */
export const Address = z.object({
  mac: z.string(),
  ip: z.string().nullable().describe('IPv4'),
  ip6_link: z.string().nullable().describe('The link-local IPv6 address; null: its range has no IPv6'),
  ip6_global: z.string().nullable(),
  ip6_ula: z.string().nullable(),
});
export type Address = z.infer<typeof Address>;

/** One address of a network, by what people know of it. */
export const AddressWish = z.union([
  z.strictObject({ ip: Ip4, ar_id: z.int().min(0).optional() }),
  z.strictObject({ mac: Mac, ar_id: z.int().min(0).optional() }),
]);
export type AddressWish = { ip?: string; mac?: string; ar_id?: number | undefined };
