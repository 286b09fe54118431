import { parseTemplateText, printTemplateText } from '../template-text.js';

// OneFlow 7.0 calls some members of service templates otherwise than the releases before it, and has the contents of a VM
// template as an object where those have text. What is stored has the first names.

type Members = Readonly<Record<string, unknown>>;

/** First name → later name, of a template and of each of its roles. */
const ofTemplate = { custom_attrs: 'user_inputs', custom_attrs_values: 'user_inputs_values' } as const;
const ofRole = { vm_template: 'template_id', vm_template_contents: 'template_contents' } as const;

/** What later releases add of themselves, and nobody wishes for. */
const added: ReadonlySet<string> = new Set(['registration_time']);

/** A service template, or a part of one, with the first names, whichever it has. Where it has both, the later ones count. */
export function firstNames(document: unknown): unknown {
  if (!isRecord(document)) return document;
  const { roles, ...rest } = renamed(document, inverse(ofTemplate));
  const kept = Object.fromEntries(Object.entries(rest).filter(([name]) => !added.has(name)));
  return { ...kept, ...(roles !== undefined && { roles: Array.isArray(roles) ? roles.map(firstRole) : roles }) };
}

/** Where the body of a template stands in the document that OpenNebula prints of it. */
export const placeOfBody = '/DOCUMENT/TEMPLATE/BODY';

/** Whether it is such a document: what `oneflow-template show -j` prints. */
export const isDocument = (sent: unknown): boolean => partsOf(sent) !== null;

/** The template of a document that OpenNebula printed, with what stands beside its body; anything else as it is, with the first names. */
export function templateIn(sent: unknown): unknown {
  const parts = partsOf(sent);
  if (!parts) return firstNames(sent);
  const { NAME: name, BODY: body, ...raw } = parts;
  // Renamed templates keep the old name in their bodies there.
  const named = typeof name === 'string' ? { ...body, name } : body;
  return firstNames(Object.keys(raw).length > 0 ? { ...named, template_raw: raw } : named);
}

function partsOf(sent: unknown): (Members & { NAME: unknown; BODY: Members }) | null {
  const document = isRecord(sent) ? sent.DOCUMENT : undefined;
  const template = isRecord(document) ? document.TEMPLATE : undefined;
  return isRecord(document) && isRecord(template) && isRecord(template.BODY)
    ? { ...template, NAME: document.NAME, BODY: template.BODY }
    : null;
}

function firstRole(role: unknown): unknown {
  if (!isRecord(role)) return role;
  const { type, ...rest } = renamed(role, inverse(ofRole));
  const { vm_template_contents: contents } = rest;
  return {
    ...rest,
    ...(isRecord(contents) && { vm_template_contents: printTemplateText(contents) }),
    // Of VMs is every role; what is to be of something else must not be taken for one.
    ...(type !== undefined && type !== 'vm' && { type }),
  };
}

/** The same with the later names. Contents that are no attributes as they stand, because `$NAME` is in their place, stay text. */
export function laterNames(document: Members): Record<string, unknown> {
  const { roles, ...rest } = renamed(document, ofTemplate);
  return { ...rest, ...(Array.isArray(roles) && { roles: roles.map(laterRole) }) };
}

function laterRole(role: unknown): unknown {
  if (!isRecord(role)) return role;
  const { vm_template_contents: contents, ...rest } = role;
  const read = typeof contents === 'string' ? parseTemplateText(contents) : undefined;
  return {
    type: 'vm',
    ...renamed(rest, ofRole),
    ...(read?.ok ? { template_contents: read.value } : contents !== undefined && { vm_template_contents: contents }),
  };
}

/** In the same order; a name that is given twice then has the value of the one that was renamed. */
function renamed(members: Members, names: Readonly<Record<string, string>>): Record<string, unknown> {
  const targets = new Set(Object.keys(members).flatMap((name) => names[name] ?? []));
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) =>
      targets.has(name) && names[name] === undefined ? [] : [[names[name] ?? name, value]],
    ),
  );
}

const inverse = (names: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(names).map(([first, later]) => [later, first]));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
