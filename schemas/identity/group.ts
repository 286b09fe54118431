import { z } from 'zod';
import { ObjectId, ObjectName, Timestamp } from '../common/common.js';
import { type ListFields, namedFields } from '../common/list.js';

/** The groups that exist from the first start, as in OpenNebula: administrators, and where users are by default. */
export const administrators = 0;
export const defaultGroup = 1;

/** What groups may let their members create (guide 1.2.6). DOCUMENT: services and service templates; TEMPLATE: VM templates. */
export const creatable = ['VM', 'NET', 'IMAGE', 'TEMPLATE', 'DOCUMENT'] as const;
const Creatable = z.enum(creatable);
export type Creatable = z.infer<typeof Creatable>;

/** What members of new groups may create, and their admins. */
export const defaultCreatable: readonly Creatable[] = ['VM', 'IMAGE', 'TEMPLATE', 'DOCUMENT'];

const Kinds = z
  .array(Creatable)
  .max(creatable.length)
  .transform((kinds) => creatable.filter((kind) => kinds.includes(kind)));

const CreateRights = z.strictObject({
  users: Kinds.optional().describe('Kinds that every member may create'),
  admins: Kinds.optional().describe('Kinds that admins of the group may create'),
});

/** A group as stored. Whoever names it in `groups` is a member. */
export type Group = {
  _id: number;
  name: string;
  /** Ids of members who manage it. */
  admins: number[];
  create: { users: Creatable[]; admins: Creatable[] };
  /** Members may USE the VMs and services of each other. */
  shared_view: boolean;
  created_at: Date;
};

const GroupName = ObjectName.meta({
  description: 'Name of the group; not digits alone, which would read as an id',
  pattern: '^(?!\\s)(?![0-9]+$)[^\\u0000-\\u001f\\u007f-\\u009f]*(?<!\\s)$',
});
const SharedView = z.boolean().describe('Members may see the VMs and services of each other');

export const CreateGroup = z.strictObject({
  name: GroupName,
  create: CreateRights.optional().describe(`What may be created; absent: ${defaultCreatable.join(', ')}`),
  shared_view: SharedView.optional(),
});
export type CreateGroup = z.infer<typeof CreateGroup>;

/** What can be changed of a group, whole. */
export const GroupEdit = z.strictObject({
  name: GroupName,
  create: z
    .strictObject({
      users: Kinds.default([...defaultCreatable]),
      admins: Kinds.default([...defaultCreatable]),
    })
    .prefault({}),
  shared_view: SharedView.default(false),
});
export type GroupEdit = z.output<typeof GroupEdit>;

/** A merge patch of that. */
export const UpdateGroup = z.strictObject({
  name: GroupName.optional(),
  create: z
    .strictObject({
      users: Kinds.nullable().optional().describe('Kinds that every member may create'),
      admins: Kinds.nullable().optional().describe('Kinds that admins of the group may create'),
    })
    .nullable()
    .optional()
    .describe(`What may be created; null: ${defaultCreatable.join(', ')}`),
  shared_view: SharedView.nullable().optional(),
});
export type UpdateGroup = z.infer<typeof UpdateGroup>;

export const GroupResource = z
  .object({
    id: ObjectId,
    name: z.string(),
    members: z.int().describe('How many users are in it, by primary or secondary membership'),
    admins: z.array(z.object({ id: ObjectId, name: z.string() })),
    create: z.object({ users: z.array(Creatable), admins: z.array(Creatable) }),
    shared_view: SharedView,
    rules: z.array(z.string()).describe('The ACL rules that follow from this, in OpenNebula’s text'),
    created_at: Timestamp,
  })
  .meta({ id: 'Group' });
export type GroupResource = z.infer<typeof GroupResource>;

/** What lists of groups can be filtered and sorted by. */
export const groupFields = {
  id: namedFields.id,
  name: namedFields.name,
  shared_view: { kind: 'boolean', path: 'shared_view' },
  created_at: namedFields.created_at,
} as const satisfies ListFields;
