import { z } from 'zod';
import { RuleProtocol } from './rule-protocol.js';

const Span = z.object({ first: z.int(), last: z.int() });
/** Addresses from one to another, both with them, as text. */
const AddressSpan = z.object({ first: z.string(), last: z.string() });
export type AddressSpan = z.infer<typeof AddressSpan>;

/** Packets that may pass. `null`: whatever they have there. */
const Allowed = z.object({
  protocol: RuleProtocol,
  /** Of whom a connection is made to; of TCP and UDP alone. */
  ports: z.array(Span).nullable(),
  icmpType: z.int().nullable(),
  /** Who is at the other end. An empty list is nobody. */
  peers: z.object({ ip4: z.array(AddressSpan), ip6: z.array(AddressSpan) }).nullable(),
});
export type Allowed = z.infer<typeof Allowed>;

/** What passes of a NIC. Whatever is not allowed, and answers nothing that was, is dropped. */
export const NicFilter = z.object({
  /** Rises with every change of what it was made of: a lower one is stale. */
  revision: z.int().min(0),
  /** To the guest. */
  inbound: z.array(Allowed),
  /** From the guest. */
  outbound: z.array(Allowed),
  /** The one MAC that the guest sends as; null: as it likes. */
  mac: z.string().nullable(),
  /** The addresses that the guest sends as; null: as it likes. */
  ips: z.object({ ip4: z.array(z.string()), ip6: z.array(z.string()) }).nullable(),
});
export type NicFilter = z.infer<typeof NicFilter>;
