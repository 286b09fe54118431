import { z } from 'zod';
import { attributeChanges, namedUpTo } from '../common/attribute-name.js';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import type { Amounts } from '../identity/amounts.js';
import { type AddressRange, AddressWish, NewRange, RangeSize, RangeType } from './addresses.js';

const attributeText = z.string().max(limits.networkAttributeText.most, atMost('networkAttributeText'));

/** What guests are told, and whatever else is to be kept of a network. Names are upper case. */
const NetworkAttributes = z.record(z.string(), attributeText).meta(namedUpTo('networkAttributes'));
export type NetworkAttributes = Record<string, string>;
const AttributeChanges = attributeChanges(attributeText, 'networkAttributes');
export type NetworkAttributeChanges = z.infer<typeof AttributeChanges>;

/** How VMs of a network are connected on their hosts, as OpenNebula calls it. */
export const NetworkDriver = z.enum(['dummy', 'bridge', '802.1Q', 'vxlan']);
export type NetworkDriver = z.infer<typeof NetworkDriver>;

/** Linux's own bound for names of devices. */
const Device = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/, 'must be the name of a device: at most 15 letters, digits, _, . and -');

const told =
  'What guests are told, such as NETWORK_ADDRESS, NETWORK_MASK, GATEWAY, GATEWAY6, DNS, MTU and SEARCH_DOMAIN, and what else is to be kept';

export const CreateNetwork = z.strictObject({
  name: ObjectName,
  vn_mad: NetworkDriver.default('dummy').describe(
    'dummy, bridge: a bridge on each host; 802.1Q: a tagged VLAN on `phydev`; vxlan: a VXLAN over `phydev`',
  ),
  bridge: Device.optional().describe('Absent: onebr and the id of the network'),
  phydev: Device.optional().describe(
    'The card of hosts that 802.1Q and vxlan go over; needed by them, and by them alone',
  ),
  vlan_id: z
    .int()
    .min(1)
    .max(16_777_215)
    .optional()
    .describe('Of 802.1Q, up to 4094, and vxlan; absent: drawn, and held by no other network'),
  attributes: AttributeChanges.optional().describe(told),
  address_ranges: z
    .array(NewRange)
    .max(limits.addressRanges.most, atMost('addressRanges'))
    .optional()
    .describe('Ranges can be added later, too'),
});
export type CreateNetwork = z.output<typeof CreateNetwork>;

/** What people can change of a network, whole. How VMs are connected to it stays: VMs are. */
export const NetworkEdit = z.strictObject({ name: ObjectName, attributes: NetworkAttributes.default({}) });
export type NetworkEdit = z.output<typeof NetworkEdit>;

/** A merge patch of that. */
export const UpdateNetwork = z.strictObject({
  name: ObjectName.optional(),
  attributes: AttributeChanges.nullable().optional().describe(`${told}; null takes one away`),
});

export const ResizeRange = z.strictObject({ size: RangeSize });
export type ResizeRange = z.output<typeof ResizeRange>;

export const HoldAddress = AddressWish;

const ofWhat = {
  size: z
    .int()
    .min(1)
    .max(limits.reservation.most, `must be at most ${limits.reservation.most}`)
    .describe('How many addresses, one after the other'),
  ar_id: ObjectId.optional().describe('Of this range; absent: of the first that has so many'),
};

/** Addresses of a network for one that is made of them, or for a reservation that is there. */
export const Reserve = z.union([
  z.strictObject({ name: ObjectName.describe('Of a network that is made'), ...ofWhat }),
  z.strictObject({ network_id: ObjectId.describe('A reservation of the same network, to add them to'), ...ofWhat }),
]);
export type Reserve = z.output<typeof Reserve>;

/** A network as stored. */
export type Network = Ownership & {
  _id: number;
  name: string;
  vn_mad: NetworkDriver;
  bridge: string;
  phydev: string | null;
  vlan_id: number | null;
  /** It was drawn, and is this network's alone. */
  vlan_drawn: boolean;
  attributes: NetworkAttributes;
  ranges: AddressRange[];
  /** The id of the range that is added next. */
  next_ar: number;
  /** The network that its addresses come from; null: it is no reservation. */
  parent: number | null;
  /** The service that it was made for, and with which it goes; absent: none. */
  service?: number;
  /** What its user and group are charged for what is reserved; absent: nothing, or its service is. */
  charge?: Amounts;
  created_at: Date;
};

const RangeResource = z.object({
  ar_id: ObjectId.describe('Never given twice to the ranges of a network'),
  type: RangeType,
  size: z.int(),
  used: z.int().describe('How many of them somebody has, those held and reserved among them'),
  mac: z.string().describe('The first'),
  ip: z.string().nullable().describe('The first; null: it has no IPv4'),
  last_ip: z.string().nullable(),
  global_prefix: z.string().nullable(),
  ula_prefix: z.string().nullable(),
  parent_ar_id: ObjectId.nullable().describe('Of a reservation: the range of its parent that these come from'),
});

export const NetworkResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  vn_mad: NetworkDriver,
  bridge: z.string(),
  phydev: z.string().nullable(),
  vlan_id: z.int().nullable(),
  vlan_id_automatic: z.boolean().describe('It was drawn, and is held by this network alone'),
  attributes: z.record(z.string(), z.string()),
  parent_network_id: ObjectId.nullable().describe('The network that its addresses were reserved of'),
  service_id: ObjectId.nullable().describe('The service that it was made for, and with which it goes'),
  used_leases: z.int().describe('How many of its addresses somebody has'),
  address_ranges: z.array(RangeResource),
  created_at: Timestamp,
}).meta({ id: 'Network' });
export type NetworkResource = z.infer<typeof NetworkResource>;
