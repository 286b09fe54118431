import type { Capacity } from '../schemas/host.js';
import { VmTemplateBody } from '../schemas/vm-template.js';
import { beyond, measureVmTemplate } from './bounds.js';
import { type Finding, Problem } from './problems.js';
import { parseTemplateText } from './template-text.js';

/** What a new VM carries: `user_template` is what owner and guest may change. */
export type VmContents = {
  template: Record<string, unknown>;
  user_template: Record<string, unknown>;
  capacity: Capacity;
};

/**
 * What OpenNebula itself acts on; it moves these to TEMPLATE when a VM is made. The rest, scheduling wishes and user
 * inputs included, stays in USER_TEMPLATE.
 */
const wellKnown = new Set([
  ...['CPU', 'VCPU', 'MEMORY', 'CPU_COST', 'MEMORY_COST', 'DISK_COST', 'OS', 'FEATURES', 'GRAPHICS', 'INPUT', 'RAW'],
  ...['PCI', 'DISK', 'NIC', 'NIC_DEFAULT', 'CONTEXT', 'SUBMIT_ON_HOLD'],
]);

/**
 * What a VM of this template gets: a role's `vm_template_contents` (`contents`) over the VM template, and the ids of
 * the service and the name of the role in its user template. Throws `invalid_request` with every finding when the text
 * cannot be read or what comes out is no VM template, or too large for one.
 */
export function vmContents(
  template: VmTemplateBody,
  options: { contents?: string | undefined; serviceId?: number; roleName?: string } = {},
): VmContents {
  const merged = VmTemplateBody.safeParse(mergeContents(template, readContents(options.contents ?? '')));
  if (!merged.success)
    throw notATemplate(
      merged.error.issues.map(({ path, message }) => ({ pointer: '', detail: `${path.join('/')} ${message}` })),
    );
  const tooLarge = beyond(measureVmTemplate(merged.data, ''));
  if (tooLarge.length > 0) throw notATemplate(tooLarge);
  const attributes = Object.entries(merged.data);
  const service = {
    ...(options.serviceId === undefined ? {} : { SERVICE_ID: String(options.serviceId) }),
    ...(options.roleName === undefined ? {} : { ROLE_NAME: options.roleName }),
  };
  return {
    template: Object.fromEntries(attributes.filter(([name]) => wellKnown.has(name))),
    user_template: { ...Object.fromEntries(attributes.filter(([name]) => !wellKnown.has(name))), ...service },
    capacity: { cpu: Math.round(merged.data.CPU * 100), memory: merged.data.MEMORY },
  };
}

/** Each attribute of the contents replaces the template's of that name; one named in APPEND joins it in a list. */
function mergeContents(template: VmTemplateBody, contents: Record<string, unknown>): Record<string, unknown> {
  const { APPEND: names, ...attributes } = contents;
  const appended = new Set(
    (typeof names === 'string' ? names : '').split(',').map((name) => name.trim().toUpperCase()),
  );
  const merged: Record<string, unknown> = { ...template };
  for (const [name, value] of Object.entries(attributes)) {
    const kept = appended.has(name) ? merged[name] : undefined;
    merged[name] = kept === undefined ? value : [kept, value].flat();
  }
  return merged;
}

function readContents(contents: string): Record<string, unknown> {
  const parsed = parseTemplateText(contents);
  if (parsed.ok) return parsed.value;
  throw notATemplate(
    parsed.errors.map(({ line, column, detail }) => ({
      pointer: '',
      detail: `line ${line}, column ${column}: ${detail}`,
    })),
  );
}

const notATemplate = (findings: Finding[]): Problem =>
  new Problem(
    'invalid_request',
    `the contents of the VM template cannot be used: ${findings.map((f) => f.detail).join('; ')}`,
    {
      findings,
    },
  );
