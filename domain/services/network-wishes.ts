import { attributeNameFault, pointerStep } from '../../schemas/common/attribute-name.js';
import { atMost, grouped, limits } from '../../schemas/common/limits.js';
import { nearestName } from '../../schemas/common/nearest-name.js';
import { NewRange } from '../../schemas/networks/addresses.js';
import type { NetworkChoice, ServiceNetwork } from '../../schemas/services/service-network.js';
import type { ServiceTemplateBody } from '../../schemas/services/service-template.js';
import type { Finding } from '../problems.js';
import { parseTemplateText } from '../template-text.js';
import { type Input, inputOf, isNetwork } from './user-inputs.js';

// Networks that a template asks for when it is instantiated: those of `networks`, as OneFlow has them since 5.12, and custom
// attributes of the type network, by which it was done in 5.0. Roles have them as `NIC = [ NETWORK_ID = "$NAME" ]`.

type Members = Readonly<Record<string, unknown>>;

/** What a network is to be: one that is there, or one that is made of addresses of another, or of a template. */
export type NetworkWish =
  | { id: number }
  | { from: number; size: number; ar_id?: number }
  | { template: number; address_ranges?: NewRange[] };

/** `pointer`: where the value was given. */
export type WishedNetwork = { name: string; pointer: string; wish: NetworkWish };

/** What a template asks for, by name. A text that asks for nothing is none of it. */
function inputsOf({ networks, custom_attrs }: Members): Map<string, Input & { of: 'networks' | 'custom_attrs' }> {
  const found = new Map<string, Input & { of: 'networks' | 'custom_attrs' }>();
  for (const [name, text] of Object.entries(membersOf(custom_attrs))) {
    const input = inputOf(text);
    if (input && isNetwork(input.type)) found.set(name, { ...input, of: 'custom_attrs' });
  }
  for (const [name, text] of Object.entries(membersOf(networks))) {
    const input = inputOf(text);
    if (input) found.set(name, { ...input, of: 'networks' });
  }
  return found;
}

/** How many networks a template has. */
export const networkCount = (body: ServiceTemplateBody): number =>
  Math.max(inputsOf(body).size, Object.keys(body.networks ?? {}).length);

/** What is wrong with what a template says of its networks. */
export const networkFindings = (body: ServiceTemplateBody): Finding[] =>
  Object.entries(body.networks ?? {}).flatMap(([name, text]): Finding[] => {
    const input = inputOf(text);
    const fallback = input && input.fallback !== '' ? wishOfText(input.fallback) : null;
    const detail =
      attributeNameFault(name) ??
      (Object.hasOwn(body.custom_attrs ?? {}, name) ? 'is the name of a custom attribute, too' : undefined) ??
      (input && isNetwork(input.type)
        ? typeof fallback === 'string'
          ? `its default ${fallback}`
          : undefined
        : 'must be M (it must be given) or O, the word network, what to ask, and perhaps a default: "M|network|Public addresses| |id:0"');
    return detail === undefined ? [] : [{ pointer: `/networks/${pointerStep(name)}`, detail }];
  });

/**
 * What the networks of an instantiation are to be, or what is missing or wrong. `merged`: the template as it is instantiated, whose shape
 * has not been checked; `chosen`: what was said beside it, which counts more.
 */
export function networkWishes(
  merged: Members,
  chosen: Readonly<Record<string, NetworkChoice>> = {},
): { wishes: WishedNetwork[]; findings: Finding[] } {
  const inputs = inputsOf(merged);
  const findings: Finding[] = [];
  const given = valuesOf(merged, findings);
  for (const [name, choice] of Object.entries(chosen)) {
    const wish: NetworkWish =
      'network_id' in choice
        ? { id: choice.network_id }
        : 'template_id' in choice
          ? instance(choice.template_id, choice.address_ranges)
          : { ...sized(choice), from: choice.reserve_from };
    given.set(name, { pointer: `/networks/${pointerStep(name)}`, wish });
  }
  for (const [name, { pointer }] of given)
    if (!inputs.has(name)) {
      const close = nearestName(name, new Set(inputs.keys()));
      const hint = close === undefined ? '' : `; did you mean ${close}?`;
      findings.push({ pointer, detail: `the template asks for no network ${name}${hint}` });
    }
  const wishes: WishedNetwork[] = [];
  for (const [name, { of, mandatory, question, fallback }] of inputs) {
    const said = given.get(name) ?? valueIn(merged, of, name) ?? byDefault(of, name, fallback);
    if (said === null) {
      const asks = question === '' ? '' : `: ${question}`;
      if (mandatory && of === 'networks')
        findings.push({ pointer: `/networks/${pointerStep(name)}`, detail: `is required${asks}` });
    } else if (typeof said.wish === 'string') findings.push({ pointer: said.pointer, detail: said.wish });
    else wishes.push({ name, pointer: said.pointer, wish: said.wish });
  }
  const reserved = wishes.reduce((sum, { wish }) => sum + ('size' in wish ? wish.size : 0), 0);
  if (reserved > limits.reservation.most)
    findings.push({
      pointer: '/networks',
      detail: `reserve ${grouped(reserved)} addresses together; at most ${grouped(limits.reservation.most)} are possible`,
    });
  if (inputs.size > limits.serviceNetworks.most)
    findings.push({ pointer: '/merge_template/networks', detail: atMost('serviceNetworks') });
  return { wishes, findings: findings.slice(0, limits.findings.most) };
}

type Said = { pointer: string; wish: NetworkWish | string };

const sized = ({ size, ar_id }: { size: number; ar_id?: number | undefined }) => ({
  size,
  ...(ar_id !== undefined && { ar_id }),
});

/** Those of `networks_values`, which is a list of objects of one name each, or of several. */
function valuesOf({ networks_values: values }: Members, findings: Finding[]): Map<string, Said> {
  const found = new Map<string, Said>();
  const under = '/merge_template/networks_values';
  if (values === undefined || values === null) return found;
  if (!Array.isArray(values)) {
    findings.push({ pointer: under, detail: 'must be a list such as [{"Public": {"id": "0"}}]' });
    return found;
  }
  values.forEach((item: unknown, at) => {
    for (const [name, value] of Object.entries(membersOf(item)))
      found.set(name, { pointer: `${under}/${at}/${pointerStep(name)}`, wish: wishOfValue(value) });
  });
  return found;
}

/** Of a custom attribute. */
function valueIn({ custom_attrs_values: values }: Members, of: string, name: string): Said | null {
  const members = membersOf(values);
  if (of !== 'custom_attrs' || !Object.hasOwn(members, name)) return null;
  const value = members[name];
  if (value === null || value === '') return null;
  return {
    pointer: `/merge_template/custom_attrs_values/${pointerStep(name)}`,
    wish: typeof value === 'object' ? wishOfValue(value) : wishOfText(textOf(value)),
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function byDefault(of: string, name: string, fallback: string): Said | null {
  return fallback === '' ? null : { pointer: `/merge_template/${of}/${pointerStep(name)}`, wish: wishOfText(fallback) };
}

const whatItIs =
  'must be the id of a network, a template of it, or what is reserved of one: {"id": "0"}, {"template_id": "0"} or {"reserve_from": "0", "extra": "SIZE=10"}';

function wishOfValue(value: unknown): NetworkWish | string {
  if (typeof value !== 'object' || value === null) return whatItIs;
  const { id, template_id, reserve_from, extra, ...others } = membersOf(value);
  const [other] = Object.keys(others);
  if (other !== undefined) return `${whatItIs}; ${other} is not known`;
  if ([id, template_id, reserve_from].filter((said) => said !== undefined).length !== 1) return whatItIs;
  if (template_id !== undefined) return ofTemplate(template_id, extra);
  if (id !== undefined) {
    const known = idIn(id);
    return known === null || extra !== undefined ? whatItIs : { id: known };
  }
  return reservation(reserve_from, extra);
}

/** `7`, `id:7`, `template_id:7` or `reserve_from:7:SIZE=10`. */
function wishOfText(text: string): NetworkWish | string {
  const parts = text.trim().split(':');
  const [kind = '', first, ...more] = parts.length === 1 ? ['id', ...parts] : parts;
  if (kind === 'template_id') return ofTemplate(first, more.length === 0 ? undefined : more.join(':'));
  if (kind === 'reserve_from') return reservation(first, more.join(':'));
  const id = kind === 'id' && more.length === 0 ? idIn(first) : null;
  return id === null
    ? 'must be the id of a network, a template of it, or what is reserved of one: 7, id:7, template_id:7 or reserve_from:7:SIZE=10'
    : { id };
}

const instance = (template: number, address_ranges: NewRange[] | undefined): NetworkWish => ({
  template,
  ...(address_ranges && address_ranges.length > 0 && { address_ranges }),
});

/** `extra`: template text with AR, ranges beside those of the template. */
function ofTemplate(of: unknown, extra: unknown): NetworkWish | string {
  const id = idIn(of);
  if (id === null) return whatItIs;
  const read = parseTemplateText(typeof extra === 'string' ? extra : '');
  if (!read.ok) return `extra cannot be read: ${read.errors[0]?.detail ?? ''}`;
  const { AR, ...others } = read.value;
  const [other] = Object.keys(others);
  if (other !== undefined) return `extra has ${other}; it may say AR`;
  const ranges: NewRange[] = [];
  for (const range of AR === undefined ? [] : [AR].flat()) {
    const members = Object.entries(membersOf(range)).map(([name, value]) => [name.toLowerCase(), value] as const);
    const { size, ...rest } = Object.fromEntries(members);
    const parsed = NewRange.safeParse({ ...rest, size: idIn(size) });
    if (!parsed.success)
      return `extra: AR ${parsed.error.issues[0]?.path.join('/')} ${parsed.error.issues[0]?.message}`;
    ranges.push(parsed.data);
  }
  return instance(id, ranges);
}

/** `extra`: template text with SIZE and perhaps AR_ID, as OpenNebula reserves by. */
function reservation(of: unknown, extra: unknown): NetworkWish | string {
  const from = idIn(of);
  if (from === null) return whatItIs;
  const read = parseTemplateText(typeof extra === 'string' ? extra : '');
  if (!read.ok) return `extra cannot be read: ${read.errors[0]?.detail ?? ''}`;
  const { SIZE, AR_ID, ...others } = read.value;
  const [other] = Object.keys(others);
  if (other !== undefined) return `extra has ${other}; it may say SIZE and AR_ID`;
  const [size, ar_id] = [idIn(SIZE), AR_ID === undefined ? undefined : idIn(AR_ID)];
  if (size === null || size === 0 || size > limits.reservation.most)
    return `extra must say how many addresses are reserved, 1 to ${limits.reservation.most}: SIZE=10`;
  if (ar_id === null) return 'extra must name a range by its number: AR_ID=0';
  return { ...sized({ size, ar_id }), from };
}

function idIn(value: unknown): number | null {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && /^\d{1,9}$/.test(text.trim()) ? Number(text) : null;
}

/** A template as it is instantiated, once it is known which networks they are: `networks_values` and custom attributes say their ids. */
export function withNetworks(merged: Members, networks: readonly ServiceNetwork[]): Record<string, unknown> {
  const inputs = inputsOf(merged);
  const of = (part: 'networks' | 'custom_attrs') => networks.filter(({ name }) => inputs.get(name)?.of === part);
  const [values, attributes] = [of('networks'), of('custom_attrs')];
  return {
    ...merged,
    ...(values.length > 0 && { networks_values: values.map(({ name, ...network }) => ({ [name]: saidOf(network) })) }),
    ...(attributes.length > 0 && {
      custom_attrs_values: {
        ...membersOf(merged.custom_attrs_values),
        ...Object.fromEntries(attributes.map(({ name, id }) => [name, String(id)])),
      },
    }),
  };
}

/** As OneFlow says it of a service. */
const saidOf = ({ id, reserved, template }: Omit<ServiceNetwork, 'name'>): Members => ({
  id: String(id),
  ...(template && {
    template_id: String(template.id),
    ...(template.address_ranges && { extra: template.address_ranges.map(rangeText).join('\n') }),
  }),
  ...(reserved && {
    reserve_from: String(reserved.from),
    extra: `SIZE=${reserved.size}${reserved.ar_id === undefined ? '' : `\nAR_ID=${reserved.ar_id}`}`,
  }),
});

const rangeText = (range: NewRange): string =>
  `AR=[${Object.entries(range)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name.toUpperCase()}="${value}"`]))
    .join(',')}]`;

/** The ids that `networks_values` say, by name: what `$NAME` stands for in roles. */
export function networkIds({ networks_values: values }: Members): Record<string, unknown> {
  const items: readonly unknown[] = Array.isArray(values) ? values : [];
  return Object.fromEntries(
    items.flatMap((item) =>
      Object.entries(membersOf(item)).flatMap(([name, value]) => {
        const { id } = membersOf(value);
        return id === undefined ? [] : [[name, id]];
      }),
    ),
  );
}

const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
