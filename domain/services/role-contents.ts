import { grouped, limits } from '../../schemas/common/limits.js';
import type { RoleTemplate } from '../../schemas/services/service-template.js';
import { expressionFindings } from '../expressions/findings.js';
import type { Finding } from '../problems.js';
import { attributesOf, printAttribute, readTemplateText, type TextEntry } from '../template-text.js';
import { classOf, TextScanner } from '../text-scanner.js';

// `vm_template_contents` of a role: template text in which a custom attribute may stand as `$NAME`. It stands in a value,
// or by itself in the place of attributes. Its own value is never read as part of the text: whatever it holds, no
// attribute begins or ends by it.

/** What behind a `$` is the name of a custom attribute. */
const inName = classOf((character) => /\w/.test(character));

/** Characters that the contents of one role, and of all of a service, may have when they are filled. */
const mostFilled = limits.vmTemplate.most;
const mostFilledTogether = limits.serviceTemplate.most;

/** A role as it was given: its shape has not been checked. */
type RawRole = Readonly<Record<string, unknown>>;
type Attributes = Readonly<Record<string, unknown>>;

/** What is wrong with the contents of a role. `pending`: the custom attributes that are yet to be filled in. */
export function contentsFindings(
  { vm_template_contents: contents = '' }: RoleTemplate,
  pointer: string,
  pending: ReadonlySet<string>,
): Finding[] {
  const found = (detail: string): Finding => ({ pointer: `${pointer}/vm_template_contents`, detail });
  const scanner = new TextScanner(contents);
  const read = readTemplateText(scanner, { standIns: true });
  if (!read.ok)
    return read.errors.map(({ line, column, detail }) => found(`line ${line}, column ${column}: ${detail}`));
  const strangers = read.entries.flatMap((entry): Finding[] => {
    if (!('standIn' in entry) || pending.has(entry.standIn)) return [];
    const { line, column } = scanner.placeOf(entry.at);
    const name = entry.standIn;
    return [found(`line ${line}, column ${column}: $${name} stands for attributes, and ${noCustomAttribute(name)}`)];
  });
  const judged = Object.entries(attributesOf(read.entries)).filter(
    ([, value]) => typeof value !== 'string' || !namesIn(value).some((name) => pending.has(name)),
  );
  const attributes = Object.fromEntries(judged);
  const unreadable = expressionFindings(attributes, '').map(({ pointer: attribute, detail }) => {
    const [unknown] = namesIn(String(attributes[attribute.slice(1)]));
    return found(`${attribute.slice(1)}, ${detail}${unknown === undefined ? '' : `; ${noCustomAttribute(unknown)}`}`);
  });
  return [...strangers.slice(0, 20), ...unreadable];
}

/**
 * The contents of a role as its VMs will have them, with its `user_inputs_values` behind them; null: they cannot be read, or nobody knows yet, for custom
 * attributes are to be filled in.
 */
export function settledContents(role: RoleTemplate, pending: ReadonlySet<string>): string | null {
  const read = readTemplateText(new TextScanner(contentsOf(role)), { standIns: true });
  if (!read.ok || read.entries.some((entry) => 'standIn' in entry)) return null;
  const used = new Set<string>();
  for (const entry of read.entries) addUsed(entry, used);
  return [...used].some((name) => pending.has(name)) ? null : contentsOf(planOf(role, 0, noValues).make());
}

const noCustomAttribute = (name: string): string =>
  `${name} is no custom attribute: name it in custom_attrs, or write what is meant`;

/** The names of the `$NAME`s in a value. */
function namesIn(value: string): string[] {
  const names: string[] = [];
  for (let at = value.indexOf('$'); at !== -1; at = value.indexOf('$', at + 1)) {
    const name = nameAt(value, at + 1);
    if (name !== '') names.push(name);
  }
  return names;
}

function nameAt(value: string, start: number): string {
  let end = start;
  while (end < value.length && inName(value.charCodeAt(end))) end++;
  return value.slice(start, end);
}

/** The values of custom attributes, as texts, and which of them must be given. */
export class CustomValues {
  readonly #texts = new Map<string, { text: string; length: number }>();
  readonly #standIns = new Map<string, { entries: TextEntry[]; length: number } | Finding[]>();
  readonly #given: Attributes;
  readonly #promised: Attributes;
  readonly #networks: Attributes;

  /** `networks`: those of which ids are promised. */
  constructor(given: Attributes, promised: Attributes, networks: Attributes = {}) {
    this.#given = given;
    this.#promised = { ...promised, ...networks };
    this.#networks = networks;
  }

  /** Where the value of a name is to stand. */
  pointerOf(name: string): string {
    return Object.hasOwn(this.#networks, name) ? '/networks_values' : `/custom_attrs_values/${name}`;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#given, name);
  }

  isMissing(name: string): boolean {
    return !this.has(name) && Object.hasOwn(this.#promised, name);
  }

  /** A value, and how long it is in quotes. */
  textOf(name: string): { text: string; length: number } {
    let found = this.#texts.get(name);
    if (found === undefined) {
      const value = this.#given[name];
      const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
      found = { text, length: lengthInQuotes(text) };
      this.#texts.set(name, found);
    }
    return found;
  }

  /** The attributes that a value stands for, and how long they are as they are written; or why it cannot. */
  attributesFor(name: string): { entries: TextEntry[]; length: number } | Finding[] {
    let found = this.#standIns.get(name);
    if (found === undefined) {
      const read = readTemplateText(new TextScanner(this.textOf(name).text));
      found = read.ok
        ? { entries: read.entries, length: read.entries.reduce((sum, entry) => sum + printed(entry).length, 0) }
        : read.errors.map(({ line, column, detail }) => ({
            pointer: `/custom_attrs_values/${name}`,
            detail: `stands for attributes and cannot be read: line ${line}, column ${column}: ${detail}`,
          }));
      this.#standIns.set(name, found);
    }
    return found;
  }
}

const noValues = new CustomValues({}, {});

function lengthInQuotes(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34 || code === 92) length++;
  }
  return length;
}

const printed = (entry: TextEntry): string => ('standIn' in entry ? '' : printAttribute(entry.name, entry.value));

/**
 * Roles with the values of custom attributes in their contents and their `user_inputs_values` behind them, or everything
 * that is in the way. How long contents become is known before they are made.
 */
export function* fillRoles(
  roles: readonly unknown[],
  values: CustomValues,
): Generator<void, { roles: unknown[]; findings: Finding[] }> {
  const given = roles.reduce<number>((sum, role) => sum + (isRecord(role) ? contentsOf(role).length : 0), 0);
  if (given > mostFilledTogether)
    return {
      roles: [],
      findings: [{ pointer: '/roles', detail: `have contents of ${tooLong(given, mostFilledTogether)}` }],
    };
  const plans: (Plan | null)[] = [];
  for (const [at, role] of roles.entries()) {
    plans.push(isRecord(role) ? planOf(role, at, values) : null);
    yield;
  }
  const findings = plans.flatMap((plan) => plan?.findings ?? []);
  const length = plans.reduce((sum, plan) => sum + (plan?.length ?? 0), 0);
  if (length > mostFilledTogether)
    findings.push({ pointer: '/roles', detail: `would have contents of ${tooLong(length, mostFilledTogether)}` });
  if (findings.length > 0) return { roles: [], findings };
  const made: unknown[] = [];
  for (const [at, role] of roles.entries()) {
    made.push(plans[at]?.make() ?? role);
    yield;
  }
  return { roles: made, findings };
}

const tooLong = (length: number, most: number): string =>
  `${grouped(length)} characters with the values of custom attributes; at most ${grouped(most)} are possible`;

const contentsOf = ({ vm_template_contents: contents }: RawRole): string =>
  typeof contents === 'string' ? contents : '';

type Plan = { findings: Finding[]; length: number; make: () => RawRole };

function planOf(role: RawRole, at: number, values: CustomValues): Plan {
  const { vm_template_contents: contents, user_inputs_values: given } = role;
  const inputs = Object.entries(isRecord(given) ? given : {}).map(([name, value]) => printAttribute(name, value));
  const behind = inputs.join('');
  const kept: Plan = { findings: [], length: 0, make: () => role };
  if (typeof contents !== 'string')
    return behind === '' ? kept : { ...kept, make: () => ({ ...role, vm_template_contents: behind }) };
  const read = readTemplateText(new TextScanner(contents), { standIns: true });
  // It is refused for that, with line and column.
  if (!read.ok) return kept;
  const { entries } = read;
  const used = new Set<string>();
  for (const entry of entries) addUsed(entry, used);
  const called = typeof role.name === 'string' ? role.name : at;
  const missing = [...used]
    .filter((name) => values.isMissing(name))
    .map((name) => ({
      pointer: values.pointerOf(name),
      detail: `is required: $${name} stands in vm_template_contents of role ${called}`,
    }));
  if (missing.length > 0) return { ...kept, findings: missing };
  if (![...used].some((name) => values.has(name))) {
    const before = contents === '' || contents.endsWith('\n') || behind === '' ? contents : `${contents}\n`;
    return { ...kept, make: () => ({ ...role, vm_template_contents: before + behind }) };
  }
  const findings = entries.flatMap((entry) => {
    const attributes = 'standIn' in entry && values.has(entry.standIn) ? values.attributesFor(entry.standIn) : [];
    return Array.isArray(attributes) ? attributes : [];
  });
  const length = entries.reduce((sum, entry) => sum + filledLength(entry, values), behind.length);
  if (length > mostFilled)
    findings.push({
      pointer: `/roles/${at}/vm_template_contents`,
      detail: `would have ${tooLong(length, mostFilled)}`,
    });
  const make = () => ({
    ...role,
    vm_template_contents: entries.map((entry) => filled(entry, values)).join('') + behind,
  });
  return { findings: findings.slice(0, 20), length, make };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function addUsed(entry: TextEntry, used: Set<string>): void {
  if ('standIn' in entry) used.add(entry.standIn);
  else if (typeof entry.value === 'string') for (const name of namesIn(entry.value)) used.add(name);
  else for (const member of Object.values(entry.value)) for (const name of namesIn(member)) used.add(name);
}

/** How long an attribute will be as it is written, values in their places. */
function filledLength(entry: TextEntry, values: CustomValues): number {
  if ('standIn' in entry) {
    const attributes = values.has(entry.standIn) ? values.attributesFor(entry.standIn) : [];
    return Array.isArray(attributes) ? 0 : attributes.length;
  }
  const { name, value } = entry;
  if (typeof value === 'string') return name.length + '=""\n'.length + valueLength(value, values);
  return Object.entries(value).reduce(
    (sum, [member, text]) => sum + member.length + '="", '.length + valueLength(text, values),
    name.length + '=[]\n'.length,
  );
}

function valueLength(value: string, values: CustomValues): number {
  let length = lengthInQuotes(value);
  for (const name of namesIn(value)) if (values.has(name)) length += values.textOf(name).length - name.length - 1;
  return length;
}

const filledText = (text: string, values: CustomValues): string =>
  text.replace(/\$(\w+)/g, (whole, name: string) => (values.has(name) ? values.textOf(name).text : whole));

function filled(entry: TextEntry, values: CustomValues): string {
  if (!('standIn' in entry)) {
    const { value } = entry;
    return printAttribute(
      entry.name,
      typeof value === 'string'
        ? filledText(value, values)
        : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filledText(member, values)])),
    );
  }
  const attributes = values.has(entry.standIn) ? values.attributesFor(entry.standIn) : [];
  // A stranger stays, and is told of.
  return Array.isArray(attributes) ? `$${entry.standIn}\n` : attributes.entries.map(printed).join('');
}
