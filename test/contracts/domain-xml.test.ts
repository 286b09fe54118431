import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DomainWish, domainXml } from '../../adapters/hypervisor/libvirt/domain-xml.js';
import { libvirtHypervisor } from '../../adapters/hypervisor/libvirt/libvirt.js';
import { displayIn, libvirtScreens, sshWords } from '../../adapters/hypervisor/libvirt/screens.js';
import { uuidOf } from '../../adapters/hypervisor/libvirt/site.js';
import { machineOf } from '../../domain/vms/machine.js';
import type { DomainDevices } from '../../schemas/operations/vm-devices.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';

const { signal } = new AbortController();
const wish = (over: Partial<DomainWish>, template: Record<string, unknown> = {}): DomainWish => ({
  ...{ name: 'one-1', uuid: uuidOf('tests', 1, 1), type: 'qemu', context: '/pool/c.iso', console: '/pool/c.log' },
  mark: { installation: 'tests', vm: 1, epoch: 1, capacity: { cpu: 100, memory: 64 } },
  devices: { nics: [], disks: [] },
  ...{ machine: machineOf(template), vcpu: 1, password: 'not-told', isSystem: false },
  ...over,
});

const disk = (disk_id: number, path: string): DomainDevices['disks'][number] => ({
  ...{ disk_id, target: `vd${'abc'[disk_id]}`, type: 'file', size: 1, format: 'qcow2', path },
  ...{ snapshots: [], current: null, reverted: null },
});

/** The names of elements and attributes, and no values. */
function outline(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(outline);
  if (typeof tree !== 'object' || tree === null) return '';
  return Object.fromEntries(Object.entries(tree).map(([name, inner]) => [name, outline(inner)]));
}
const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false });
const outlineOf = (xml: string): unknown => outline(parser.parse(xml));

describe('the XML of a domain', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({
      unit: fc.constantFrom("'", '"', '<', '>', '&', ']]>', '<!--', '</domain>', '&#x27;', 'a', '\n'),
      maxLength: 12,
    }),
  );

  it('has the same elements whatever names, paths and attributes are', () => {
    const domainOf = (name: string, path: string) =>
      outlineOf(
        domainXml(
          wish({
            name,
            context: path,
            console: path,
            devices: { nics: [], disks: [disk(0, path)] },
          }),
        ),
      );
    const usual = domainOf('one-1', '/disk');
    fc.assert(
      fc.property(fc.tuple(hostile, hostile), ([name, path]) => {
        expect(domainOf(`n${name}`, `/${path}`)).toEqual(usual);
      }),
    );
  });

  it('says in which order it boots from what it has', () => {
    const devices = { nics: [], disks: [disk(0, '/a'), disk(1, '/b'), disk(2, '/c')] };
    const made = domainXml(wish({ devices }, { OS: { BOOT: 'disk2,nic0,disk0' } }));
    const orders = [...made.matchAll(/<target dev="(vd.)"[^>]*\/>\s*<boot order="(\d)"/g)];
    expect(orders.map(([, target, order]) => [target, order])).toEqual([
      ['vda', '2'],
      ['vdc', '1'],
    ]);
    expect(made).not.toContain('<boot dev');
  });

  it('is told its kernel, a RAM disk and one line, whatever these are', () => {
    const [kernel, ramdisk] = ['/boot/kernel', '/boot/ramdisk'];
    const bootedBy = (OS: Record<string, unknown>, boot: NonNullable<DomainWish['boot']> = { kernel, ramdisk }) => {
      const { os } = parser.parse(domainXml(wish({ boot }, { OS: { KERNEL_DS: '$FILE[IMAGE_ID=1]', ...OS } }))).domain;
      return [os.kernel, os.initrd, os.cmdline];
    };
    expect(bootedBy({})).toEqual([kernel, ramdisk, undefined]);
    expect(bootedBy({ ROOT: 'vda1' }, { kernel })).toEqual([kernel, undefined, 'root=/dev/vda1']);
    expect(bootedBy({ ROOT: '/dev/vda', KERNEL_CMD: 'quiet' })[2]).toBe('quiet root=/dev/vda');
    expect(bootedBy({ ROOT: 'UUID=ab-1', KERNEL_CMD: 'ro' })[2]).toBe('ro root=UUID=ab-1');
    expect(bootedBy({ ROOT: 'vda1', KERNEL_CMD: 'root=/dev/sda ro' })[2]).toBe('root=/dev/sda ro');
    // Without a kernel there is nobody to tell it to.
    expect(domainXml(wish({}, { OS: { KERNEL_CMD: 'quiet', ROOT: 'vda1' } }))).not.toMatch(/<(kernel|cmdline)/);
    const usual = outlineOf(domainXml(wish({ boot: { kernel, ramdisk } }, { OS: { KERNEL_CMD: 'quiet' } })));
    fc.assert(
      fc.property(hostile, hostile, (path, line) => {
        const made = wish({ boot: { kernel: `/${path}`, ramdisk: `/${path}` } }, { OS: { KERNEL_CMD: `a${line}` } });
        // What is no one line is not understood, and left out.
        fc.pre(made.machine.OS?.KERNEL_CMD !== undefined);
        expect(outlineOf(domainXml(made))).toEqual(usual);
      }),
    );
  });

  it('has the elements of what is understood, whatever a template says', () => {
    const sections: Record<string, readonly string[]> = {
      OS: ['ARCH', 'MACHINE', 'KERNEL_CMD', 'ROOT'],
      GRAPHICS: ['KEYMAP', 'LISTEN', 'PASSWD', 'PORT'],
      INPUT: ['TYPE', 'BUS'],
      CPU_MODEL: ['MODEL'],
      FEATURES: ['PAE', 'HYPERV'],
    };
    const usual = JSON.stringify(outlineOf(domainXml(wish({}))));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(sections)), hostile, (section, text) => {
        // A quote or a bracket is in nothing that is understood.
        const template = {
          [section]: Object.fromEntries((sections[section] ?? []).map((name) => [name, `'"<${text}`])),
        };
        expect(JSON.stringify(outlineOf(domainXml(wish({}, template))))).toBe(usual);
      }),
    );
  });

  it('says where its screen is, as libvirt tells it', () => {
    const definition = (graphics: string) => `<domain><devices>${graphics}</devices></domain>`;
    const vnc = (more: string, inner = '') => definition(`<graphics type='vnc' ${more}>${inner}</graphics>`);
    expect(displayIn(definition(''))).toBeNull();
    expect(displayIn(vnc("port='-1'"))).toBeNull();
    expect(displayIn(vnc("port='5901'"))).toEqual({ address: '127.0.0.1', port: 5901, password: null });
    const listens = vnc("port='5901' passwd='a-_b'", "<listen type='address' address='0.0.0.0'/>");
    expect(displayIn(listens)).toEqual({ address: '127.0.0.1', port: 5901, password: 'a-_b' });
    const second = definition(
      "<graphics type='spice' port='1'/><graphics type='vnc' port='2'><listen type='none'/></graphics>",
    );
    expect(displayIn(second)).toMatchObject({ port: 2 });
    expect(displayIn('<domain/>')).toBeNull();
  });

  it('asks ssh for that in words of which none is an option of somebody else', () => {
    const words = (uri: string, address = '127.0.0.1') => sshWords(new URL(uri), { address, port: 5901 });
    expect(words('qemu+ssh://arcus@kvm-1/system').slice(-6)).toEqual([
      '-l',
      'arcus',
      '-W',
      '127.0.0.1:5901',
      '--',
      'kvm-1',
    ]);
    expect(words('qemu+ssh://[::1]:2222/system?keyfile=/k', '::1').slice(-8)).toEqual([
      ...['-p', '2222', '-i', '/k', '-W', '[::1]:5901', '--', '::1'],
    ]);
    expect(words('qemu+ssh://-oProxyCommand=x/system').slice(-2)[0]).toBe('--');
  });

  it('keeps whose it is, whatever RAW says', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const made = domainXml(wish({}, { RAW: { TYPE: 'kvm', DATA: `<devices><x y="${text}"/></devices>${text}` } }));
        expect(made.match(/<title>/g)).toHaveLength(1);
        expect(parser.parse(made)).toMatchObject({
          domain: { name: 'one-1', title: 'arcus tests vm 1 epoch 1 cpu 100 memory 64' },
        });
      }),
    );
  });
});

describe.skipIf(isLibvirtMissing())('what a template says of its machine, at libvirt', () => {
  let host: LibvirtHost;
  const hypervisor = libvirtHypervisor('tests', { shutdown: 300 });
  beforeAll(async () => {
    host = await LibvirtHost.start('host-1', { cpu: 1_600, memory: 4_096 });
  });
  afterAll(() => {
    hypervisor.close();
    host.close();
  });
  const deploy = async (id: number, template: Record<string, unknown>) => {
    const [domain, capacity] = [`one-${id}`, { cpu: 10, memory: 64 }];
    const vm = { id, domain, host: host.target, capacity, epoch: 1, labels: { vm: id }, template };
    await hypervisor.deploy(vm, signal);
    // Firmware that finds nothing to boot keeps a processor busy.
    await host.virsh('suspend', `${domain}-tests`);
    return (await host.virsh('dumpxml', `${domain}-tests`)) ?? '';
  };

  it('is what its domain has', async () => {
    const definition = await deploy(1, {
      ...{ VCPU: 4, OS: { MACHINE: 'q35' }, FEATURES: { ACPI: 'YES', APIC: 'NO', PAE: 'YES', LOCALTIME: 'YES' } },
      ...{ CPU_MODEL: { MODEL: 'Nehalem' }, TOPOLOGY: { SOCKETS: 1, CORES: 2, THREADS: 2 } },
      INPUT: [{ TYPE: 'tablet', BUS: 'usb' }],
      RAW: { TYPE: 'kvm', DATA: '<devices><watchdog model="i6300esb" action="none"/></devices>' },
    });
    for (const said of [
      /machine='pc-q35-/,
      /<vcpu[^>]*>4</,
      /<pae\/>/,
      /<clock offset='localtime'/,
      /<model fallback='forbid'>Nehalem</,
      /<topology sockets='1' dies='1' cores='2' threads='2'\/>/,
      /<input type='tablet' bus='usb'/,
      /<watchdog model='i6300esb' action='none'/,
      /<target dev='sdzz' bus='sata'/,
    ])
      expect(definition).toMatch(said);
    expect(definition).not.toContain('<apic/>');
    expect(definition).not.toContain('<graphics');
  });

  it('is begun by UEFI where its host has that, and refused in words that say what is missing', async () => {
    const at = '/usr/share/OVMF/OVMF_CODE_4M.fd';
    const begun = (OS: Record<string, string>) => {
      const { os, features } = parser.parse(domainXml(wish({}, { OS }))).domain;
      return [os['@firmware'], os.firmware?.feature['@enabled'], os.loader, features.smm];
    };
    const none = undefined;
    expect(begun({ FIRMWARE: 'bios' })).toEqual([none, none, none, none]);
    expect(begun({ FIRMWARE: 'uefi' })).toEqual(['efi', 'no', none, none]);
    expect(begun({ FIRMWARE: 'UEFI', FIRMWARE_SECURE: 'YES' })).toEqual(['efi', 'yes', none, { '@state': 'on' }]);
    const named = { '@readonly': 'yes', '@type': 'pflash', '@secure': 'no', '#text': at };
    expect(begun({ FIRMWARE: at })).toEqual([none, none, named, none]);
    for (const [id, OS] of [
      [20, { FIRMWARE: 'UEFI', MACHINE: 'q35' }],
      [21, { FIRMWARE: 'UEFI', MACHINE: 'q35', FIRMWARE_SECURE: 'YES' }],
      [22, { FIRMWARE: at, MACHINE: 'q35' }],
    ] as const) {
      const made = deploy(id, { OS });
      if (existsSync(at)) expect(await made).toMatch(/<loader [^>]*type='pflash'[^>]*>[^<]*OVMF_CODE[^<]*<\/loader>/);
      else
        await expect(made).rejects.toMatchObject({
          ...{ code: 'deploy_refused', message: expect.stringContaining('apt-get install ovmf') },
        });
    }
  });

  it('is refused in its own words, where it cannot be had', async () => {
    await expect(deploy(2, { CPU_MODEL: { MODEL: 'Unheard' } })).rejects.toMatchObject({
      message: expect.stringContaining('Unheard'),
    });
  });

  it('opens its screen to who has a password that nobody is told, and that is in no argument', async () => {
    const definition = await deploy(3, { GRAPHICS: { TYPE: 'VNC', RANDOM_PASSWD: 'YES', KEYMAP: 'es' } });
    const [, port = ''] = /<graphics type='vnc' port='(\d+)'/.exec(definition) ?? [];
    expect(definition).toMatch(/keymap='es'/);
    expect(definition).not.toContain('passwd=');
    const known = (await host.virsh('dumpxml', 'one-3-tests', '--security-info')) ?? '';
    const [, password = ''] = /passwd='([\w-]{8})'/.exec(known) ?? [];
    expect(password).toHaveLength(8);
    expect(execFileSync('ps', ['-eo', 'args', '-ww'], { encoding: 'utf8' })).not.toContain(password);
    // RFC 6143, 7.1: the version, and which ways to show who one is. 2: by a password; 1, none, is not among them.
    expect(await securityTypes(Number(port))).toEqual([2]);
    const screensOf = libvirtScreens('tests');
    await host.virsh('resume', 'one-3-tests');
    const screen = await screensOf({ id: 3, host: host.target }, signal);
    expect(screen.password).toBe(password);
    const bytes = await screen.open(signal);
    const [version] = await once(bytes, 'data');
    expect(String(version)).toBe('RFB 003.008\n');
    await host.virsh('destroy', 'one-3-tests');
    if (!bytes.destroyed) await once(bytes.resume(), 'close');
    for (const [vm, why] of [
      [1, /has no screen/],
      [3, /does not run on host-1/],
      [99, /does not run on host-1/],
    ] as const) {
      if (vm === 1) await host.virsh('resume', 'one-1-tests');
      const asked = screensOf({ id: vm, host: host.target }, signal);
      await expect(asked).rejects.toMatchObject({ code: 'wrong_state', message: expect.stringMatching(why) });
      if (vm === 1) await host.virsh('suspend', 'one-1-tests');
    }
    await deploy(4, { GRAPHICS: { TYPE: 'VNC' } }).then((open) => expect(open).toMatch(/listen='127\.0\.0\.1'/));
    const again = (await host.virsh('dumpxml', 'one-4-tests', '--security-info')) ?? '';
    expect(again).not.toContain('passwd=');
  });
});

/** The ways in that a server of RFB offers. */
function securityTypes(port: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let heard = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      const isFirst = heard.length < 12;
      heard = Buffer.concat([heard, bytes]);
      if (isFirst && heard.length >= 12) socket.write('RFB 003.008\n');
      const [count = 0] = heard.subarray(12);
      if (heard.length > 12 && heard.length >= 13 + count) {
        resolve([...heard.subarray(13, 13 + count)]);
        socket.destroy();
      }
    });
  });
}
