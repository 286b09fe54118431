import { attributeNameFault, pointerStep } from '../../schemas/common/attribute-name.js';
import { limits } from '../../schemas/common/limits.js';
import { nearestName } from '../../schemas/common/nearest-name.js';
import type { RoleTemplate, ServiceTemplateBody } from '../../schemas/services/service-template.js';
import { atOnce } from '../bit-by-bit.js';
import { type Finding, Problem } from '../problems.js';
import { wrongPolicies } from './elasticity-policies.js';
import { type MergeWay, mergedTemplate } from './merge-template.js';
import { networkFindings, networkIds } from './network-wishes.js';
import { CustomValues, contentsFindings, fillRoles } from './role-contents.js';
import { findCycle } from './role-graph.js';
import { checkRolePlacement } from './role-placement.js';
import { wrongScheduledPolicies } from './scheduled-policies.js';
import { inputValues } from './user-inputs.js';

/** Hints and circles beyond these are left out: finding them all in a hostile template takes minutes. */
const mostHints = 10;
const mostCircles = 20;

/** What is wrong with a template, whose shape and size are right, as a whole: names, parents, circles, placement. */
export function checkRoles(body: ServiceTemplateBody): Finding[] {
  const { roles } = body;
  return [
    ...wrongNames(body),
    ...networkFindings(body),
    ...repeatedNames(roles),
    ...unknownParents(roles),
    ...circles(roles),
    ...checkRolePlacement(roles),
  ];
}

/** The custom attributes and networks of a template, which are filled in when it is instantiated. */
export const customAttributes = ({
  custom_attrs,
  custom_attrs_values,
  networks,
}: ServiceTemplateBody): ReadonlySet<string> =>
  new Set(Object.keys({ ...custom_attrs, ...custom_attrs_values, ...networks }));

/**
 * What is wrong with one of its roles by itself: contents, sizes, policies. It stands at `pointer`. `pending`: the custom
 * attributes that are yet to be filled in.
 */
export const checkRole = (role: RoleTemplate, pointer: string, pending: ReadonlySet<string>): Finding[] => [
  ...contentsFindings(role, pointer, pending),
  ...wrongSizes(role, pointer),
  ...wrongPolicies(role.elasticity_policies, `${pointer}/elasticity_policies`),
  ...wrongScheduledPolicies(role.scheduled_policies, `${pointer}/scheduled_policies`),
];

function repeatedNames(roles: readonly RoleTemplate[]): Finding[] {
  const seen = new Set<string>();
  return roles.flatMap(({ name }, at) => {
    const repeated = seen.has(name);
    seen.add(name);
    return repeated ? [{ pointer: `/roles/${at}/name`, detail: `the role name "${name}" is used twice` }] : [];
  });
}

function unknownParents(roles: readonly RoleTemplate[]): Finding[] {
  const names = new Set(roles.map((role) => role.name));
  let hints = 0;
  return roles.flatMap((role, at) =>
    role.parents.flatMap((parent, nth) => {
      if (names.has(parent)) return [];
      const close = ++hints > mostHints ? undefined : nearestName(parent, names);
      const hint = close === undefined ? '' : `; did you mean "${close}"?`;
      return [{ pointer: `/roles/${at}/parents/${nth}`, detail: `no role is called "${parent}"${hint}` }];
    }),
  );
}

/** One finding for each circle; circles that share a role are named one at a time. */
function circles(roles: readonly RoleTemplate[]): Finding[] {
  const findings: Finding[] = [];
  let left = [...roles];
  for (let circle = findCycle(left); circle !== undefined && findings.length < mostCircles; circle = findCycle(left)) {
    const [first, ...rest] = circle;
    const names = new Set(circle);
    const waits = rest.map((parent, at) => `${circle[at]} waits for ${parent}`).join(', ');
    findings.push({
      pointer: `/roles/${roles.findIndex((role) => role.name === first)}/parents`,
      detail: `the roles wait for each other in a circle: ${waits}`,
    });
    left = left.filter((role) => !names.has(role.name));
  }
  return findings;
}

/** Of custom attributes and user inputs: they become attributes of VMs. */
function wrongNames(body: ServiceTemplateBody): Finding[] {
  const faults = (attributes: object | undefined, pointer: string): Finding[] =>
    Object.keys(attributes ?? {}).flatMap((name) => {
      const detail = attributeNameFault(name);
      return detail === undefined ? [] : [{ pointer: `${pointer}/${pointerStep(name)}`, detail }];
    });
  return [
    ...faults(body.custom_attrs, '/custom_attrs'),
    ...faults(body.custom_attrs_values, '/custom_attrs_values'),
    ...body.roles.flatMap((role, at) => faults(role.user_inputs_values, `/roles/${at}/user_inputs_values`)),
  ];
}

function wrongSizes(role: RoleTemplate, pointer: string): Finding[] {
  const { cardinality, min_vms, max_vms } = role;
  const findings: Finding[] = [];
  if (min_vms !== undefined && cardinality < min_vms)
    findings.push({ pointer: `${pointer}/cardinality`, detail: `is ${cardinality}, below min_vms ${min_vms}` });
  if (max_vms !== undefined && cardinality > max_vms)
    findings.push({ pointer: `${pointer}/cardinality`, detail: `is ${cardinality}, above max_vms ${max_vms}` });
  // An action scales nothing.
  const scheduled = role.scheduled_policies?.filter(({ action }) => action === undefined) ?? [];
  const policies = [...(role.elasticity_policies ?? []), ...scheduled];
  if (policies.length > 0)
    for (const bound of ['min_vms', 'max_vms'] as const)
      if (role[bound] === undefined)
        findings.push({ pointer: `${pointer}/${bound}`, detail: 'is required for a role with policies' });
  return findings;
}

/**
 * The template that an instantiation uses: `merge` over it, values of the inputs of template and roles, as they are given or
 * said by default, values of `custom_attrs_values` for each `$NAME` in the roles' `vm_template_contents`, and the roles' `user_inputs_values`
 * behind them. The shape is not checked: parse and check the result. Throws `invalid_request` with every input that lacks a
 * value or has a wrong one, or every `$NAME` that
 * `custom_attrs` promises and `custom_attrs_values` lacks, and with contents that would be too long; another `$NAME`
 * stays as it is.
 */
export const mergeServiceTemplate = (...given: Parameters<typeof withInputs>): Record<string, unknown> =>
  atOnce(fillingRoles(withInputs(...given)));

/** A template with its values, and these in the places of `$NAME` in its roles; bit by bit. */
export function* fillingRoles(merged: Readonly<Record<string, unknown>>): Generator<void, Record<string, unknown>> {
  if (!Array.isArray(merged.roles)) return { ...merged };
  const values = new CustomValues(
    { ...membersOf(merged.custom_attrs_values), ...networkIds(merged) },
    membersOf(merged.custom_attrs),
    membersOf(merged.networks),
  );
  const { roles, findings } = yield* fillRoles(merged.roles, values);
  refuse(findings, 'The values of custom attributes cannot be put into the roles.');
  return { ...merged, roles };
}

/** Values of inputs by their names, of those of a role with its name before them: `db/SIZE`. */
export type InputValues = Readonly<Record<string, unknown>>;

/**
 * `merge` over a template, and `given` over that, with the values of all inputs, of the template and of its roles. What is missing of the
 * template's is known once it is looked for in contents.
 */
export function withInputs(
  body: Readonly<Record<string, unknown>>,
  merge: Readonly<Record<string, unknown>> = {},
  way: MergeWay = 'shallow',
  given: InputValues = {},
): Record<string, unknown> {
  const merged = mergedTemplate(body, merge, way);
  const { custom_attrs, custom_attrs_values, roles } = merged;
  const left = new Map(Object.entries(given));
  /** Those that were given for these inputs; `under`: the name of their role. */
  const over = (inputs: unknown, under = ''): Record<string, unknown> => {
    const found: Record<string, unknown> = {};
    for (const name of Object.keys(membersOf(inputs)))
      if (Object.hasOwn(given, under + name)) {
        found[name] = given[under + name];
        left.delete(under + name);
      }
    return found;
  };
  const findings: Finding[] = [];
  /** What is wrong with a value is said where it was given. */
  const say = (found: readonly Finding[], under: string, values: object, below: string) =>
    findings.push(
      ...found.map(({ pointer, detail }) => {
        const name = pointer.slice(below.length + 1);
        const where = Object.hasOwn(values, name)
          ? `/inputs/${pointerStep(under + name)}`
          : `/merge_template${pointer}`;
        return { pointer: where, detail };
      }),
    );
  const values = over(custom_attrs);
  const pointer = '/custom_attrs_values';
  const own = inputValues(
    membersOf(custom_attrs),
    { ...membersOf(custom_attrs_values), ...values },
    { pointer, demanded: false },
  );
  say(own.findings, '', values, pointer);
  const filledRole = (role: unknown, at: number): unknown => {
    const { user_inputs, user_inputs_values, ...more } = membersOf(role);
    if (user_inputs === undefined) return role;
    const under = `${String(more.name)}/`;
    const its = over(user_inputs, under);
    const below = `/roles/${at}/user_inputs_values`;
    const filled = inputValues(
      membersOf(user_inputs),
      { ...membersOf(user_inputs_values), ...its },
      { pointer: below, demanded: true },
    );
    say(filled.findings, under, its, below);
    return { ...more, user_inputs, user_inputs_values: filled.values };
  };
  const filled = Array.isArray(roles) ? roles.map(filledRole) : roles;
  for (const name of left.keys())
    findings.push({ pointer: `/inputs/${pointerStep(name)}`, detail: `the template asks for no ${name}` });
  if (findings.length > 0)
    throw new Problem('invalid_request', 'What the template asks for is not all given.', {
      findings: findings.slice(0, limits.findings.most),
    });
  return {
    ...merged,
    ...(Object.keys(own.values).length > 0 && { custom_attrs_values: own.values }),
    ...(Array.isArray(roles) && { roles: filled }),
  };
}

function refuse(found: readonly Finding[], sentence: string): void {
  if (found.length === 0) return;
  const findings = found.map(({ pointer, detail }) => ({ pointer: `/merge_template${pointer}`, detail }));
  throw new Problem('invalid_request', sentence, { findings });
}

const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
