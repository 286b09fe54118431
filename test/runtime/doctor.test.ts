import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { type DoctorFinding, diagnose } from '../../runtime/doctor/doctor.js';
import { readsOut } from '../../runtime/doctor/support.js';
import { lockHome } from '../../runtime/home/home-lock.js';
import { choosePort } from '../../runtime/processes/ports.js';
import { kernelIn } from '../../runtime/sample/guest-image.js';
import { mongoUri } from '../../runtime/servers/mongodb-access.js';
import { readSettings } from '../../runtime/settings.js';
import { libvirtHostPrograms, libvirtPrograms } from '../../schemas/hosts/libvirt-programs.js';
import { ownDirectory } from '../support/directories.js';

const cache = process.env.ARCUS_CACHE ?? join(homedir(), '.arcus', 'cache');

/** The doctor's findings on a home of its own; nothing is on PATH. */
async function ask(
  over: Record<string, string> = {},
  today = new Date(),
): Promise<(subject: string) => DoctorFinding | undefined> {
  const port = String(await choosePort());
  const environment = { ARCUS_HOME: ownDirectory(), ARCUS_PORT: port, PATH: '', ARCUS_CACHE: cache, ...over };
  const findings = await diagnose([], environment, today);
  for (const { level, advice } of findings) expect(advice === null).toBe(level === 'ok');
  return (subject) => findings.find((finding) => finding.subject === subject);
}

describe('the doctor', () => {
  it('finds everything in order where everything is', async () => {
    const servers = {
      ARCUS_TEMPORAL_ADDRESS: inject('temporalAddress'),
      ARCUS_MONGODB_URI: mongoUri(inject('mongodb'), 'doctor'),
    };
    // Of a day when everything is in support.
    const about = await ask(servers, new Date('2025-07-01'));
    for (const subject of ['Node.js', 'build', 'home', 'disk', 'Temporal', 'API'])
      expect(about(subject)?.level, subject).toBe('ok');
    const version = /(\d+\.\d+\.\d+)/.exec(about('MongoDB')?.found ?? '')?.[1] ?? '6.0.5';
    expect(about('MongoDB')).toMatchObject(
      readsOut(version) === null
        ? { level: 'ok' }
        : { level: 'notice', found: expect.stringContaining('CVE-2025-14847') },
    );
    const later = await ask(servers, new Date('2050-01-01'));
    for (const subject of ['Node.js', 'MongoDB'])
      expect(later(subject), subject).toMatchObject({
        level: 'notice',
        found: expect.stringContaining('is out of support since 20'),
      });
    expect(about('Arcus')).toMatchObject({ level: 'notice', found: 'does not run on this home', advice: 'npm start' });
  });

  it('names the programs that images need, where they are missing', async () => {
    const directory = ownDirectory();
    expect((await ask({ PATH: directory }))('images')).toMatchObject({
      level: 'notice',
      found: expect.stringMatching(/^qemu-img, bzip2, xz, zstd are not on PATH/),
      advice: 'on Debian: apt-get install qemu-utils bzip2 xz-utils zstd',
    });
    for (const name of ['qemu-img', 'bzip2', 'xz', 'zstd']) writeFileSync(join(directory, name), '');
    expect((await ask({ PATH: directory }))('images')).toMatchObject({ level: 'ok' });
    expect((await ask({ PATH: directory }))('ssh')).toMatchObject({
      level: 'notice',
      found: 'ssh, ssh-agent, ssh-add are not on PATH: without, no datastore of kind ssh is reached',
      advice: 'on Debian: apt-get install openssh-client',
    });
    for (const name of ['ssh', 'ssh-agent', 'ssh-add']) writeFileSync(join(directory, name), '');
    expect((await ask({ PATH: directory }))('ssh')).toMatchObject({ level: 'ok', found: 'is here' });
    expect((await ask({ PATH: directory }))('ipmi')).toMatchObject({
      level: 'notice',
      found: 'ipmitool is not on PATH: without, no host is turned off by IPMI',
      advice: 'on Debian: apt-get install ipmitool',
    });
    writeFileSync(join(directory, 'ipmitool'), '');
    expect((await ask({ PATH: directory }))('ipmi')).toMatchObject({ level: 'ok' });
  });

  it('says what this machine lacks to have guests of libvirt, and to make one of its own kernel', async () => {
    const about = await ask({ PATH: ownDirectory() });
    expect(about('libvirt')).toMatchObject({
      level: 'notice',
      found: 'virsh, xorriso are not on PATH: without, no hosts of libvirt are driven',
      advice: 'on Debian: apt-get install libvirt-clients xorriso',
    });
    expect(about('guest')?.level).toBe('notice');
    const root = ownDirectory();
    expect(() => kernelIn(root)).toThrow(/^there is no kernel with its modules in .*apt-get install linux-image-cloud/);
    for (const version of ['6.1.0-1-amd64', '6.1.0-2-amd64'])
      mkdirSync(join(root, 'lib/modules', version), { recursive: true });
    mkdirSync(join(root, 'boot'));
    // One whose modules are gone boots no guest.
    for (const version of ['6.1.0-1-amd64', '6.1.0-2-amd64', '6.9.0-1-amd64'])
      writeFileSync(join(root, 'boot', `vmlinuz-${version}`), '');
    expect(kernelIn(root)).toBe('6.1.0-2-amd64');
  });

  it('says of guests that run as somebody who may not read the home what helps', async () => {
    const programs = ownDirectory();
    for (const name of Object.keys({ ...libvirtPrograms, ...libvirtHostPrograms }))
      writeFileSync(join(programs, name), '', { mode: 0o755 });
    const dac = '<secmodel><model>dac</model><baselabel type="qemu">+64055:+64055</baselabel></secmodel>';
    const answer = `<capabilities><host>${dac}</host></capabilities>`;
    writeFileSync(join(programs, 'virsh'), `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${programs}:${process.env.PATH}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await ask({ PATH: programs }))('libvirt')).toMatchObject({
      level: 'notice',
      found: expect.stringContaining('run as user 64055, who may not read the home'),
      advice: expect.stringContaining('have /etc/libvirt/qemu.conf say user = "root"'),
    });
  });

  it('says that programs are fetched which are not here', async () => {
    const about = await ask({ ARCUS_CACHE: ownDirectory() });
    expect(about('temporal')).toMatchObject({
      level: 'notice',
      advice: 'npm start fetches it, which needs the internet once',
    });
    expect(about('mongod')?.level).toBe('notice');
  });

  it('finds a cached program that does not run', async () => {
    const directory = ownDirectory();
    const folder = join(directory, `mongod-6.0-${process.platform}-${process.arch}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'mongod'), 'half a program', { mode: 0o755 });
    const about = await ask({ ARCUS_CACHE: directory });
    expect(about('mongod')).toMatchObject({
      level: 'fault',
      advice: expect.stringMatching(/^remove it: npm start fetches mongod \d/),
    });
  });

  it('finds servers that do not answer', async () => {
    const about = await ask({
      ARCUS_TEMPORAL_ADDRESS: '127.0.0.1:9',
      ARCUS_MONGODB_URI: 'mongodb://127.0.0.1:9/arcus',
    });
    expect(about('Temporal')).toMatchObject({ level: 'fault', advice: 'start it, or correct its address' });
    expect(about('MongoDB')?.level).toBe('fault');
  });

  it('finds a home that cannot be written', async () => {
    const file = join(ownDirectory(), 'file');
    writeFileSync(file, '');
    const about = await ask({ ARCUS_HOME: file });
    expect(about('home')).toMatchObject({ level: 'fault', found: expect.stringContaining('it is a file') });
  });

  it('finds a port that something else has', async () => {
    const port = await choosePort();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void squatter.close());
    const about = await ask({ ARCUS_PORT: String(port) });
    expect(about('API')).toMatchObject({ level: 'fault', found: `port ${port} is in use by something else` });
  });

  it('finds an Arcus whose API does not answer', async () => {
    const home = ownDirectory();
    const port = await choosePort();
    writeFileSync(join(home, 'ports.json'), JSON.stringify({ api: port }));
    const lock = await lockHome(join(home, 'lock'), home);
    onTestFinished(() => lock.release());
    const about = await ask({ ARCUS_HOME: home });
    expect(about('Arcus')).toMatchObject({ level: 'ok', found: `runs as process ${process.pid}` });
    expect(about('API')).toMatchObject({
      level: 'fault',
      found: expect.stringContaining(`http://127.0.0.1:${port} does not answer`),
    });
  });

  it.each([
    [['--hypervisor', 'xen'], 'there is no hypervisor "xen"'],
    [['--hypervisor', 'libvirt', '--libvirt-uri', 'xen:///'], 'uri must be a URI of QEMU'],
    [['--virt-type', 'qemu'], 'what guests are to be goes with --hypervisor libvirt'],
  ])('refuses the options %j', (args, why) => {
    expect(() => readSettings(args, {})).toThrow(why);
  });

  it('finds wrong settings', async () => {
    const about = await ask({ ARCUS_PORT: 'nine' });
    expect(about('settings')).toMatchObject({ level: 'fault', found: expect.stringContaining('ARCUS_PORT') });
  });
});
