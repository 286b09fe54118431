import { z } from 'zod';
import { ObjectId, Timestamp } from '../common/common.js';
import { limits } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';

/** The kinds of objects that OpenNebula's ACL rules name. DOCUMENT: services and service templates; TEMPLATE: VM templates. VNTEMPLATE came with 5.8. */
export const ResourceType = z.enum([
  'VM',
  'HOST',
  'NET',
  'IMAGE',
  'USER',
  'TEMPLATE',
  'GROUP',
  'ACL',
  'DATASTORE',
  'CLUSTER',
  'DOCUMENT',
  'ZONE',
  'SECGROUP',
  'VDC',
  'VROUTER',
  'MARKETPLACE',
  'MARKETPLACEAPP',
  'VNTEMPLATE',
]);
export type ResourceType = z.infer<typeof ResourceType>;

export const AclRight = z.enum(['use', 'manage', 'admin', 'create']);
export type AclRight = z.infer<typeof AclRight>;

/** A rule that grants: whose rights, on which objects of which kinds, in which zone (null: in each). */
export type AclRule = {
  user: { kind: 'user' | 'group'; id: number } | { kind: 'all' };
  types: ResourceType[];
  selector: { kind: 'id' | 'group' | 'cluster'; id: number } | { kind: 'all' };
  rights: AclRight[];
  zone: number | null;
};

/** A rule as stored. `_id` is its id. */
export type StoredAcl = { _id: number; rule: AclRule; text: string; created_at: Date };

export const CreateAcl = z.strictObject({
  rule: z
    .string()
    .max(limits.rule.most)
    .describe('OpenNebula’s text: user, resources/selector, rights and zone, such as `@100 VM+DOCUMENT/@100 USE #0`'),
});
export type CreateAcl = z.infer<typeof CreateAcl>;

export const AclResource = z
  .object({
    id: ObjectId,
    rule: z.string().describe('The rule in OpenNebula’s text'),
    created_at: Timestamp,
  })
  .meta({ id: 'AclRule' });
export type AclResource = z.infer<typeof AclResource>;

/** What lists of rules can be filtered and sorted by. */
export const aclFields = {
  id: namedFields.id,
  rule: { kind: 'text', path: 'text' },
  created_at: namedFields.created_at,
} as const satisfies ListFields;
