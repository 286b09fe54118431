import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkout } from '../../adapters/process/checkout.js';
import { homeAt } from '../../runtime/home/home.js';
import { isAlive } from '../../runtime/processes/process-identity.js';
import { cloudFor } from '../../runtime/sample/cloud.js';
import { refuseNoDisk } from '../../runtime/sample/given-disk.js';
import { readSettings } from '../../runtime/settings.js';
import { leftOf, startArcus } from '../support/arcus.js';
import { ownDirectory } from '../support/directories.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';
import { eventually } from '../support/processes.js';
import { tinyGuest } from '../support/tiny-guest.js';

const run = promisify(execFile);

describe('a disk that is given for guests', () => {
  /** So many bytes, of which the first sector ends and begins as said. */
  function fileOf({ begins = '', ends = '', bytes = 1_024 }): string {
    const content = Buffer.alloc(bytes, 'x');
    content.write(begins, 0, 'latin1');
    if (ends !== '') content.write(ends, 510, 'latin1');
    const path = join(ownDirectory(), 'disk');
    writeFileSync(path, content);
    return path;
  }

  it.each([
    ['a text', { begins: 'root:x:0:0:root:/root:/bin/bash' }],
    ['less than a sector', { bytes: 300 }],
    ['nothing', { bytes: 0 }],
    ['a disk of another format', { begins: 'KDMV' }],
  ])('is none where the file is %s', async (_what, file) => {
    await expect(refuseNoDisk(fileOf(file))).rejects.toThrow('neither qcow2, nor raw with a boot sector');
  });

  it('is one where a guest can boot from it, and is read', async () => {
    await refuseNoDisk(fileOf({ begins: 'QFI\xfb' }));
    await refuseNoDisk(fileOf({ ends: '\x55\xaa' }));
    await expect(refuseNoDisk(ownDirectory())).rejects.toThrow('--guest-image cannot be read: ');
    await expect(refuseNoDisk(join(ownDirectory(), 'none'))).rejects.toThrow('--guest-image cannot be read: ');
  });

  it('is said not to be looked at where the sample is made', async () => {
    const home = homeAt(ownDirectory());
    writeFileSync(home.sample, JSON.stringify({ key: 'k', service: 1, declined: false, hypervisor: 'libvirt' }));
    const said: string[] = [];
    const start = (...args: string[]) =>
      cloudFor(readSettings(args, { ARCUS_HOME: home.directory }), home, (line) => said.push(line));
    await start('--hypervisor', 'libvirt');
    expect(said).toEqual([]);
    await start('--hypervisor', 'libvirt', '--guest-image', 'debian.qcow2');
    expect(said).toEqual([expect.stringContaining('what guests are to be is not looked at any more')]);
  });
});

describe.skipIf(isLibvirtMissing())('npm start -- --hypervisor libvirt', () => {
  it('brings the sample up on real guests, which run on until they are undeployed, and leaves nothing behind', async () => {
    const guest = tinyGuest();
    const machine = await LibvirtHost.machine('machine', { cpu: 200, memory: 2_048 });
    onTestFinished(() => machine.close());
    const home = ownDirectory();
    const words = ['--hypervisor', 'libvirt', '--libvirt-uri', machine.uri, '--virt-type', 'qemu'];
    const first = startArcus(home, [...words, '--guest-image', guest]);
    await first.up;
    expect(first.text()).toContain('my_service is RUNNING: frontend 1/1, db_master 1/1, db_slave 2/2, worker 2/2');
    expect(first.text()).toContain('Guests of libvirt run on without Arcus: arcus service undeploy my_service');
    expect(existsSync(first.home.guest)).toBe(false);
    const pool = join(machine.directory, 'lib', 'arcus');
    const logs = () => readdirSync(pool).filter((name) => name.endsWith('.log'));
    const said = () => logs().map((name) => readFileSync(join(pool, name), 'utf8'));
    await eventually(() => said().filter((text) => /guest: up \w+_\d_\(service_1\)/.test(text)).length === 6);
    const domains = async () => (await machine.virsh('list', '--uuid'))?.trim().split('\n').filter(Boolean);
    expect(await domains()).toHaveLength(6);

    const children = first.children();
    first.process.kill('SIGINT');
    expect(await first.exit, first.text()).toBe(0);
    expect([children.filter(({ pid }) => isAlive(pid)), leftOf(first.home)]).toEqual([[], []]);
    expect(await domains()).toHaveLength(6);

    // Where the sample is, is known.
    const second = startArcus(home, [...words, '--guest-image', guest]);
    await second.up;
    expect(second.text()).toContain('is made: what guests are to be is not looked at any more');
    const arcus = (...args: string[]) =>
      run(join(checkout, 'bin/arcus'), args, { env: { ...process.env, ARCUS_HOME: home } });
    await arcus('service', 'undeploy', 'my_service', '--wait');
    expect(await machine.virsh('list', '--all', '--name')).toMatch(/^\s*$/);
    // What they have said stays, and of which epochs the host has heard.
    expect(readdirSync(pool).filter((name) => !/\.(log|heard)$/.test(name))).toEqual([]);
    const made = readdirSync(join(home, 'datastores'), { recursive: true, encoding: 'utf8' });
    expect(made.filter((name) => /disk\.\d|context\.sh/.test(name))).toEqual([]);
    second.process.kill('SIGINT');
    expect(await second.exit).toBe(0);
    expect(machine.guests()).toEqual([]);

    const other = startArcus(home, ['--hypervisor', 'simulated']);
    expect(await other.exit).toBe(1);
    expect(other.text()).toContain('is on libvirt hosts: choose another home with --home DIR');
  });
});
