import { z } from 'zod';
import { attributeChanges } from '../common/attribute-name.js';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { limits } from '../common/limits.js';
import { ClusterPolicy, ShownPolicy, type StoredPolicy, UpdateClusterPolicy } from './ha.js';

const Scalar = z.union([z.string().max(limits.hostAttributeText.most), z.number()], {
  error: 'must be a text or a number',
});
const AttributeValue = z.union([Scalar, z.array(Scalar).max(limits.hostAttributeList.most)], {
  error: 'must be a text, a number or a list of them',
});

/** What operators say of a host or a cluster, for requirement and rank expressions. Names are upper case. */
export const Attributes = z.record(z.string(), AttributeValue);
export type Attributes = z.infer<typeof Attributes>;

/** Attributes to set, and null for those to take away; in any letter case. */
export const AttributeChanges = attributeChanges(AttributeValue, 'hostAttributeCount');
export type AttributeChanges = z.infer<typeof AttributeChanges>;

const percentage = /^[+-]?\d{1,4}(\.\d{1,2})?%$/;
const Percentage = z
  .string()
  .regex(percentage, 'must be a number, or per cent of the whole such as "10%"')
  .refine((text) => !percentage.test(text) || Number(text.slice(0, -1)) <= 100, 'must be at most 100%');
const amount = (number: z.ZodNumber) =>
  z.union([number, Percentage], { error: 'must be a number, or per cent of the whole such as "10%"' });

/**
 * What is kept back of a host's CPU (cores) and memory (MB), or of those of all hosts of a cluster; a host's own wins over
 * its cluster's. Less than nothing is overcommitment. Per cent are of the host's total.
 */
export const Reserve = z.strictObject({
  cpu: amount(z.number().min(-1_000_000).max(4096))
    .nullable()
    .optional()
    .describe('Cores, or per cent such as "10%"; negative: so much more than there is may be reserved'),
  memory: amount(z.number().int().min(-1_000_000_000).max(67_108_864))
    .nullable()
    .optional()
    .describe('MB, or per cent such as "-50%"; negative: so much more than there is may be reserved'),
});
export type Reserve = z.infer<typeof Reserve>;

export const CreateCluster = z.strictObject({
  name: ObjectName,
  attributes: AttributeChanges.optional().describe('Attributes that its hosts have, too, for expressions'),
  reserved: Reserve.optional().describe('What is kept back of each of its hosts that does not say itself'),
});
export type CreateCluster = z.infer<typeof CreateCluster>;

/** What people can change of a cluster, whole. */
export const ClusterEdit = z.strictObject({
  name: ObjectName,
  attributes: Attributes.default({}),
  reserved: Reserve.default({}),
  ha: ClusterPolicy.nullable().default(null),
});
export type ClusterEdit = z.output<typeof ClusterEdit>;

/** A merge patch of that. */
export const UpdateCluster = z.strictObject({
  name: ObjectName.optional(),
  attributes: AttributeChanges.nullable().optional().describe('Attributes to set; null takes one away'),
  reserved: Reserve.nullable().optional().describe('What is kept back of each of its hosts that does not say itself'),
  ha: UpdateClusterPolicy.nullable()
    .optional()
    .describe('What is done when one of its hosts fails that does not say itself; null: nothing is done by itself'),
});
export type UpdateCluster = z.infer<typeof UpdateCluster>;

/** A cluster as stored. Which hosts are in it, the hosts say. */
export type Cluster = Ownership & {
  _id: number;
  name: string;
  attributes: Attributes;
  reserve: Reserve;
  /** What is done when one of its hosts fails that does not say itself, and who has said so last. Absent or null: nothing. */
  ha?: StoredPolicy | null;
  created_at: Date;
};

/** The cluster of hosts that are put into no other. */
export const defaultCluster = 0;

export const ClusterResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  attributes: z.record(z.string(), AttributeValue),
  reserved: Reserve,
  ha: ShownPolicy.nullable().describe(
    'What is done when one of its hosts fails that does not say itself; null: nothing',
  ),
  hosts: z.array(ObjectId).describe('Hosts in it'),
  created_at: Timestamp,
}).meta({ id: 'Cluster' });
export type ClusterResource = z.infer<typeof ClusterResource>;
