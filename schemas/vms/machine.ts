import { z } from 'zod';
import { limits } from '../common/limits.js';
import { noSection, OnceText } from './section.js';

// What a VM template says of the machine itself: OpenNebula's OS, FEATURES, GRAPHICS, INPUT, CPU_MODEL, TOPOLOGY and RAW. Template text knows only strings, so
// numbers and booleans are taken as text, too.

const asText = (value: unknown): unknown =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
/** A text without blanks around it; an empty one is none. */
const text = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => {
    const given = asText(value);
    return typeof given === 'string' ? given.trim() || undefined : given;
  }, schema.optional());

const YesNo = z.preprocess(
  (value) => {
    const given = asText(value);
    if (typeof given !== 'string' || given.trim() === '') return given === '' ? undefined : given;
    return { true: 'YES', false: 'NO' }[given.trim().toLowerCase()] ?? given.trim().toUpperCase();
  },
  z
    .enum(['YES', 'NO'], { error: 'must be YES or NO' })
    .transform((said) => said === 'YES')
    .optional(),
);

/** One of these, in whatever letter case. */
const OneOf = <const N extends readonly [string, ...string[]]>(names: N) =>
  z.preprocess((value) => {
    const given = asText(value);
    return typeof given === 'string' ? given.trim().toLowerCase() || undefined : given;
  }, z.enum(names, { error: `must be ${names.length === 1 ? '' : 'one of '}${names.join(', ')}` }).optional());

const named = (pattern: RegExp, example: string) => text(OnceText.regex(pattern, `must be a name such as ${example}`));
const whole = (most: number, least = 1) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : value),
    z
      .int(`must be an integer from ${least} to ${most}`)
      .min(least, `must be at least ${least}`)
      .max(most, `must be at most ${most}`)
      .optional(),
  );

/** What a kernel is told is one line; control characters are none of it. */
const Line = text(OnceText.max(2_048, 'must have at most 2048 characters').regex(/^[^\p{Cc}]*$/u, 'must be one line'));

/** What OpenNebula has and is not to be had here; an empty text says nothing. */
const never = (why: string) => z.literal('', { error: why }).optional();
const isNever = (schema: unknown): boolean =>
  schema instanceof z.ZodOptional && schema.def.innerType instanceof z.ZodLiteral;
const ofHost = (kind: string) =>
  never(`names a file of the host, which nobody may read through a VM: make an image of type ${kind} of it`);

/** Programs that a host has for this: a path could name any file of it otherwise, which the guest would run and read. */
const Firmware = text(
  OnceText.refine(
    (said) =>
      /^(bios|uefi)$/i.test(said) ||
      (/^\/usr\/share\/(OVMF|edk2|edk2-ovmf|qemu)\/[\w./-]{1,200}$/.test(said) &&
        said.endsWith('.fd') &&
        !said.includes('..')),
    'must be BIOS, UEFI, or firmware of the host, such as /usr/share/OVMF/OVMF_CODE.fd',
  ).transform((said) => (said.startsWith('/') ? said : said.toUpperCase())),
);

const Os = z.strictObject(
  {
    ARCH: OneOf(['x86_64', 'i686']),
    MACHINE: named(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'pc or q35'),
    BOOT: text(
      OnceText.regex(
        /^(disk|nic)\d{1,4}(\s*,\s*(disk|nic)\d{1,4}){0,31}$/,
        'must be disks and NICs in their order, such as disk0,nic0',
      ),
    ),
    KERNEL: ofHost('KERNEL'),
    INITRD: ofHost('RAMDISK'),
    KERNEL_DS: z.unknown().optional(),
    INITRD_DS: z.unknown().optional(),
    KERNEL_CMD: Line,
    FIRMWARE: Firmware,
    FIRMWARE_SECURE: YesNo,
    ROOT: named(/^[A-Za-z0-9/=:_.-]{1,128}$/, 'vda1'),
    BOOTLOADER: never('is a program of the host: no VM runs one'),
  },
  { error: noSection('OS', 'ARCH') },
);

const Features = z.strictObject(
  {
    ...{ ACPI: YesNo, APIC: YesNo, PAE: YesNo, LOCALTIME: YesNo, HYPERV: YesNo, GUEST_AGENT: YesNo },
  },
  { error: noSection('FEATURES', 'ACPI') },
);

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';
const Graphics = z
  .strictObject(
    {
      TYPE: OneOf(['vnc']),
      LISTEN: text(z.union([z.ipv4(), z.ipv6()], { error: 'must be an IP address' })),
      PORT: whole(65_535, 5_900),
      PASSWD: never('would be shown to whoever may use the VM: say RANDOM_PASSWD = YES'),
      RANDOM_PASSWD: YesNo,
      KEYMAP: named(/^[a-z]{2,3}(-[a-z]{2,4})?$/, 'es or en-us'),
    },
    { error: noSection('GRAPHICS', 'TYPE') },
  )
  .refine(({ LISTEN, RANDOM_PASSWD }) => LISTEN === undefined || isLoopback(LISTEN) || RANDOM_PASSWD === true, {
    path: ['LISTEN'],
    message: 'opens its screen to others: say RANDOM_PASSWD = YES, too',
  });

const Input = z
  .strictObject(
    { TYPE: OneOf(['mouse', 'tablet', 'keyboard']), BUS: OneOf(['usb', 'ps2', 'virtio']) },
    { error: noSection('INPUT', 'TYPE') },
  )
  .refine(({ TYPE, BUS }) => TYPE !== 'tablet' || BUS !== 'ps2', {
    path: ['BUS'],
    message: 'must be usb or virtio: there are no tablets on ps2',
  });

const CpuModel = z.strictObject(
  { MODEL: named(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'host-passthrough or Haswell') },
  { error: noSection('CPU_MODEL', 'MODEL') },
);
const Topology = z.strictObject(
  { SOCKETS: whole(256), CORES: whole(256), THREADS: whole(256) },
  { error: noSection('TOPOLOGY', 'CORES') },
);

const Raw = z.strictObject(
  {
    TYPE: OneOf(['kvm', 'qemu']),
    DATA: text(OnceText.max(limits.vmTemplate.most)),
    DATA_VMX: never('is for another hypervisor'),
  },
  { error: noSection('RAW', 'TYPE') },
);

/** What may be given in a list of one. */
const one = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value), schema.optional());

/** The machine of a VM, of what its template says; what is absent is as its hypervisor has it. */
export const Machine = z.object({
  OS: one(Os),
  FEATURES: one(Features),
  GRAPHICS: one(Graphics),
  INPUT: z.preprocess((value) => (value === undefined ? undefined : [value].flat()), z.array(Input).max(8).optional()),
  CPU_MODEL: one(CpuModel),
  TOPOLOGY: one(Topology),
  RAW: one(Raw),
});
export type Machine = z.output<typeof Machine>;

/** What each of these may say. */
export const machineAttributes: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries({
    ...{
      OS: Os,
      FEATURES: Features,
      GRAPHICS: Graphics,
      INPUT: Input,
      CPU_MODEL: CpuModel,
      TOPOLOGY: Topology,
      RAW: Raw,
    },
  }).map(([section, { shape }]) => [
    section,
    Object.entries(shape).flatMap(([name, schema]) => (isNever(schema) ? [] : [name])),
  ]),
);
