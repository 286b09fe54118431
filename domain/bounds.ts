import { amountOf, grouped, type LimitName, limits } from '../schemas/common/limits.js';
import type { ServiceTemplateBody } from '../schemas/services/service-template.js';
import type { Finding } from './problems.js';
import { tiesBytes } from './services/measure-ties.js';
import { networkCount } from './services/network-wishes.js';

/** How much something has of what a limit counts, and where that is. */
export type Measured = { limit: LimitName; pointer: string; is: number };

/**
 * What goes beyond its limit. `before`: the same of what was there before an edit: what was beyond already is let be as
 * long as it does not grow, so that it can be made smaller bit by bit and does not stand in the way of other changes.
 */
export function beyond(after: readonly Measured[], before: readonly Measured[] = []): Finding[] {
  const had = new Map(before.map(({ limit, is }) => [limit, is]));
  return after
    .filter(({ limit, is }) => is > limits[limit].most && is > (had.get(limit) ?? 0))
    .map(({ limit, pointer, is }) => ({ pointer, detail: said(limit, is) }));
}

function said(limit: LimitName, is: number): string {
  const { most, unit } = limits[limit];
  const has = unit === 'bytes' ? `${amountOf(is, unit)} as JSON` : amountOf(is, unit);
  const what = limit === 'attributeName' ? `a name of ${has}` : has;
  return `would have ${what}; at most ${unit === 'bytes' ? amountOf(most, unit) : grouped(most)} are possible`;
}

/** Bytes of a value as JSON. */
export const jsonBytes = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value) ?? '').length;

/** Attributes of a VM template. */
export const measureVmTemplate = (template: unknown, pointer: string): Measured[] => [
  { limit: 'vmTemplate', pointer, is: jsonBytes(template) },
  ...measureAttributes(template, pointer),
];

/** The same of a template some of whose attributes are changed: from what it was, and what is changed. */
export function measureChanged(whole: readonly Measured[], template: object, changes: object): Measured[] {
  const replaced = Object.fromEntries(Object.entries(template).filter(([name]) => Object.hasOwn(changes, name)));
  const [before, after] = [measureVmTemplate(replaced, ''), measureVmTemplate(changes, '')];
  return whole.map(({ limit, pointer, is }, at) => {
    const [went, came] = [before[at]?.is ?? 0, after[at]?.is ?? 0];
    const adds = limit === 'vmTemplate' || limit === 'attributes';
    // Of each, JSON's braces are counted, and a comma less than there are names: one byte more than it adds.
    const sizes = limit === 'vmTemplate' ? membersOf(came) - membersOf(went) : came - went;
    return { limit, pointer, is: adds ? is + sizes : Math.max(is, came) };
  });
}

const membersOf = (bytes: number): number => (bytes > 2 ? bytes - 1 : 0);

/** What owner and guest write. */
export const measureUserTemplate = (template: unknown, pointer: string): Measured[] => [
  { limit: 'userTemplate', pointer, is: jsonBytes(template) },
  ...measureAttributes(template, pointer),
];

/** Of a user. */
export const measureUserAttributes = (attributes: object, pointer: string): Measured[] => [
  { limit: 'userAttributeBytes', pointer, is: jsonBytes(attributes) },
  { limit: 'userAttributes', pointer, is: Object.keys(attributes).length },
];

/** Of a host, or of a cluster. */
export const measureHostAttributes = (attributes: object, pointer: string): Measured[] => [
  { limit: 'hostAttributes', pointer, is: jsonBytes(attributes) },
  { limit: 'hostAttributeCount', pointer, is: Object.keys(attributes).length },
];

/** A service template, or what a service is made of. */
export function measureServiceTemplate(body: ServiceTemplateBody): Measured[] {
  const { roles } = body;
  const total = (count: (role: (typeof roles)[number]) => number) => roles.reduce((sum, role) => sum + count(role), 0);
  const each = (limit: LimitName, path: string, count: (role: (typeof roles)[number]) => number) =>
    largest(roles.map((role, at) => ({ limit, pointer: `/roles/${at}${path}`, is: count(role) })));
  const members = (value: unknown) => (typeof value === 'object' && value !== null ? Object.keys(value).length : 0);
  return [
    { limit: 'serviceTemplate', pointer: '', is: jsonBytes(body) },
    { limit: 'vmsOfService', pointer: '/roles', is: total(({ cardinality }) => cardinality) },
    ...each('parents', '/parents', ({ parents }) => parents.length),
    { limit: 'parentsInAll', pointer: '/roles', is: total(({ parents }) => parents.length) },
    {
      limit: 'affinitiesInAll',
      pointer: '/roles',
      is: total(({ placement }) => (placement?.affinity.length ?? 0) + (placement?.anti_affinity.length ?? 0)),
    },
    { limit: 'tiesOfVms', pointer: '/roles', is: tiesBytes(roles) },
    ...largest([
      ...each('policies', '/elasticity_policies', ({ elasticity_policies }) => elasticity_policies?.length ?? 0),
      ...each('policies', '/scheduled_policies', ({ scheduled_policies }) => scheduled_policies?.length ?? 0),
    ]),
    {
      limit: 'policiesInAll',
      pointer: '/roles',
      is: total(
        ({ elasticity_policies, scheduled_policies }) =>
          (elasticity_policies?.length ?? 0) + (scheduled_policies?.length ?? 0),
      ),
    },
    { limit: 'serviceNetworks', pointer: '/networks', is: networkCount(body) },
    ...each('recurrence', '/scheduled_policies', ({ scheduled_policies = [] }) =>
      scheduled_policies.reduce((most, { recurrence = '' }) => Math.max(most, recurrence.length), 0),
    ),
    ...largest([
      ...(['custom_attrs', 'custom_attrs_values'] as const).map(
        (name): Measured => ({ limit: 'customValues', pointer: `/${name}`, is: members(body[name]) }),
      ),
      ...each('customValues', '/user_inputs_values', ({ user_inputs_values }) => members(user_inputs_values)),
    ]),
  ];
}

function largest(measured: readonly Measured[]): Measured[] {
  let most: Measured | undefined;
  for (const one of measured) if (most === undefined || one.is > most.is) most = one;
  return most ? [most] : [];
}

/** Names at every level and items of lists, how deep they lie, and the longest name. */
function measureAttributes(attributes: unknown, pointer: string): Measured[] {
  let count = 0;
  let depth = 0;
  let longest = 0;
  const left: { value: unknown; at: number }[] = [{ value: attributes, at: 0 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, at } = next;
    depth = Math.max(depth, at);
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      count++;
      if (!Array.isArray(value)) longest = Math.max(longest, name.length);
      left.push({ value: inner, at: at + 1 });
    }
  }
  return [
    { limit: 'attributes', pointer, is: count },
    { limit: 'attributeDepth', pointer, is: depth },
    { limit: 'attributeName', pointer, is: longest },
  ];
}
