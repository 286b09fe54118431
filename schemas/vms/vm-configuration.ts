import { z } from 'zod';
import { namedUpTo } from '../common/attribute-name.js';
import { withUpperCaseNames } from './vm-template.js';

/**
 * What can be changed of what a VM is made of, section by section, with the attributes of each: OpenNebula's. null: any. Its size is
 * changed by resizing it, its disks and networks one by one.
 */
export const configurable = {
  OS: [
    'ARCH',
    'MACHINE',
    'KERNEL',
    'INITRD',
    'ROOT',
    'KERNEL_CMD',
    'BOOTLOADER',
    'BOOT',
    'FIRMWARE',
    'FIRMWARE_SECURE',
  ],
  FEATURES: ['ACPI', 'APIC', 'PAE', 'LOCALTIME', 'HYPERV', 'GUEST_AGENT'],
  INPUT: ['TYPE', 'BUS'],
  GRAPHICS: ['TYPE', 'LISTEN', 'PASSWD', 'KEYMAP'],
  RAW: ['TYPE', 'DATA', 'DATA_VMX'],
  CONTEXT: null,
} as const satisfies Readonly<Record<string, readonly string[] | null>>;
export type ConfiguredSection = keyof typeof configurable;

const section = <N extends string>(names: readonly N[]) =>
  z
    .strictObject(shapeOf(names))
    .partial()
    .optional()
    .describe(`Of these: ${names.join(', ')}`);

/** Each a text, as in OpenNebula; numbers are taken, too. */
const value = z.union([z.string(), z.number(), z.boolean()]);
const shapeOf = (names: readonly string[]): Record<string, typeof value> =>
  Object.fromEntries(names.map((name) => [name, value]));

export const VmConfiguration = withUpperCaseNames(
  z.strictObject({
    OS: section(configurable.OS),
    FEATURES: section(configurable.FEATURES),
    INPUT: section(configurable.INPUT),
    GRAPHICS: section(configurable.GRAPHICS),
    RAW: section(configurable.RAW),
    CONTEXT: z
      .record(z.string(), z.unknown())
      .meta(namedUpTo('attributes'))
      .optional()
      .describe('What the guest is told'),
  }),
);
export type VmConfiguration = z.output<typeof VmConfiguration>;

export const ConfigureVm = z.strictObject({
  template: VmConfiguration,
  append: z
    .boolean()
    .default(false)
    .describe(
      'true: what is named goes over what there is; false: sections that are not named, but for CONTEXT, are taken away',
    ),
});
export type ConfigureVm = z.output<typeof ConfigureVm>;
