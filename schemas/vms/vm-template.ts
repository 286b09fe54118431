import { z } from 'zod';
import { namedUpTo } from '../common/attribute-name.js';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { amountOf, limits } from '../common/limits.js';
import { noSection, OnceText } from './section.js';

// OpenNebula's VM template. Its KEY=VALUE text knows only strings, so numbers are taken as text too; attribute names
// are upper-cased, as OpenNebula does; unknown attributes are kept.

/** The same for the descriptions of schemas. */
const named = namedUpTo('attributes');
const size = `At most ${amountOf(limits.vmTemplate.most, 'bytes')} of JSON`;

type Issue = { code: 'custom'; message: string; input: unknown; path: (string | number)[] };

/** A patch of a template, with its names as the template has them. */
export const withNamesOfTemplate = (template: unknown): unknown => upperCaseNames(template, () => {});

/** Whether names are names of attributes is asked where attributes are set: what is stored may have others. */
function upperCaseNames(value: unknown, report: (issue: Issue) => void, depth = 2, path: string[] = []): unknown {
  if (depth === 0 || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item, at) => upperCaseNames(item, report, depth, [...path, String(at)]));
  const named = new Map<string, unknown>();
  for (const [name, attribute] of Object.entries(value)) {
    const upper = name.toUpperCase();
    const message = 'is given twice, in different letter case';
    if (named.has(upper)) report({ code: 'custom', message, input: attribute, path: [...path, name] });
    named.set(upper, upperCaseNames(attribute, report, depth - 1, [...path, name]));
  }
  return Object.fromEntries(named);
}

export const withUpperCaseNames = <T extends z.ZodType>(schema: T) =>
  z
    .preprocess((value, context) => {
      if (namesOf(value, 2) > mostNames) {
        context.addIssue(`has more than ${mostNames} names and values`);
        return value;
      }
      return upperCaseNames(value, (issue) => context.issues.push(issue));
    }, schema)
    .meta(named);

/** Of a whole template that is sent, before it is looked at: far beyond what one may have, a limit to the work alone. */
const mostNames = 5 * limits.attributes.most;

const namesOf = (value: unknown, depth: number): number =>
  typeof value !== 'object' || value === null || depth < 0
    ? 0
    : Object.values(value).reduce<number>((sum, inner) => sum + 1 + namesOf(inner, depth - 1), 0);

const decimalText = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*$/;
const fromText = (value: unknown): unknown =>
  typeof value === 'string' && decimalText.test(value) ? Number(value) : value;

const missingOr = (kind: string) => (issue: { input?: unknown }) =>
  issue.input === undefined ? 'is required' : `must be ${kind}`;

export const Cores = z
  .preprocess(
    fromText,
    z
      .number({ error: missingOr('a number of cores') })
      .min(0.01, 'must be at least 0.01')
      .max(4096, 'must be at most 4096')
      .transform((cores) => Math.round(cores * 100) / 100),
  )
  .describe('Cores to reserve, in hundredths');

export const Megabytes = z
  .preprocess(
    fromText,
    z
      .int({ error: missingOr('an integer, in MB') })
      .min(1, 'must be at least 1')
      .max(67_108_864, 'must be at most 67108864'),
  )
  .describe('Memory to reserve, in MB');

export const VirtualCores = z.preprocess(
  fromText,
  z
    .int({ error: missingOr('an integer') })
    .min(1, 'must be at least 1')
    .max(4096, 'must be at most 4096')
    .optional(),
);

const Attributes = z.record(z.string(), z.unknown()).meta(named);
const sectionOf = (name: string, member: string) =>
  z.record(z.string(), z.unknown(), { error: noSection(name, member) }).meta(named);
/** What may be given more than once: one, or a list of them. */
const oneOrMany = z.union([Attributes, z.array(Attributes)], { error: 'must be an object or a list of objects' });

const VmTemplateAttributes = z
  .object({
    CPU: Cores,
    VCPU: VirtualCores.describe('Cores that the guest sees; default 1'),
    MEMORY: Megabytes,
    DISK: oneOrMany.optional().describe('IMAGE_ID or IMAGE of a disk, or TYPE and SIZE of a volatile one'),
    NIC: oneOrMany.optional().describe('NETWORK_ID or NETWORK'),
    CONTEXT: sectionOf('CONTEXT', 'NETWORK').optional().describe('What the guest is told when it starts'),
    USER_INPUTS: sectionOf('USER_INPUTS', 'NAME').optional().describe('Values that are asked for at instantiation'),
    SCHED_REQUIREMENTS: OnceText.optional().describe('Which hosts may take the VM'),
    SCHED_RANK: OnceText.optional().describe('Which of them is best'),
    SCHED_DS_REQUIREMENTS: OnceText.optional().describe('Which datastores may take its disks'),
    SCHED_DS_RANK: OnceText.optional().describe('Which of them is best'),
  })
  .catchall(z.unknown().meta({ ...named, items: named }));

export const VmTemplateBody = withUpperCaseNames(VmTemplateAttributes).meta({
  id: 'VmTemplateBody',
  description: size,
  ...named,
});
export type VmTemplateBody = z.infer<typeof VmTemplateBody>;

/** Some attributes of a VM template, to put in the place of others. */
export const VmTemplateChanges = withUpperCaseNames(VmTemplateAttributes.partial()).meta({
  id: 'VmTemplateChanges',
  ...named,
});
export type VmTemplateChanges = z.infer<typeof VmTemplateChanges>;

export const CreateVmTemplate = z.strictObject({ name: ObjectName, template: VmTemplateBody });
export type CreateVmTemplate = z.infer<typeof CreateVmTemplate>;

/** A merge patch of that: whatever names attributes in whatever letter case. */
export const UpdateVmTemplate = z.strictObject({
  name: ObjectName.optional(),
  template: Attributes.optional()
    .describe('Attributes to set; null takes one away, and objects are merged')
    .meta({ maxProperties: limits.attributes.most }),
});

export type VmTemplate = Ownership & { _id: number; name: string; template: VmTemplateBody; created_at: Date };

export const VmTemplateResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  template: VmTemplateBody,
  warnings: z
    .array(z.string())
    .describe('What its author should know, such as an expression that OpenNebula reads otherwise'),
  created_at: Timestamp,
}).meta({ id: 'VmTemplate' });
export type VmTemplateResource = z.infer<typeof VmTemplateResource>;
