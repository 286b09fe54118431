import { z } from 'zod';
import { AttributeOption, attributesBody } from '../shell/attribute.js';

/** How VMs are connected on their hosts. */
export const connectionOptions = {
  shape: {
    ...{ vnMad: z.string().optional(), bridge: z.string().optional(), phydev: z.string().optional() },
    vlan: z.coerce.number().optional(),
  },
  options: [
    ['--vn-mad <driver>', 'dummy (default), bridge, 802.1Q or vxlan'],
    ['--bridge <name>', 'the bridge on hosts (default: onebr and the id)'],
    ['--phydev <name>', 'the card that 802.1Q and vxlan go over'],
    ['--vlan <number>', 'of 802.1Q and vxlan (default: drawn)'],
  ],
} as const;

const shape = {
  size: z.coerce.number().optional(),
  ...{ ip: z.string().optional(), mac: z.string().optional() },
  ...{ prefix: z.string().optional(), ula: z.string().optional() },
};

/** An address range. */
export const rangeOptions = {
  shape,
  options: [
    ['--ip <address>', 'the first IPv4 address'],
    ['--size <count>', 'how many addresses'],
    ['--mac <address>', 'the first MAC (default: 02:00 and the IPv4 address, or drawn)'],
    ['--prefix <prefix>', 'of global IPv6 addresses, such as 2001:db8::'],
    ['--ula <prefix>', 'of unique local IPv6 addresses'],
  ],
} as const;

/** A range in the words of the API: its type is that of what was said of it. */
export function rangeBody({ ip, mac, prefix, ula, size }: z.output<z.ZodObject<typeof shape>>): object {
  const six = prefix !== undefined || ula !== undefined;
  const type = ip === undefined ? (six ? 'IP6' : 'ETHER') : six ? 'IP4_6' : 'IP4';
  return { type, size, ip, mac, global_prefix: prefix, ula_prefix: ula };
}

export const attributeOptions = {
  shape: { attribute: AttributeOption },
  option: ['--attribute <name=value...>', 'what guests are told, such as GATEWAY or DNS; NAME= takes one away'],
} as const;

export const networkAttributes = (given: readonly string[] | undefined): object =>
  attributesBody(given, 'arcus network update office --attribute DNS=9.9.9.9');
