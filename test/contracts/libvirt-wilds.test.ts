import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { libvirtHypervisor } from '../../adapters/hypervisor/libvirt/libvirt.js';
import { problemOf } from '../../domain/problems.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';

const { signal } = new AbortController();

describe.skipIf(isLibvirtMissing())('a domain that somebody else has defined at libvirt', () => {
  let host: LibvirtHost;
  const [one, other] = [libvirtHypervisor('one'), libvirtHypervisor('other')];
  beforeAll(async () => {
    host = await LibvirtHost.start('host-1', { cpu: 6_400, memory: 65_536 });
  });
  afterAll(() => {
    one.close();
    other.close();
    host?.close();
  });

  const virsh = (...words: string[]): string =>
    execFileSync('virsh', ['-q', '-c', host.uri, ...words], { encoding: 'utf8' }).trim();
  let last = 0;
  /** Its name, and its deploy id. */
  function wild({ title = '', verb = 'define' } = {}): { name: string; deployId: string } {
    const name = `legacy ${++last}`;
    const file = join(host.directory, `${last}.xml`);
    writeFileSync(
      file,
      `<domain type='qemu'><name>${name}</name>${title}<metadata><its:own xmlns:its='urn:its' is='kept'/></metadata><memory unit='MiB'>64</memory><vcpu>2</vcpu>
<os><type arch='x86_64'>hvm</type></os><devices><disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk></devices></domain>`,
    );
    virsh(verb, file);
    return { name, deployId: virsh('domuuid', name) };
  }
  const vm = (id: number, epoch = 1) => ({ id, domain: `one-${id}`, host: host.target, epoch });
  const whole = (id: number, epoch: number) => ({
    ...{ ...vm(id, epoch), capacity: { cpu: 200, memory: 64 }, labels: { vm: id }, template: {} },
    adopted: true as const,
  });
  const refusal = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      (error: unknown) => problemOf(error),
    );
  /** All that it is, whether it runs or not. */
  const definitions = (name: string) => [virsh('dumpxml', name), virsh('dumpxml', '--inactive', name)];

  it.each([
    ['runs', 'start', 'running', '<title>of the old  days</title>'],
    ['is off', '', 'stopped', ''],
    ['is paused', 'start --paused', 'suspended', ''],
    ['is saved', 'managedsave', 'suspended', '<title>of the old days</title>'],
  ])('that %s is a VM’s as it is, and given back it is what it was to the letter', async (_how, verb, state, title) => {
    const { name, deployId } = wild({ title });
    if (verb === 'managedsave') virsh('start', name);
    if (verb !== '') virsh(...verb.split(' ').toSpliced(1, 0, name));
    const before = definitions(name);
    const id = 100 + last;
    for (const _ of [1, 2]) expect(await one.adopt({ ...vm(id), deployId, from: null }, signal)).toBe(state);
    const { domains, wilds } = await one.probe(host.target, signal);
    expect(domains.find((domain) => domain.vm === id)).toMatchObject({
      ...{ deployId, epoch: 1, state, capacity: { cpu: 200, memory: 64 } },
    });
    expect(wilds.some((found) => found.deployId === deployId)).toBe(false);
    expect(virsh('domuuid', name)).toBe(deployId);
    expect(virsh('metadata', name, 'urn:its')).toContain('kept');
    await one.disown(vm(id, 2), signal);
    expect(definitions(name)).toEqual(before);
    expect(virsh('secret-list')).toBe('');
    if (verb.startsWith('start')) virsh('destroy', name);
    virsh('undefine', '--managed-save', name);
  });

  it('goes on where it was paused or saved, and is started as it is', async () => {
    const { name, deployId } = wild();
    virsh('start', '--paused', name);
    await one.adopt({ ...vm(1), deployId, from: null }, signal);
    await one.resume(vm(1, 2), signal);
    expect(virsh('domstate', name)).toBe('running');
    await one.suspend(vm(1, 3), signal);
    await one.resume(vm(1, 4), signal);
    expect(virsh('domstate', name)).toBe('running');
    await one.poweroff({ ...vm(1, 5), hard: true }, signal);
    expect(await one.deploy(whole(1, 6), signal)).toEqual({ deployId, epoch: 6 });
    expect(virsh('domstate', name)).toBe('running');
    await one.destroy({ ...vm(1, 7), hard: true }, signal);
    expect(virsh('list', '--all', '--name')).not.toContain(name);
  });

  it('is had by one of two who take it at once', async () => {
    const { name, deployId } = wild();
    for (let round = 1; round <= 5; round += 1) {
      const taken = await Promise.allSettled(
        [one, other].map((its) => its.adopt({ ...vm(2, 2 * round), deployId, from: null }, signal)),
      );
      const winners = [one, other].filter((_, at) => taken[at]?.status === 'fulfilled');
      expect(winners.length, JSON.stringify(taken)).toBeLessThanOrEqual(1);
      for (const its of [one, other]) {
        const { domains } = await its.probe(host.target, signal);
        expect(domains.some((domain) => domain.deployId === deployId)).toBe(winners.includes(its));
      }
      for (const its of [one, other]) await its.disown(vm(2, 2 * round + 1), signal);
    }
    virsh('undefine', name);
  });

  it('is not taken while somebody else is about to take it, who may go on', async () => {
    const { name, deployId } = wild();
    const secret = join(host.directory, 'secret.xml');
    writeFileSync(secret, `<secret><usage type='volume'><volume>arcus ${deployId}</volume></usage></secret>`);
    virsh('secret-define', secret);
    const refused = await refusal(one.adopt({ ...vm(3), deployId, from: null }, signal));
    expect(refused?.code).toBe('action_refused');
    expect(refused?.message).toContain('somebody else is about to take it');
    const [id = ''] = virsh('secret-list').split(' ');
    virsh('secret-undefine', id);
    expect(await one.adopt({ ...vm(3, 2), deployId, from: null }, signal)).toBe('stopped');
    expect(virsh('secret-list')).toBe('');
    await one.destroy({ ...vm(3, 3), hard: true }, signal);
    expect(virsh('list', '--all', '--name')).not.toContain(name);
  });

  it('is refused where libvirt forgets it when it stops', async () => {
    const { name, deployId } = wild({ verb: 'create' });
    const refused = await refusal(one.adopt({ ...vm(4), deployId, from: null }, signal));
    expect(refused?.code).toBe('action_refused');
    expect(refused?.message).toContain('is transient');
    expect((await one.probe(host.target, signal)).wilds.map((found) => found.name)).toContain(name);
    virsh('destroy', name);
  });

  it('that is one’s own is not given back', async () => {
    const { adopted: _no, ...own } = whole(5, 1);
    await one.deploy(own, signal);
    expect((await refusal(one.disown(vm(5, 2), signal)))?.message).toContain('was made for it, and not adopted');
    await one.destroy({ ...vm(5, 3), hard: true }, signal);
  });
});
