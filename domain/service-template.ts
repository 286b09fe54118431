import type { RoleTemplate, ServiceTemplateBody } from '../schemas/service-template.js';
import { cronFault } from './cron.js';
import { expressionFindings } from './expressions/findings.js';
import { type Finding, Problem } from './problems.js';
import { findCycle } from './role-graph.js';
import { checkRolePlacement } from './role-placement.js';
import { parseTemplateText, quoted } from './template-text.js';

/** Hints and circles beyond these are left out: finding them all in a hostile template takes minutes. */
const mostHints = 10;
const mostCircles = 20;

/** Everything that is wrong with a template whose shape and size are right: names, parents, circles, policies. */
export function checkServiceTemplate(body: ServiceTemplateBody): Finding[] {
  return [
    ...repeatedNames(body.roles),
    ...unknownParents(body.roles),
    ...circles(body.roles),
    ...checkRolePlacement(body.roles),
    ...body.roles.flatMap((role, at) => [
      ...unreadableContents(role, `/roles/${at}`),
      ...wrongSizes(role, `/roles/${at}`),
      ...wrongElasticityPolicies(role, `/roles/${at}/elasticity_policies`),
      ...wrongScheduledPolicies(role, `/roles/${at}/scheduled_policies`),
    ]),
  ];
}

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
      const close = ++hints > mostHints ? undefined : closest(parent, names);
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

function unreadableContents({ vm_template_contents: contents }: RoleTemplate, pointer: string): Finding[] {
  const parsed = parseTemplateText(contents ?? '');
  if (parsed.ok)
    return expressionFindings(parsed.value, '').map(({ pointer: attribute, detail }) => ({
      pointer: `${pointer}/vm_template_contents`,
      detail: `${attribute.slice(1)}, ${detail}`,
    }));
  return parsed.errors.map(({ line, column, detail }) => ({
    pointer: `${pointer}/vm_template_contents`,
    detail: `line ${line}, column ${column}: ${detail}`,
  }));
}

function wrongSizes(role: RoleTemplate, pointer: string): Finding[] {
  const { cardinality, min_vms, max_vms } = role;
  const findings: Finding[] = [];
  if (min_vms !== undefined && cardinality < min_vms)
    findings.push({ pointer: `${pointer}/cardinality`, detail: `is ${cardinality}, below min_vms ${min_vms}` });
  if (max_vms !== undefined && cardinality > max_vms)
    findings.push({ pointer: `${pointer}/cardinality`, detail: `is ${cardinality}, above max_vms ${max_vms}` });
  const policies = [...(role.elasticity_policies ?? []), ...(role.scheduled_policies ?? [])];
  if (policies.length > 0)
    for (const bound of ['min_vms', 'max_vms'] as const)
      if (role[bound] === undefined)
        findings.push({ pointer: `${pointer}/${bound}`, detail: 'is required for a role with policies' });
  return findings;
}

const wrongElasticityPolicies = ({ elasticity_policies: policies = [] }: RoleTemplate, pointer: string): Finding[] =>
  policies.flatMap(({ expression }, at) =>
    expression.trim() === '' ? [{ pointer: `${pointer}/${at}/expression`, detail: 'must not be empty' }] : [],
  );

function wrongScheduledPolicies({ scheduled_policies: policies = [] }: RoleTemplate, pointer: string): Finding[] {
  return policies.flatMap(({ recurrence, start_time }, at) => {
    const findings: Finding[] = [];
    if (recurrence === undefined && start_time === undefined)
      findings.push({ pointer: `${pointer}/${at}`, detail: 'needs start_time or recurrence' });
    if (recurrence !== undefined && start_time !== undefined)
      findings.push({ pointer: `${pointer}/${at}`, detail: 'has both start_time and recurrence; give one of them' });
    const fault = recurrence === undefined ? undefined : cronFault(recurrence);
    if (fault !== undefined)
      findings.push({ pointer: `${pointer}/${at}/recurrence`, detail: `is not a cron expression: ${fault}` });
    if (start_time?.trim() === '')
      findings.push({ pointer: `${pointer}/${at}/start_time`, detail: 'must not be empty' });
    return findings;
  });
}

/** The name that differs least, when it is close enough to be what was meant. */
function closest(wish: string, names: Iterable<string>): string | undefined {
  if (wish.length > 64) return undefined;
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    if (Math.abs(name.length - wish.length) > 3) continue;
    const distance = editDistance(wish.toLowerCase(), name.toLowerCase());
    if (distance <= Math.max(1, Math.floor(name.length / 3)) && (best === undefined || distance < best.distance))
      best = { name, distance };
  }
  return best?.name;
}

/** Levenshtein's: how many letters must be added, dropped or changed. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const kept = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(kept, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/**
 * The template that an instantiation uses: `merge` over the top level (shallow, as OneFlow 5.0), values of
 * `custom_attrs_values` for each `$NAME` in the roles' `vm_template_contents`, and the roles' `user_inputs_values`
 * behind them. The shape is not checked: parse and check the result. Throws `invalid_request` with every `$NAME` that
 * `custom_attrs` promises and `custom_attrs_values` lacks; another `$NAME` stays as it is.
 */
export function mergeServiceTemplate(
  body: Readonly<Record<string, unknown>>,
  merge: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...body, ...merge };
  if (!Array.isArray(merged.roles)) return merged;
  const promised = attributesOf(merged.custom_attrs);
  const values = attributesOf(merged.custom_attrs_values);
  const findings: Finding[] = [];
  const roles = merged.roles.map((role: unknown, at) => {
    if (!isRecord(role)) return role;
    const lines = Object.entries(attributesOf(role.user_inputs_values)).map(
      ([name, value]) => `${name}=${quoted(value)}\n`,
    );
    const { vm_template_contents: contents } = role;
    if (typeof contents !== 'string')
      return lines.length === 0 ? role : { ...role, vm_template_contents: lines.join('') };
    const missing = new Set<string>();
    const filled = contents.replace(/\$(\w+)/g, (word, name: string) => {
      if (Object.hasOwn(values, name)) return asText(values[name]);
      if (Object.hasOwn(promised, name)) missing.add(name);
      return word;
    });
    for (const name of missing)
      findings.push({
        pointer: `/custom_attrs_values/${name}`,
        detail: `is required: $${name} stands in vm_template_contents of role ${typeof role.name === 'string' ? role.name : at}`,
      });
    const before = filled === '' || filled.endsWith('\n') || lines.length === 0 ? filled : `${filled}\n`;
    return { ...role, vm_template_contents: before + lines.join('') };
  });
  if (findings.length > 0)
    throw new Problem('invalid_request', 'values of custom attributes are missing', { findings });
  return { ...merged, roles };
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const attributesOf = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
