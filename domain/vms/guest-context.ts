import { atMost, limits } from '../../schemas/common/limits.js';
import { type ContextPart, type Reference, readReferences } from './context-references.js';
import { type Attributes, isAttributes, listOf } from './template-values.js';
import { templateXml } from './template-xml.js';

type Texts = Readonly<Record<string, string>>;

/** What CONTEXT may refer to. Names of attributes are upper case, as OpenNebula's. */
export type ContextFacts = {
  vm: { id: number; name: string; attributes: Attributes; template: Attributes };
  owner: { uid: number; name: string; attributes: Texts };
  /** What is to be said of each NIC: IP, MAC, NETWORK, NETWORK_ID, and what its network tells guests. */
  nics: readonly ({ NIC_ID: string } & Texts)[];
  /** The same of each image that a disk of it is made of: IMAGE, IMAGE_ID, NAME, SIZE, and its attributes. */
  images: readonly Texts[];
};

/** Attributes of CONTEXT that say which files a guest gets, and are no variables. */
const files = new Set(['FILES', 'FILES_DS']);
/** Those that are programs, in which a name before a bracket may be one of theirs. */
const scripts = new Set(['START_SCRIPT', 'USER_DATA', 'USERDATA', 'EC2_USER_DATA']);

/** Vectors that every VM has, whatever its template says. */
const vectors = new Set(['USER', 'NIC', 'NETWORK', 'IMAGE']);

/** As guests of OpenNebula read them (its VirtualMachine::eth_context): of each NIC, from the attribute of the NIC or its network. */
const ofNic: readonly (readonly [suffix: string, ...attributes: string[]])[] = [
  ['IP', 'IP'],
  ['MAC', 'MAC'],
  ['MASK', 'NETWORK_MASK'],
  ['NETWORK', 'NETWORK_ADDRESS'],
  ['GATEWAY', 'GATEWAY'],
  ['DNS', 'DNS'],
  ['SEARCH_DOMAIN', 'SEARCH_DOMAIN'],
  ['MTU', 'GUEST_MTU', 'MTU'],
  ['VLAN_ID', 'VLAN_ID'],
  ['IP6', 'IP6_GLOBAL', 'IP6'],
  ['IP6_ULA', 'IP6_ULA'],
  ['GATEWAY6', 'GATEWAY6'],
  ['CONTEXT_FORCE_IPV4', 'CONTEXT_FORCE_IPV4'],
];

/** What is wrong with the CONTEXT of a template, as `CONTEXT/NAME …`: it can be told when it is written. */
export function contextFindings(context: unknown, attributes: Attributes = {}): string[] {
  const isVector = vectorsOf(attributes);
  return textsOf(context).flatMap(([name, value]) => {
    if (files.has(name)) return [];
    if (value === undefined) return [`CONTEXT/${name} must be a text or a number`];
    if (value.includes('\0')) return [`CONTEXT/${name} must not contain NUL, which no shell can be told`];
    const { parts, faults } = readReferences(value, isVector);
    const unknown = scripts.has(name) ? [] : unknownIn(parts);
    return [...faults, ...unknown].map((fault) => `CONTEXT/${name} ${fault}`);
  });
}

/** What looks as a reference to an attribute that has parts, of a name that nothing has: else it would be told as it stands, which nobody means. */
const unknownIn = (parts: readonly ContextPart[]): string[] =>
  parts.flatMap((part, at) => {
    const next = parts[at + 1];
    if (typeof part === 'string' || part.attribute !== undefined || typeof next !== 'string') return [];
    return /^\$[A-Z][A-Z0-9_]*$/.test(part.written) && /^\[[A-Z]/.test(next)
      ? [
          `refers to ${part.written}[…], and there is no such attribute: USER, NIC, NETWORK and IMAGE have parts, and what the template says in brackets`,
        ]
      : [];
  });

/**
 * The variables that a guest is told (guide, 5.3; `context.sh`). A reference to what is not there is nothing; `$NAME` stays as it is
 * where nothing is called so, for scripts have names of their own. null: they would be larger than a guest may be told.
 */
export function guestContext(context: unknown, facts: ContextFacts): Record<string, string> | null {
  const isVector = vectorsOf(facts.vm.attributes);
  const variables = new Map<string, string>();
  let left = limits.context.most;
  for (const [name, text = ''] of textsOf(context)) {
    if (files.has(name)) continue;
    let value = '';
    for (const part of readReferences(text, isVector).parts) {
      const said = typeof part === 'string' ? part : (referredTo(part, facts) ?? part.written);
      left -= said.length;
      if (left < 0) return null;
      value += said;
    }
    variables.set(name, value);
  }
  if (/^yes$/i.test(variables.get('NETWORK') ?? ''))
    for (const nic of facts.nics)
      for (const [suffix, ...names] of ofNic) {
        const value = names.map((name) => nic[name]).find((found) => found !== undefined && found !== '');
        if (value !== undefined) variables.set(`ETH${nic.NIC_ID}_${suffix}`, value);
      }
  return Object.fromEntries([...variables].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Why a guest cannot be told all of it, as sentences. */
export const tooMuchTold = (vm: number): string =>
  `What the guest of VM ${vm} is told, with all that it refers to, ${atMost('context')}. Say less in the CONTEXT of its template.`;

/** The file by which guests are told: variables of a shell, in the order of their names. */
export const contextScript = (variables: Texts): string =>
  [
    '# Context variables generated by Arcus',
    ...Object.entries(variables).map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'`),
    '',
  ].join('\n');

/** As it stands: blanks are part of what a guest is told. */
const saidOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
const textsOf = (context: unknown): [name: string, value: string | undefined][] =>
  isAttributes(context) ? Object.entries(context).map(([name, value]) => [name, saidOf(value)]) : [];

const vectorsOf =
  (attributes: Attributes) =>
  (name: string): boolean =>
    vectors.has(name) || (Object.hasOwn(attributes, name) && typeof attributes[name] === 'object');

function referredTo({ name, attribute, where }: Reference, facts: ContextFacts): string | undefined {
  const { vm, owner, nics, images } = facts;
  if (attribute === undefined) return plainValue(name, facts);
  if (name === 'USER') return owner.attributes[attribute] ?? '';
  const its: Partial<Record<string, readonly Attributes[]>> = { NIC: nics, NETWORK: nics, IMAGE: images };
  const all = (Object.hasOwn(its, name) && its[name]) || listOf(vm.attributes[name]);
  const found = all.find((one: Attributes) => where === undefined || saidOf(one[where.key]) === where.value);
  return (found && Object.hasOwn(found, attribute) ? saidOf(found[attribute]) : undefined) ?? '';
}

function plainValue(name: string, { vm, owner }: ContextFacts): string | undefined {
  if (name === 'VMID') return String(vm.id);
  if (name === 'NAME') return vm.name;
  if (name === 'UID') return String(owner.uid);
  if (name === 'UNAME') return owner.name;
  if (name === 'TEMPLATE') return Buffer.from(templateXml(vm.template)).toString('base64');
  return Object.hasOwn(vm.attributes, name) ? saidOf(vm.attributes[name]) : undefined;
}
