import { z } from 'zod';
import { capital } from '../common/capital.js';
import { ObjectId } from '../common/common.js';
import type { ListFields } from '../common/list.js';
import { recordOf } from '../common/record-of.js';
import { type CountedKind, countedAs, countedKinds } from '../kinds.js';
import { type Amounts, type QuotaKind, quotaKinds } from './amounts.js';
import { MeasuredKind, patchPerResource, shownPerResource, wholePerResource } from './quota-on.js';

/** How many a user has, or may have, of what is counted of each: not charged, for there is nothing to be given back. */
export type Counts = Record<CountedKind, number>;

/** How many a user may have of what is counted, where nobody has said otherwise. */
export const countedDefaults: Readonly<Counts> = recordOf(countedKinds, (kind) => countedAs[kind].most);

/** Those of what is counted that count: `tokens that have not expired`. */
export const countedText = (kind: CountedKind): string => {
  const { several, those } = countedAs[kind];
  return those === undefined ? several : `${several} ${those}`;
};

/** Whose a quota is. */
export const QuotaHolderType = z.enum(['user', 'group']);
export type QuotaHolderType = z.infer<typeof QuotaHolderType>;
export type QuotaHolder = { type: QuotaHolderType; id: number };

/** As a limit: what the default says, and no limit. OpenNebula's numbers. */
export const asDefault = -1;
export const unlimited = -2;

const counted = (what: string) =>
  z
    .int(`must be a whole number; ${asDefault}: the default, ${unlimited}: no limit`)
    .min(unlimited, `must be at least 0; or ${asDefault}: the default, ${unlimited}: no limit`)
    .describe(`${what}; ${asDefault}: the default, ${unlimited}: no limit`);

const isLimitOfCores = (cores: number): boolean => cores >= 0 || cores === asDefault || cores === unlimited;
/** 0.29 × 100 is 28.999999999999996. */
const isInHundredths = (cores: number): boolean => Math.abs(cores * 100 - Math.round(cores * 100)) < 1e-6;

type Each<T> = Record<QuotaKind, T>;
const eachLimit = <T extends z.ZodType>(
  { services, vms, cpu, memory, images, storage, leases }: Each<z.ZodNumber>,
  of: (limit: z.ZodNumber) => T,
) =>
  z.strictObject({
    services: of(services),
    vms: of(vms),
    cpu: of(cpu),
    memory: of(memory),
    images: of(images),
    storage: of(storage),
    leases: of(leases),
  });

const eachKind = {
  services: counted('Services'),
  vms: counted('VMs, those of services among them'),
  cpu: z
    .number('must be a number of cores')
    .max(1e9, 'must be at most 1000000000')
    .refine(isLimitOfCores, `must be at least 0; or ${asDefault}: the default, ${unlimited}: no limit`)
    .refine(isInHundredths, 'must be in hundredths of a core')
    .meta({
      multipleOf: 0.01,
      anyOf: [{ minimum: 0 }, { enum: [asDefault, unlimited] }],
      description: `Cores, in hundredths; ${asDefault}: the default, ${unlimited}: no limit`,
    }),
  memory: counted('Memory in MB'),
  images: counted('Images'),
  storage: counted('Sizes of images in MB'),
  leases: counted('Addresses of virtual networks'),
};
const AllLimits = z.strictObject({ ...eachKind, ...shownPerResource(counted) });

const countedLimits = recordOf(countedKinds, (kind): z.ZodNumber => counted(capital(countedText(kind))));
const eachCounted = <T extends z.ZodType>(of: (limit: z.ZodNumber, kind: CountedKind) => T): Record<CountedKind, T> =>
  recordOf(countedKinds, (kind) => of(countedLimits[kind], kind));
const UserLimits = AllLimits.extend(countedLimits);

/** Limits of a group, whole: those that are absent are the default. */
export const QuotaEdit = eachLimit(eachKind, (limit) => limit.default(asDefault)).extend(
  wholePerResource((what) => counted(what).default(asDefault)),
);
export type QuotaEdit = z.output<typeof QuotaEdit>;
/** The same of a user. */
export const UserQuotaEdit = QuotaEdit.extend(eachCounted((limit) => limit.default(asDefault)));
export type UserQuotaEdit = z.output<typeof UserQuotaEdit>;

/** A merge patch of that. */
export const UpdateQuota = eachLimit(eachKind, (limit) => limit.nullable().optional()).extend(
  patchPerResource(counted),
);
export type UpdateQuota = z.infer<typeof UpdateQuota>;
export const UpdateUserQuota = UpdateQuota.extend(eachCounted((limit) => limit.nullable().optional()));
export type UpdateUserQuota = z.infer<typeof UpdateUserQuota>;

const notDefault = <T extends z.ZodNumber>(limit: T) =>
  limit
    .refine((given) => given !== asDefault, `must not be ${asDefault}: it is the default itself`)
    .meta({ ...limit.meta(), not: { const: asDefault } });
const DefaultLimits = eachLimit(eachKind, (limit) => notDefault(limit).default(unlimited)).extend(
  wholePerResource((what) => notDefault(counted(what)).default(unlimited)),
);
const DefaultLimitsPatch = eachLimit(eachKind, (limit) => notDefault(limit).nullable().optional()).extend(
  patchPerResource((what) => notDefault(counted(what))),
);

const DefaultUserLimits = DefaultLimits.extend(
  eachCounted((limit, kind) => notDefault(limit).default(countedDefaults[kind])),
);
const DefaultUserLimitsPatch = DefaultLimitsPatch.extend(
  eachCounted((limit) => notDefault(limit).nullable().optional()),
);

/** Default limits, whole: those that are absent are none; of what is counted, those of Arcus. */
export const DefaultQuotasEdit = z.strictObject({
  users: DefaultUserLimits.prefault({}),
  groups: DefaultLimits.prefault({}),
});
export type DefaultQuotasEdit = z.output<typeof DefaultQuotasEdit>;

/** A merge patch of that. */
export const UpdateDefaultQuotas = z.strictObject({
  users: DefaultUserLimitsPatch.nullable().optional().describe('Of every user whose own limit is the default'),
  groups: DefaultLimitsPatch.nullable().optional().describe('Of every group whose own limit is the default'),
});
export type UpdateDefaultQuotas = z.infer<typeof UpdateDefaultQuotas>;

export const DefaultQuotas = z.object({ users: UserLimits, groups: AllLimits }).meta({ id: 'DefaultQuotas' });
export type DefaultQuotas = z.infer<typeof DefaultQuotas>;

const used = (unit: string) =>
  z.object({
    limit: z.number().describe(`As it is set for this one: ${unit}; ${asDefault}: the default, ${unlimited}: no limit`),
    effective: z.number().nullable().describe(`What holds, the default among it: ${unit}; null: no limit`),
    used: z.number().describe(`What is in use: ${unit}`),
  });

export const QuotaResource = z
  .object({
    id: ObjectId.describe('Id of the user or group'),
    type: QuotaHolderType,
    name: z.string(),
    exempt: z.boolean().describe('Never counted and never refused: user 0, and group 0'),
    services: used('services'),
    vms: used('VMs'),
    cpu: used('cores'),
    memory: used('MB'),
    images: used('images'),
    storage: used('MB'),
    leases: used('addresses').describe(
      'Addresses of virtual networks: those of VMs, and those that are reserved. Of a reservation they are not counted again',
    ),
    ...shownPerResource((what) => used(what)),
    ...recordOf(countedKinds, (kind) => {
      const { whose } = countedAs[kind];
      return used(countedText(kind))
        .optional()
        .describe(whose === undefined ? 'Of a user' : `Of a user: ${whose}`);
    }),
  })
  .meta({ id: 'Quota' });
export type QuotaResource = z.infer<typeof QuotaResource>;

/** What lists of quotas can be filtered by. */
export const quotaFields = { id: { kind: 'integer', path: '_id', sorts: true } } as const satisfies ListFields;

/** The caller's own quotas, and those of the caller's groups. */
export const OwnQuotas = z.object({ user: QuotaResource, groups: z.array(QuotaResource) }).meta({ id: 'OwnQuotas' });
export type OwnQuotas = z.infer<typeof OwnQuotas>;

/** A quota that stands in the way, as a refusal tells it. */
export const QuotaExceeded = z.object({
  quota: z.enum([...quotaKinds, ...countedKinds, 'size', 'rvms']),
  of: z
    .object({ type: MeasuredKind, id: ObjectId })
    .optional()
    .describe('The one network, datastore or image that it is on; absent: it is on all'),
  holder: z.object({ type: QuotaHolderType, id: ObjectId }),
  limit: z.number(),
  used: z.number(),
  asked: z.number().describe('How much more was asked for'),
});
export type QuotaExceeded = z.infer<typeof QuotaExceeded>;

/** The quota of one user or group as stored, under the id of that. */
export type Quota = { _id: number; limits: Amounts & Partial<Counts>; used: Amounts };
