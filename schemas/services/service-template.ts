import { z } from 'zod';
import { ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { PlainVmAction } from '../operations/vm-action.js';

// OneFlow's service template (guide 1.3 and 1.4). Unknown attributes are kept at every level; null and false count as
// absent; integers are read as Ruby's Integer() reads them: what OneFlow accepts loads unchanged.

const absent = (value: unknown): unknown => (value === null || value === false ? undefined : value);
const optional = <T extends z.ZodType>(schema: T) => z.preprocess(absent, schema.optional());

const required = (kind: string) => (issue: { input?: unknown }) =>
  issue.input === undefined ? 'is required' : `must be ${kind}`;

const integerText = /^([+-]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/;

/** As Ruby's Integer(): fractions are cut off, `0x1f`, `0b11` and octal `010` are understood; the rest is left as is. */
function lenientInteger(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) + 0 : value;
  if (typeof value !== 'string') return absent(value);
  const [, sign, digits] = integerText.exec(value.trim().replace(/(?<=[\da-fA-F])_(?=[\da-fA-F])/g, '')) ?? [];
  if (digits === undefined) return value;
  const magnitude = Number(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return sign === '-' ? 0 - magnitude : magnitude;
}

const OnHold = optional(z.boolean({ error: 'must be true or false' }));

const wholeNumber = z.int({ error: required('an integer') });
const natural = wholeNumber.min(0, 'must not be negative');
const optionalNatural = z.preprocess(lenientInteger, natural.optional());
const text = z.string({ error: required('a text') });
const customValues = z.record(z.string(), z.unknown()).meta({ maxProperties: limits.customValues.most });

export const ShutdownAction = z.enum(['terminate', 'terminate-hard', 'shutdown', 'shutdown-hard']);
export type ShutdownAction = z.infer<typeof ShutdownAction>;

/** Arcus's own. */
export const ScaleInOrder = z.enum(['oldest', 'newest', 'least_loaded'], {
  error: 'must be oldest, newest or least_loaded',
});
export type ScaleInOrder = z.infer<typeof ScaleInOrder>;

const PolicyType = z.preprocess(
  absent,
  z.enum(['CHANGE', 'CARDINALITY', 'PERCENTAGE_CHANGE'], {
    error: required('one of CHANGE, CARDINALITY, PERCENTAGE_CHANGE'),
  }),
);

const Adjustment = {
  type: PolicyType.describe('What adjust means: VMs to add, the new cardinality, or per cent to add'),
  adjust: z.preprocess(lenientInteger, wholeNumber).describe('Positive or negative, as type says'),
  min_adjust_step: z
    .preprocess(lenientInteger, wholeNumber.min(1, 'must be at least 1').optional())
    .describe('VMs that a PERCENTAGE_CHANGE changes at least'),
};

const optionalPositive = z.preprocess(lenientInteger, wholeNumber.min(1, 'must be at least 1').optional());
/** What has to be false to mean something: here false is not absent. */
const given = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === null ? undefined : value), schema.optional());

/** Either an expression with what it does, as OneFlow's; or a target, which is Arcus's own. */
export const ElasticityPolicy = z.looseObject({
  type: optional(Adjustment.type),
  adjust: z.preprocess(lenientInteger, wholeNumber.optional()).describe('Positive or negative, as type says'),
  min_adjust_step: Adjustment.min_adjust_step,
  expression: optional(text).describe(
    'Condition over what the running VMs have: averages, or avg, min, max, sum, p95 of an attribute (docs/elasticity.md)',
  ),
  target: optional(text).describe(
    'Instead of expression, type and adjust: what an attribute is to be kept at, such as CPU = 60',
  ),
  period_number: optionalNatural.describe('How many periods in a row the expression must hold'),
  period: optionalNatural.describe('Seconds between evaluations'),
  cooldown: optionalNatural.describe('Seconds of cooldown after this policy scaled'),
  max_adjust_step: optionalPositive.describe('VMs that it adds or takes at once at most'),
  stabilization: optionalNatural.describe('Seconds within which each evaluation must have wished for the change'),
  warm_up: optionalNatural.describe('Seconds for which a VM that has come to its host is left out'),
  enabled: given(z.boolean({ error: 'must be true or false' })).describe('false: it is paused'),
  paused_until: given(z.iso.datetime({ offset: true, error: 'must be a time as in RFC 3339' })).describe(
    'Until then it is paused',
  ),
});
export type ElasticityPolicy = z.infer<typeof ElasticityPolicy>;

/** Either an adjustment, as OneFlow's; or something that is done to every VM of the role, which is Arcus's own. */
export const ScheduledPolicy = z.looseObject({
  type: optional(Adjustment.type),
  adjust: z.preprocess(lenientInteger, wholeNumber.optional()).describe('Positive or negative, as type says'),
  min_adjust_step: Adjustment.min_adjust_step,
  action: optional(PlainVmAction.exclude(['hold', 'release'])).describe(
    'Instead of type and adjust: what is done to every VM that the role has then',
  ),
  number: optionalPositive.describe('Of an action: how many VMs at a time'),
  period: optionalNatural.describe('Of an action: seconds between those and the next ones'),
  recurrence: optional(text.meta({ maxLength: limits.recurrence.most })).describe(
    'When, again and again: a cron expression of five fields; days and weekdays together: either will do',
  ),
  start_time: z
    .preprocess((value) => (typeof value === 'number' ? String(value) : absent(value)), text.optional())
    .describe('When, once: ISO 8601, seconds since 1970, or a date such as 2nd oct 2027 15:45'),
  time_zone: optional(text).describe('On whose clocks, such as Europe/Madrid; absent: as configured'),
  enabled: given(z.boolean({ error: 'must be true or false' })).describe('false: it is paused'),
  paused_until: given(z.iso.datetime({ offset: true, error: 'must be a time as in RFC 3339' })).describe(
    'Until then it is paused',
  ),
  cooldown: optionalNatural.describe('Seconds of cooldown after this policy scaled'),
});
export type ScheduledPolicy = z.infer<typeof ScheduledPolicy>;

/**
 * What is done when VMs of a role fail to deploy, in this order: the same VMs are tried again, `retries` times; those that
 * still fail are replaced by new ones, `replacements` times; finally the role has failed, or a person is asked. Arcus's own.
 */
export const FailurePolicy = z.strictObject({
  retries: z.int().min(0).max(10).default(0).describe('How often the failed VMs are tried again'),
  replacements: z.int().min(0).max(10).default(0).describe('How often the failed VMs are replaced by new ones'),
  finally: z
    .enum(['fail', 'wait'])
    .default('fail')
    .describe('fail: the role has failed; wait: the operation waits for a person, who answers retry, skip or give_up'),
});
export type FailurePolicy = z.infer<typeof FailurePolicy>;

/** Which hosts the VMs of a role share with each other and with those of other roles. Arcus's own. */
export const RolePlacement = z.strictObject({
  hosts: z
    .enum(['spread', 'pack'])
    .optional()
    .describe('spread: on hosts with the fewest VMs of this role; pack: on those with the most; absent: either'),
  affinity: z
    .array(text)
    .max(limits.affinities.most)
    .default([])
    .describe('Roles whose VMs are on one host together with all of this role; its own name: all of its VMs are'),
  anti_affinity: z
    .array(text)
    .max(limits.affinities.most)
    .default([])
    .describe('Roles whose VMs are never on a host with one of this role; its own name: each of its VMs alone'),
});
export type RolePlacement = z.infer<typeof RolePlacement>;

const mostVms = limits.vmsOfService.most;
const vmCount = natural.max(mostVms, `must be at most ${mostVms}`);

export const RoleTemplate = z.looseObject({
  name: z
    .preprocess(
      absent,
      text
        .regex(/^\w+$/, 'must be letters, digits and _')
        .max(limits.name.most, atMost('name'))
        // Roles are looked up by name: a name that every JavaScript object has would be found where none is.
        .refine((name) => !(name in {}), 'is a reserved word'),
    )
    .describe('Unique in its service'),
  type: optional(z.literal('vm', 'must be vm: there are no roles of virtual routers yet')).describe(
    'Of what it is, as OneFlow 7.0 says; of VMs',
  ),
  cardinality: z.preprocess(lenientInteger, vmCount.default(1)).describe('How many VMs'),
  vm_template: z.preprocess(lenientInteger, natural).describe('Id of the VM template of its VMs'),
  vm_template_contents: optional(text).describe('KEY=VALUE lines over the VM template; APPEND="A,B" adds to A and B'),
  parents: z
    .preprocess(
      absent,
      z
        .array(text, { error: required('a list of role names') })
        .default([])
        .meta({ maxItems: limits.parents.most }),
    )
    .describe('Roles that must run first when the deployment is straight'),
  shutdown_action: optional(ShutdownAction).describe('How its VMs go; absent: as the service says'),
  on_hold: OnHold.describe('true: it is not deployed until it is released'),
  failure_policy: optional(FailurePolicy).describe('What is done when its VMs fail to deploy; absent: the role fails'),
  placement: optional(RolePlacement).describe('Which hosts its VMs share with each other and with other roles'),
  scale_in: optional(ScaleInOrder).describe(
    'Which of its VMs go first when there are too many: oldest, newest, or those that use the least CPU; absent: the oldest',
  ),
  min_vms: z.preprocess(lenientInteger, vmCount.optional()).describe('Least VMs, for elasticity'),
  max_vms: z.preprocess(lenientInteger, vmCount.optional()).describe('Most VMs, for elasticity'),
  cooldown: optionalNatural.describe('Seconds after a scaling in which policies rest'),
  cooldown_up: optionalNatural.describe('Seconds after a scaling in which policies add no VMs; absent: as cooldown'),
  cooldown_down: optionalNatural.describe('Seconds after a scaling in which policies take no VMs; absent: as cooldown'),
  elasticity_policies: optional(z.array(ElasticityPolicy).meta({ maxItems: limits.policies.most })),
  scheduled_policies: optional(z.array(ScheduledPolicy).meta({ maxItems: limits.policies.most })),
  user_inputs: optional(customValues).describe(
    'What is asked for when it is instantiated, by name: `M|number|How many?| |5`',
  ),
  user_inputs_values: optional(customValues).describe('Its values, added to vm_template_contents'),
});
export type RoleTemplate = z.infer<typeof RoleTemplate>;

/** Counted before they are looked at: each policy that is wrong costs as much as ten that are right. */
function withFewFaults(roles: unknown, context: z.core.$RefinementCtx): unknown {
  if (!Array.isArray(roles)) return absent(roles);
  const policies = roles.reduce<number>((sum, role) => sum + policiesOf(role), 0);
  if (policies <= limits.policiesInAll.most) return upToFaults(roles.slice(0, limits.roles.most + 1));
  context.addIssue(`have ${policies} policies together; at most ${limits.policiesInAll.most} are possible`);
  return roles;
}

/** Roles as far as so much is wrong with them as is told of: each fault costs as much as many roles that are right. */
function upToFaults(roles: readonly unknown[]): readonly unknown[] {
  let faults = 0;
  for (const [at, role] of roles.entries()) {
    faults += RoleTemplate.safeParse(role).error?.issues.length ?? 0;
    if (faults >= limits.findings.most) return roles.slice(0, at + 1);
  }
  return roles;
}

const Policies = z.object({ elasticity_policies: z.unknown(), scheduled_policies: z.unknown() }).partial();

function policiesOf(role: unknown): number {
  const { elasticity_policies: one, scheduled_policies: two } = Policies.safeParse(role).data ?? {};
  return (Array.isArray(one) ? one.length : 0) + (Array.isArray(two) ? two.length : 0);
}

export const ServiceTemplateBody = z.looseObject({
  name: z.preprocess(absent, ObjectName),
  description: optional(text).describe('What it is for'),
  deployment: z
    .preprocess(absent, z.enum(['none', 'straight']).default('none'))
    .describe('straight: parents before children; none: all roles at once'),
  shutdown_action: optional(ShutdownAction).describe('How VMs go; absent: as configured'),
  automatic_deletion: optional(z.boolean()).describe('Whether the service is removed once it is DONE'),
  on_hold: OnHold.describe('true: none of its roles is deployed until it is released'),
  ready_status_gate: z
    .preprocess(absent, z.boolean().default(false))
    .describe('Whether a VM counts as running only after its guest reported READY=YES'),
  custom_attrs: optional(customValues).describe(
    'Attributes asked for at instantiation; one such as `M|list|Which size?|small,large|small` is checked then: must it be given (M, O), its type, the question, what it may be, its default',
  ),
  custom_attrs_values: optional(customValues).describe('Their values'),
  networks: optional(z.record(z.string(), z.unknown()).meta({ maxProperties: limits.serviceNetworks.most })).describe(
    'Networks asked for at instantiation, by name: `M|network|Public addresses| |id:0`, the last of them the default; in roles `NIC = [ NETWORK_ID = "$NAME" ]`',
  ),
  networks_values: optional(
    z.array(z.record(z.string(), z.unknown())).meta({ maxItems: limits.serviceNetworks.most }),
  ).describe(
    'Which they are: `[{"NAME": {"id": "0"}}]`, or what is reserved of one: `{"reserve_from": "0", "extra": "SIZE=10"}`',
  ),
  roles: z.preprocess(
    withFewFaults,
    z
      .array(RoleTemplate, { error: required('a list of roles') })
      .max(limits.roles.most, `must be at most ${limits.roles.most}`),
  ),
});
export type ServiceTemplateBody = z.infer<typeof ServiceTemplateBody>;

/** A merge patch of that: lists, roles among them, are replaced whole. */
export const UpdateServiceTemplate = z
  .record(z.string(), z.unknown())
  .describe('Members to set; null takes one away; objects are merged, lists replaced whole');

export const CloneServiceTemplate = z.strictObject({
  name: ObjectName.describe('Of the new template'),
  vm_templates: z
    .boolean()
    .optional()
    .describe(
      'Whether its roles have VM templates of their own: those that they name are cloned, too; you may have to be allowed to create VM templates',
    ),
  images: z
    .boolean()
    .optional()
    .describe(
      'With those VM templates: whether what their disks are made of is cloned, too, each image once; you need USE on it, and CREATE on IMAGE',
    ),
});
export type CloneServiceTemplate = z.infer<typeof CloneServiceTemplate>;

/** `revision`: rises with each change of the body, from 1; absent: 1. `revised_at`: since when it is that; absent: since it was made. */
export type ServiceTemplate = Ownership & {
  _id: number;
  name: string;
  body: ServiceTemplateBody;
  created_at: Date;
  revision?: number;
  revised_at?: Date;
};

/** What a template was before it was changed: nothing of it changes any more. */
export type PastRevision = { template: number; revision: number; body: ServiceTemplateBody; created_at: Date };

export const firstRevision = 1;

export const ServiceTemplateResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  revision: z.int().describe('Rises with each change of the body, from 1'),
  body: ServiceTemplateBody,
  warnings: z
    .array(z.string())
    .describe('Where OneFlow would read the expression of a policy in another way than it is read here'),
  created_at: Timestamp,
}).meta({ id: 'ServiceTemplate' });
export type ServiceTemplateResource = z.infer<typeof ServiceTemplateResource>;

/** What a template is, or was, as one of its changes has made it. */
export const ServiceTemplateRevision = z
  .object({ revision: z.int(), body: ServiceTemplateBody, created_at: Timestamp.describe('When it came to be') })
  .meta({ id: 'ServiceTemplateRevision' });
export type ServiceTemplateRevision = z.infer<typeof ServiceTemplateRevision>;

export const ServiceTemplateRevisions = z
  .object({
    items: z
      .array(ServiceTemplateRevision.omit({ body: true }).extend({ roles: z.int().describe('How many it has') }))
      .describe('The newest, which the template is now, first'),
  })
  .meta({ id: 'ServiceTemplateRevisions' });
export type ServiceTemplateRevisions = z.infer<typeof ServiceTemplateRevisions>;
