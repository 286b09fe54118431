import { z } from 'zod';
import { attributeChanges, namedUpTo } from '../common/attribute-name.js';
import { Description, ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';
import type { ServiceTemplateBody } from '../services/service-template.js';
import { type ImageAttributes, ImageType } from '../storage/image.js';
import type { VmTemplateBody } from '../vms/vm-template.js';

/** OpenNebula's types of apps. */
export const AppType = z.enum(['IMAGE', 'VMTEMPLATE', 'SERVICE_TEMPLATE']);
export type AppType = z.infer<typeof AppType>;

/**
 * OpenNebula's states of apps. LOCKED: it is being published, or removed; READY: it may be exported; ERROR: `reason` says what failed; DISABLED: nobody
 * exports it. INIT comes before LOCKED, and is never seen: an app is written down together with what publishes it.
 */
export const AppState = z.enum(['INIT', 'READY', 'LOCKED', 'ERROR', 'DISABLED']);
export type AppState = z.infer<typeof AppState>;

const Version = z
  .string()
  .min(1)
  .max(64)
  .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters');
const Publisher = z
  .string()
  .max(limits.name.most, atMost('name'))
  .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters');
const Tags = z.array(Publisher.min(1)).max(limits.appTags.most, atMost('appTags'));

const attributeText = z.string().max(limits.imageAttributeText.most, atMost('imageAttributeText'));
const ImageAttributesOfApp = z.record(z.string(), attributeText).meta(namedUpTo('imageAttributes'));
const AttributeChanges = attributeChanges(attributeText, 'imageAttributes');
const Template = z.record(z.string(), z.unknown()).meta({ maxProperties: limits.attributes.most });

const appTemplate = 'What images that are made of it have beside, such as DEV_PREFIX (APPTEMPLATE64)';
const vmTemplate = 'A VM template that is made with an image of it, which is its first disk (VMTEMPLATE64)';

export const CreateApp = z.strictObject({
  name: ObjectName,
  market_id: ObjectId.describe('The marketplace in which it is published'),
  image_id: ObjectId.optional().describe(
    'Of an app of type IMAGE: the image that it is made of (ORIGIN_ID), which stays as it is until that has ended',
  ),
  vm_template_id: ObjectId.optional().describe('Of one of type VMTEMPLATE: the VM template, with all its images'),
  service_template_id: ObjectId.optional().describe(
    'Of one of type SERVICE_TEMPLATE: the service template, with the VM templates of its roles and all their images',
  ),
  description: Description.default(''),
  version: Version.default('0.0'),
  publisher: Publisher.optional().describe('Default: your name'),
  tags: Tags.default([]),
  app_template: AttributeChanges.optional().describe(`${appTemplate}; default: what the image has; of type IMAGE`),
  vm_template: Template.optional().describe(`${vmTemplate}; of type IMAGE`),
});
export type CreateApp = z.infer<typeof CreateApp>;

export const ExportApp = z.strictObject({
  name: ObjectName.describe('Of the image, or of the template that the app is; what else comes is called after it'),
  datastore_id: ObjectId.optional().describe('Where the image is kept; default: 1 of a disk, 2 of a file'),
  vm_template_name: ObjectName.nullable()
    .optional()
    .describe('Of the VM template of an IMAGE; default: the name of the image, where the app has one; null: none'),
});
export type ExportApp = z.infer<typeof ExportApp>;

/** What people can change of an app, whole. */
export const AppEdit = z.strictObject({
  name: ObjectName,
  description: Description.default(''),
  version: Version.default('0.0'),
  publisher: Publisher.default(''),
  tags: Tags.default([]),
  app_template: ImageAttributesOfApp.default({}),
  vm_template: Template.nullable().default(null),
  state: z.enum(['enabled', 'disabled']),
});
export type AppEdit = z.output<typeof AppEdit>;

/** A merge patch of that. */
export const UpdateApp = z.strictObject({
  name: ObjectName.optional(),
  description: Description.nullable().optional(),
  version: Version.nullable().optional(),
  publisher: Publisher.nullable().optional(),
  tags: Tags.nullable().optional(),
  app_template: AttributeChanges.nullable().optional().describe(appTemplate),
  vm_template: Template.nullable().optional().describe(vmTemplate),
  state: z.enum(['enabled', 'disabled']).optional().describe('A disabled one is exported by nobody'),
});
export type UpdateApp = z.infer<typeof UpdateApp>;

/** The bytes of one image of an app, and what images of it are. */
export type AppPart = {
  /** The image that it was made of; -1: it is of a catalogue. */
  origin_id: number;
  name: string;
  /** What its bytes are called in its marketplace; null: they are at `url`. */
  key: string | null;
  url: string | null;
  /** As they are published; null: that is not known yet. */
  bytes: number | null;
  md5: string | null;
  sha256: string | null;
  format: string | null;
  virtual_size: number | null;
  image_type: ImageType;
  app_template: ImageAttributes;
};

export type AppTemplate = { name: string; template: VmTemplateBody; disks: { place: number; part: number }[] };

/** An app as stored. */
export type App = Ownership & {
  _id: number;
  name: string;
  description: string;
  version: string;
  publisher: string;
  tags: string[];
  market_id: number;
  type: AppType;
  state: AppState;
  reason: string | null;
  /** The image, or the template, that it was made of; -1: it is of a catalogue. */
  origin_id: number;
  /** What it is called in the catalogue that it is of; null: it was published by us. */
  upstream: string | null;
  /** Its images; one that is made of several has each once. */
  parts: AppPart[];
  /** Of one that is a template: its VM templates, and which of their disks, by their places, are which of its parts. */
  templates?: AppTemplate[];
  /** Of one that is a service template: that, whose roles name their VM templates by their places here. */
  service_template?: ServiceTemplateBody;
  vm_template: Record<string, unknown> | null;
  /** Operations that are making something of it. */
  exports: string[];
  operation: string | null;
  /** The deletion that takes it over. */
  wanted: string | null;
  /** Rises with each try of a step: what is written under an older one counts for nothing. */
  epoch: number;
  /** Nothing of it is left in its marketplace, said by the operation that has seen to it. */
  emptied?: string;
  created_at: Date;
};

/** What lists of apps can be filtered and sorted by. */
export const appFields = {
  ...namedFields,
  market_id: { kind: 'integer', path: 'market_id' },
  type: { kind: AppType.options, path: 'type' },
  state: { kind: AppState.options, path: 'state' },
  version: { kind: 'text', path: 'version' },
  publisher: { kind: 'text', path: 'publisher' },
} as const satisfies ListFields;

export const AppResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  description: z.string(),
  version: z.string(),
  publisher: z.string(),
  tags: z.array(z.string()),
  market_id: ObjectId.describe('The marketplace that it is in'),
  type: AppType,
  state: AppState,
  reason: z.string().nullable().describe('Why it is in ERROR'),
  origin_id: z.int().describe('The image or template that it was made of; -1: it is of a catalogue of others'),
  source: z
    .string()
    .nullable()
    .describe('Where its bytes are; null: they are not there yet, or are those of several images'),
  bytes: z.int().nullable().describe('Bytes that an export fetches; null: nobody knows yet'),
  size_mb: z.int().nullable().describe('The same in MB, rounded up'),
  virtual_size: z.int().nullable().describe('Bytes that guests see of it; null: nobody knows'),
  md5: z.string().nullable().describe('Of one image; null: it is not known, or of several'),
  sha256: z.string().nullable(),
  format: z.string().nullable(),
  image_type: ImageType.nullable().describe('What images of it are; null: it has several'),
  parts: z
    .array(
      z.object({
        name: z.string(),
        source: z.string().nullable(),
        bytes: z.int().nullable(),
        md5: z.string().nullable(),
        sha256: z.string().nullable(),
        format: z.string().nullable(),
        image_type: ImageType,
      }),
    )
    .describe('Its images'),
  app_template: z.record(z.string(), z.string()).describe(appTemplate),
  vm_template: z.record(z.string(), z.unknown()).nullable().describe(vmTemplate),
  templates: z.array(z.string()).describe('Names of the VM templates that come with a template'),
  exports: z.array(z.string()).describe('Operations that are making something of it'),
  operation: z.string().nullable().describe('The operation that is at work on it'),
  created_at: Timestamp.describe('When it was registered (REGTIME)'),
}).meta({ id: 'App' });
export type AppResource = z.infer<typeof AppResource>;
