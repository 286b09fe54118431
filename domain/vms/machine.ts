import type { z } from 'zod';
import { Machine, machineAttributes } from '../../schemas/vms/machine.js';
import { rawDomain } from './raw-domain.js';
import { type Attributes, isAttributes } from './template-values.js';

const sections = Object.keys(Machine.shape);
const inSections = (template: Attributes): Record<string, unknown> =>
  Object.fromEntries(sections.flatMap((name) => (template[name] === undefined ? [] : [[name, template[name]]])));

/** The machine that a template asks for. What it says and nobody understands, from before anybody asked, is left out. */
export function machineOf(template: Attributes): Machine {
  const said = inSections(template);
  const first = Machine.safeParse(said);
  if (first.success) return first.data;
  const kept = without(said, first.error.issues);
  return Machine.safeParse(kept).data ?? {};
}

function without(said: Record<string, unknown>, issues: readonly z.core.$ZodIssue[]): Record<string, unknown> {
  const kept = { ...said };
  for (const issue of issues) {
    const [section, attribute] = issue.path.map(String);
    const has = section === undefined ? undefined : kept[section];
    if (section === undefined) continue;
    const names = issue.code === 'unrecognized_keys' ? issue.keys : attribute === undefined ? null : [attribute];
    if (names === null || !isAttributes(has)) delete kept[section];
    else kept[section] = Object.fromEntries(Object.entries(has).filter(([name]) => !names.includes(name)));
  }
  return kept;
}

/**
 * What is wrong with what a template says of its machine, as `OS/ARCH must be …`. `template`: what is judged; `whole`: all that it is part of, by whose VCPU its
 * TOPOLOGY has to go.
 */
export function machineFindings(template: Attributes, whole: Attributes): string[] {
  const parsed = Machine.safeParse(inSections(template));
  if (!parsed.success)
    return parsed.error.issues.flatMap((issue) => {
      const at = issue.path.map(String);
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((name) => `${[...at, name].join('/')} is not known: ${knownIn(at[0])}`);
      return [`${at.join('/')} ${issue.message}`];
    });
  const findings: string[] = [];
  const { OS, RAW } = parsed.data;
  for (const name of isSaid(OS?.KERNEL_DS) ? [] : ofKernel)
    if (isSaid(OS?.[name])) findings.push(`OS/${name} is for a kernel: name an image of type KERNEL in KERNEL_DS`);
  if (OS && isUefi(OS) && parsed.data.FEATURES?.ACPI === false) findings.push('FEATURES/ACPI is needed by UEFI');
  if (OS?.FIRMWARE_SECURE === true) {
    if (!isUefi(OS)) findings.push('OS/FIRMWARE_SECURE is for UEFI: say FIRMWARE = UEFI');
    else if (!isQ35(OS)) findings.push('OS/FIRMWARE_SECURE needs a q35: say MACHINE = q35');
  }
  const raw = RAW?.DATA === undefined ? {} : rawDomain(RAW.DATA);
  if (typeof raw === 'string') findings.push(`RAW/DATA ${raw}`);
  if (RAW?.DATA !== undefined && RAW.TYPE === undefined) findings.push('RAW/TYPE is required: kvm');
  const { TOPOLOGY } = machineOf(whole);
  const isJudged = template.TOPOLOGY !== undefined || template.VCPU !== undefined;
  const vcpu = vcpuOf(whole);
  if (isJudged && TOPOLOGY && processorsOf(TOPOLOGY) !== vcpu)
    findings.push(`TOPOLOGY is of ${processorsOf(TOPOLOGY)} processors, and the VM has ${vcpu} (VCPU)`);
  return findings;
}

/** Whether a guest is begun by UEFI, and what it is plugged into. */
export const isUefi = ({ FIRMWARE = 'BIOS' }: NonNullable<Machine['OS']>): boolean => FIRMWARE !== 'BIOS';
export const isQ35 = ({ MACHINE = '' }: NonNullable<Machine['OS']>): boolean => MACHINE.includes('q35');

/** What is told to a kernel, or is beside it. */
const ofKernel = ['INITRD_DS', 'KERNEL_CMD', 'ROOT'] as const;
const isSaid = (value: unknown): boolean => value !== undefined && value !== '';

function knownIn(section = ''): string {
  const names = machineAttributes[section] ?? [];
  return `there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`;
}

/** How many processors a topology has. */
export const processorsOf = ({ SOCKETS = 1, CORES = 1, THREADS = 1 }: NonNullable<Machine['TOPOLOGY']>): number =>
  SOCKETS * CORES * THREADS;

/** How many processors a guest sees: VCPU, or else the cores that are reserved for it. */
export function vcpuOf({ VCPU, CPU }: Attributes): number {
  const said = typeof VCPU === 'number' ? VCPU : Number(VCPU);
  if (Number.isInteger(said) && said > 0) return said;
  const cores = Number(CPU);
  return cores > 0 ? Math.max(1, Math.ceil(cores)) : 1;
}
