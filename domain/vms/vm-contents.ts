import type { z } from 'zod';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { AddVmSchedule } from '../../schemas/vms/vm-schedules.js';
import { VmTemplateBody } from '../../schemas/vms/vm-template.js';
import { beyond, type Measured, measureChanged, measureVmTemplate } from '../bounds.js';
import { type Finding, Problem } from '../problems.js';
import { parseTemplateText } from '../template-text.js';
import { bootFindings } from './boot-order.js';
import { contextFindings } from './guest-context.js';
import { machineFindings } from './machine.js';
import { type TemplateDevices, templateDevices } from './template-devices.js';
import { listOf } from './template-values.js';
import { fileWishes } from './vm-files.js';
import { scheduledIn } from './vm-schedules.js';

/** What a new VM carries: `user_template` is what owner and guest may change. */
export type VmContents = {
  template: Record<string, unknown>;
  user_template: Record<string, unknown>;
  capacity: Capacity;
  /** What is to be done to it at its time. */
  scheduled: AddVmSchedule[];
} & TemplateDevices;

/**
 * What OpenNebula itself acts on; it moves these to TEMPLATE when a VM is made. The rest, scheduling wishes and user
 * inputs included, stays in USER_TEMPLATE.
 */
const wellKnown = new Set([
  ...['CPU', 'VCPU', 'MEMORY', 'CPU_COST', 'MEMORY_COST', 'DISK_COST', 'OS', 'FEATURES', 'GRAPHICS', 'INPUT', 'RAW'],
  ...['CPU_MODEL', 'TOPOLOGY', 'PCI', 'DISK', 'NIC', 'NIC_DEFAULT', 'CONTEXT', 'SUBMIT_ON_HOLD'],
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
  const { merged, scheduled, devices } = read(template, options.contents);
  const attributes = Object.entries(merged);
  const service = {
    ...(options.serviceId === undefined ? {} : { SERVICE_ID: String(options.serviceId) }),
    ...(options.roleName === undefined ? {} : { ROLE_NAME: options.roleName }),
  };
  return {
    template: Object.fromEntries(attributes.filter(([name]) => wellKnown.has(name))),
    user_template: { ...Object.fromEntries(attributes.filter(([name]) => !wellKnown.has(name))), ...service },
    capacity: capacityOf(merged),
    ...devices,
    scheduled,
  };
}

/** What a VM of this template reserves with a role's contents over it, and its devices; throws as `vmContents` does. */
export function sizeWith(
  template: VmTemplateBody,
  contents: string | undefined,
): { capacity: Capacity; devices: { NIC?: unknown; DISK?: unknown } } {
  const { merged } = read(template, contents);
  return { capacity: capacityOf(merged), devices: { NIC: merged.NIC, DISK: merged.DISK } };
}

/** The template with the contents over it, and what they say that is no attribute of the VM. */
function read(template: VmTemplateBody, contents: string | undefined) {
  const given = readContents(contents ?? '');
  const { SCHED_ACTION, ...merged } = over(template, given);
  const { wishes: scheduled, findings: ofSchedules } = scheduledIn(SCHED_ACTION);
  const { devices, findings } = templateDevices(merged);
  const faults = [
    ...ofSchedules.map(({ detail }) => detail),
    ...contextFindings(given.CONTEXT, merged),
    ...fileWishes(merged).findings,
    ...machineFindings(given, merged),
    ...(given.RAW === undefined ? [] : ['RAW is for VM templates alone, of administrators: name one that has it']),
    // Only here: what a template lacks, a role or a request may bring.
    ...bootFindings(merged.OS, { disk: placesOf(merged.DISK), nic: placesOf(merged.NIC) }),
    ...findings,
  ];
  if (faults.length > 0) throw notATemplate(faults.map((detail) => ({ pointer: '', detail })));
  return { merged, scheduled, devices };
}

/** The ids that devices are given, in the order in which they stand. */
const placesOf = (devices: unknown): number[] => [...listOf(devices).keys()];

/** The template was judged when it was written, and is measured once for all roles that are made of it. */
const measured = new WeakMap<VmTemplateBody, readonly Measured[]>();

function measuredOnce(template: VmTemplateBody): readonly Measured[] {
  const known = measured.get(template) ?? measureVmTemplate(template, '');
  measured.set(template, known);
  return known;
}

/** The template with the contents over it. Only what they change is looked at: a service may have a thousand roles of one. */
function over(template: VmTemplateBody, contents: Record<string, unknown>): VmTemplateBody {
  const { CPU, MEMORY } = template;
  const checked = VmTemplateBody.safeParse({ CPU, MEMORY, ...changesOf(template, contents, outlineOf) });
  if (!checked.success) throw unfit(checked.error);
  const { data } = checked;
  const changes = changesOf(template, contents);
  const sizes = { CPU: data.CPU, MEMORY: data.MEMORY, ...(data.VCPU !== undefined && { VCPU: data.VCPU }) };
  // As they will be written: a number takes less room than its text.
  const written = { ...changes, ...sizes };
  refuseTooLarge(measureChanged(measuredOnce(template), template, written));
  return { ...template, ...written };
}

const refuseTooLarge = (measured: readonly Measured[]): void => {
  const tooLarge = beyond(measured);
  if (tooLarge.length > 0) throw notATemplate(tooLarge);
};

const capacityOf = ({ CPU, MEMORY }: VmTemplateBody): Capacity => ({ cpu: Math.round(CPU * 100), memory: MEMORY });

/** Each attribute of the contents replaces the template's of that name; one named in APPEND joins it in a list. */
function changesOf(
  template: VmTemplateBody,
  contents: Record<string, unknown>,
  keep = (kept: unknown): unknown => kept,
): Record<string, unknown> {
  const { APPEND: names, ...attributes } = contents;
  const appended = new Set(
    (typeof names === 'string' ? names : '').split(',').map((name) => name.trim().toUpperCase()),
  );
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => {
      const kept = appended.has(name) && Object.hasOwn(template, name) ? template[name] : undefined;
      return [name, kept === undefined ? value : [keep(kept), value].flat()];
    }),
  );
}

/** Of the same kind, with nothing in it: what is kept has been judged when it was written. */
const outlineOf = (kept: unknown): unknown =>
  Array.isArray(kept) ? [] : typeof kept === 'object' && kept !== null ? {} : kept;

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

const unfit = ({ issues }: z.ZodError): Problem =>
  notATemplate(
    issues.slice(0, 20).map(({ path, message }) => ({ pointer: '', detail: `${path.join('/')} ${message}` })),
  );

const notATemplate = (findings: Finding[]): Problem =>
  new Problem(
    'invalid_request',
    `the contents of the VM template cannot be used: ${findings.map((f) => f.detail).join('; ')}`,
    {
      findings,
    },
  );
