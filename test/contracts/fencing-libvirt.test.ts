import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Power } from '../../adapters/fencing/port.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';
import { ensurePrograms } from '../support/programs.js';
import { bmcUser } from '../support/redfish.js';
import { ipmiPassword, VirtualBmc } from '../support/virtual-bmc.js';
import { fencingContract, openFencing, storedMethod } from './fencing-contract.js';

const name = 'nested-3';
/** A machine with nothing to boot from. */
const xml = `<domain type="qemu"><name>${name}</name><memory unit="MiB">32</memory><os><type arch="x86_64">hvm</type></os></domain>`;

describe.skipIf(isLibvirtMissing())('a host that is a domain of a libvirt', () => {
  let libvirt: LibvirtHost;
  beforeAll(async () => {
    libvirt = await LibvirtHost.start('outer', { cpu: 400, memory: 1_024 });
    const file = join(libvirt.directory, 'nested.xml');
    writeFileSync(file, xml);
    await libvirt.virsh('define', file);
  });
  afterAll(() => libvirt?.close());

  const power = async (): Promise<Power> =>
    (await libvirt.virsh('domstate', name))?.trim() === 'running' ? 'on' : 'off';
  const put = async (wanted: Power): Promise<void> => {
    if ((await power()) !== wanted) await libvirt.virsh(wanted === 'on' ? 'start' : 'destroy', name);
  };

  describe('turned off by that', () => {
    const method = (over: object = {}) => ({ kind: 'libvirt', uri: libvirt.uri, domain: name, ...over });
    fencingContract(
      () => ({
        ...{ fencing: openFencing(), method: storedMethod(method()), power, put },
        failing: {
          'it is not defined there': [method({ domain: 'other' }), /^domain other: failed to get domain/],
          'no libvirt is there': [
            method({ uri: `qemu+unix:///session?socket=${libvirt.directory}/none` }),
            /^domain nested-3: .*(connect|socket)/,
          ],
        },
      }),
      ['it is not defined there', 'no libvirt is there'],
    );
  });

  describe('turned off by a BMC, by IPMI', () => {
    let bmc: VirtualBmc;
    let nobody: number;
    beforeAll(async () => {
      ensurePrograms('ipmi', 'virtualbmc');
      bmc = await VirtualBmc.start(await choosePort(), libvirt.uri, name);
      nobody = await choosePort();
    });
    afterAll(() => bmc?.stop());
    const method = (over: object = {}) => ({
      ...{ kind: 'ipmi', address: '127.0.0.1', port: bmc.port, user: bmcUser, password: ipmiPassword, timeout: 60 },
      ...over,
    });
    fencingContract(
      () => ({
        ...{ fencing: openFencing(), method: storedMethod(method()), power, put, secret: ipmiPassword },
        failing: {
          'nobody listens': [method({ port: nobody, timeout: 2 }), /^ipmi at 127\.0\.0\.1: it did not end within 2 s/],
          'the password is wrong': [method({ password: 'wrong' }), /^ipmi at 127\.0\.0\.1: .*establish/],
        },
      }),
      ['nobody listens', 'the password is wrong'],
    );
  });
});
