import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineFindings, machineOf, vcpuOf } from '../../../domain/vms/machine.js';
import { rawDomain } from '../../../domain/vms/raw-domain.js';

describe('the machine that a template asks for', () => {
  it('is read of texts, as template text has them', () => {
    const template = {
      ...{ CPU: '0.5', VCPU: '4', OS: [{ ARCH: 'X86_64', MACHINE: 'q35', BOOT: 'disk0, nic0', ROOT: '' }] },
      FEATURES: { ACPI: 'no', PAE: true, LOCALTIME: 'YES' },
      GRAPHICS: { TYPE: 'VNC', LISTEN: '0.0.0.0', RANDOM_PASSWD: 'yes', KEYMAP: 'es' },
      INPUT: { TYPE: 'tablet', BUS: 'usb' },
      ...{ CPU_MODEL: { MODEL: 'host-model' }, TOPOLOGY: { SOCKETS: '2', CORES: 2 } },
    };
    expect(machineFindings(template, template)).toEqual([]);
    expect(machineOf(template)).toEqual({
      OS: { ARCH: 'x86_64', MACHINE: 'q35', BOOT: 'disk0, nic0' },
      FEATURES: { ACPI: false, PAE: true, LOCALTIME: true },
      GRAPHICS: { TYPE: 'vnc', LISTEN: '0.0.0.0', RANDOM_PASSWD: true, KEYMAP: 'es' },
      INPUT: [{ TYPE: 'tablet', BUS: 'usb' }],
      ...{ CPU_MODEL: { MODEL: 'host-model' }, TOPOLOGY: { SOCKETS: 2, CORES: 2 } },
    });
  });

  it.each<[object, string | RegExp]>([
    [{ OS: { ARCH: 'sparc' } }, 'OS/ARCH must be one of x86_64, i686'],
    [{ OS: { BOOT: 'hd,network' } }, 'OS/BOOT must be disks and NICs in their order, such as disk0,nic0'],
    [{ OS: { KERNEL: '/boot/vmlinuz' } }, /^OS\/KERNEL names a file of the host.*type KERNEL/],
    [{ OS: { BOOTLOADER: '/usr/bin/pygrub' } }, /^OS\/BOOTLOADER is a program of the host/],
    [{ OS: { KERNEL_CMD: 'a\nb' } }, 'OS/KERNEL_CMD must be one line'],
    [{ OS: { COLOUR: 'red' } }, /^OS\/COLOUR is not known: there are ARCH, MACHINE, BOOT, KERNEL_DS/],
    [{ OS: { KERNEL_DS: '', ROOT: 'vda1' } }, 'OS/ROOT is for a kernel: name an image of type KERNEL in KERNEL_DS'],
    [{ OS: { INITRD_DS: '$FILE[IMAGE_ID=1]' } }, /^OS\/INITRD_DS is for a kernel/],
    [{ OS: { FIRMWARE: '/etc/passwd' } }, /^OS\/FIRMWARE must be BIOS, UEFI, or firmware of the host/],
    [{ OS: { FIRMWARE: '/usr/share/OVMF/../../../etc/x.fd' } }, /^OS\/FIRMWARE must be BIOS/],
    [{ OS: { FIRMWARE: '/usr/share/OVMF/<x>.fd' } }, /^OS\/FIRMWARE must be BIOS/],
    [{ OS: { FIRMWARE: 'UEFI' }, FEATURES: { ACPI: 'NO' } }, 'FEATURES/ACPI is needed by UEFI'],
    [{ OS: { FIRMWARE: 'BIOS', FIRMWARE_SECURE: 'YES' } }, /^OS\/FIRMWARE_SECURE is for UEFI/],
    [{ OS: { FIRMWARE: 'uefi', FIRMWARE_SECURE: 'YES', MACHINE: 'pc' } }, /^OS\/FIRMWARE_SECURE needs a q35/],
    [{ OS: 'x86_64' }, 'OS is a section: OS = [ ARCH = … ]'],
    [{ INPUT: 'mouse' }, 'INPUT/0 is a section: INPUT = [ TYPE = … ]'],
    [{ FEATURES: [{ PAE: 'YES' }, { ACPI: 'NO' }] }, 'FEATURES is given twice, and can be once'],
    [{ OS: { BOOT: ['disk0', 'disk1', 'nic0'] } }, 'OS/BOOT is given 3 times, and can be once'],
    [{ FEATURES: { PAE: 'maybe' } }, 'FEATURES/PAE must be YES or NO'],
    [{ GRAPHICS: { TYPE: 'SDL' } }, 'GRAPHICS/TYPE must be vnc'],
    [{ GRAPHICS: { TYPE: 'VNC', LISTEN: '0.0.0.0' } }, /^GRAPHICS\/LISTEN opens its screen to others/],
    [{ GRAPHICS: { PASSWD: 'secret' } }, /^GRAPHICS\/PASSWD would be shown/],
    [{ GRAPHICS: { PORT: 80 } }, 'GRAPHICS/PORT must be at least 5900'],
    [{ INPUT: [{ TYPE: 'mouse' }, { TYPE: 'tablet', BUS: 'ps2' }] }, /^INPUT\/1\/BUS must be usb or virtio/],
    [{ CPU_MODEL: { MODEL: "a'/><x" } }, /^CPU_MODEL\/MODEL must be a name/],
    [{ TOPOLOGY: { CORES: 2 }, VCPU: 3 }, 'TOPOLOGY is of 2 processors, and the VM has 3 (VCPU)'],
    [{ RAW: { DATA: '<devices/>' } }, 'RAW/TYPE is required: kvm'],
    [{ RAW: { TYPE: 'kvm', DATA: '<devices>' } }, /^RAW\/DATA is no XML of a domain/],
  ])('%j is refused where it is said', (template, why) => {
    const [finding] = machineFindings({ ...template }, { CPU: 1, ...template });
    if (typeof why === 'string') expect(finding).toBe(why);
    else expect(finding).toMatch(why);
  });

  it('is what can be understood, of templates that nobody has judged', () => {
    const template = {
      OS: { ARCH: 'sparc', MACHINE: 'q35', COLOUR: 'red' },
      FEATURES: 'all',
      INPUT: [{ TYPE: 'pen' }],
    };
    expect(machineOf(template)).toEqual({ OS: { MACHINE: 'q35' } });
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('OS', 'FEATURES', 'INPUT', 'RAW', 'TOPOLOGY'), fc.anything()),
        (any) => {
          machineOf(any);
          machineFindings(any, any);
        },
      ),
    );
  });

  it('has as many processors as are said, or as are reserved', () => {
    expect([vcpuOf({ CPU: 0.1 }), vcpuOf({ CPU: 2.5 }), vcpuOf({ CPU: 0.1, VCPU: '4' })]).toEqual([1, 3, 4]);
  });
});

describe('RAW', () => {
  it.each([
    ['<name>other</name>', 'must not say "name" of a domain'],
    ['<title>arcus x vm 1 epoch 9 cpu 1 memory 1</title>', 'must not say "title"'],
    ['<metadata/>', 'must not say "metadata"'],
    ['<memory>1</memory>', 'must not say "memory"'],
    ['<os><kernel>/etc/shadow</kernel></os>', 'must not say "os"'],
    ['</domain><domain>', 'is no XML of a domain'],
    ['<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>', 'must be elements alone'],
    ['<?xml version="1.0"?>', 'must be elements alone'],
    ['<cpu/><cpu/>', 'says "cpu" twice'],
    ['just words', 'must be elements'],
  ])('%s is refused', (data, why) => {
    expect(rawDomain(data)).toContain(why);
  });

  it('is elements of a domain', () => {
    expect(rawDomain('<devices><watchdog model="i6300esb" action="reset"/></devices>')).toEqual({
      devices: { watchdog: { '@model': 'i6300esb', '@action': 'reset' } },
    });
    expect(rawDomain('')).toEqual({});
  });
});
