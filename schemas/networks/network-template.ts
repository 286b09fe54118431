import { z } from 'zod';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { NewRange } from './addresses.js';
import { CreateNetwork, NetworkDriver } from './network.js';

const shape = CreateNetwork.shape;

/** What makes one: what makes a network, which it keeps for those that are made of it. */
export const CreateNetworkTemplate = z.strictObject(shape);
export type CreateNetworkTemplate = z.output<typeof CreateNetworkTemplate>;

const ranges = z.array(NewRange).max(limits.addressRanges.most, atMost('addressRanges'));

/** What can be edited of one, whole. */
export const NetworkTemplateEdit = z.strictObject({
  ...shape,
  attributes: z.record(z.string(), z.string()).default({}),
  address_ranges: ranges.default([]),
});
export type NetworkTemplateEdit = z.output<typeof NetworkTemplateEdit>;

/** A merge patch of that. */
export const UpdateNetworkTemplate = z.strictObject({
  name: ObjectName.optional(),
  vn_mad: NetworkDriver.nullable().optional(),
  bridge: shape.bridge.unwrap().nullable().optional(),
  phydev: shape.phydev.unwrap().nullable().optional(),
  vlan_id: shape.vlan_id.unwrap().nullable().optional(),
  attributes: shape.attributes.unwrap().nullable().optional(),
  address_ranges: ranges.nullable().optional().describe('They are replaced as a whole'),
});

/** What a network of a template has beside what the template says. */
export const InstantiateNetwork = z.strictObject({
  name: ObjectName.optional().describe('Absent: that of the template and the id of the network'),
  attributes: shape.attributes.describe('Beside those of the template, or in their place'),
  address_ranges: ranges.optional().describe('Beside those of the template'),
});
export type InstantiateNetwork = z.output<typeof InstantiateNetwork>;

/** As stored. */
export type NetworkTemplate = Ownership & {
  _id: number;
  name: string;
  vn_mad: NetworkDriver;
  bridge: string | null;
  phydev: string | null;
  vlan_id: number | null;
  attributes: Record<string, string>;
  address_ranges: NewRange[];
  created_at: Date;
};

export const NetworkTemplateResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  vn_mad: NetworkDriver,
  bridge: z.string().nullable().describe('null: each network has one of its own'),
  phydev: z.string().nullable(),
  vlan_id: z.int().nullable().describe('null: drawn for each network that needs one'),
  attributes: z.record(z.string(), z.string()),
  address_ranges: z.array(NewRange),
  created_at: Timestamp,
}).meta({ id: 'NetworkTemplate' });
export type NetworkTemplateResource = z.infer<typeof NetworkTemplateResource>;
