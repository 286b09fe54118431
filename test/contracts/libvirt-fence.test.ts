import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { libvirtHypervisor } from '../../adapters/hypervisor/libvirt/libvirt.js';
import type { PlacedVm } from '../../adapters/hypervisor/port.js';
import { problemOf } from '../../domain/problems.js';
import { FrozenPrograms } from '../support/frozen-programs.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';

const { signal } = new AbortController();

describe.skipIf(isLibvirtMissing())('who was frozen between a look and what he does at libvirt', () => {
  let host: LibvirtHost;
  let directory: string;
  let programs: FrozenPrograms;
  const before = process.env.PATH;
  const [frozen, other] = [libvirtHypervisor('tests', { shutdown: 0 }), libvirtHypervisor('tests', { shutdown: 0 })];
  beforeAll(async () => {
    host = await LibvirtHost.start('host-1', { cpu: 6_400, memory: 65_536 });
    directory = mkdtempSync(join(tmpdir(), 'lv-bin-'));
    programs = new FrozenPrograms(directory, 'virsh');
    process.env.PATH = programs.path;
  });
  afterAll(() => {
    process.env.PATH = before;
    frozen.close();
    other.close();
    host?.close();
    if (directory) rmSync(directory, { recursive: true, force: true });
  });

  const vm = (id: number, epoch: number): PlacedVm<'libvirt'> => ({
    ...{ id, domain: `one-${id}`, host: host.target, epoch, capacity: { cpu: 10, memory: 64 } },
    ...{ labels: { vm: id }, template: {} },
  });
  const outcome = (call: Promise<unknown>) =>
    call.then(
      () => 'done',
      (error: unknown) => problemOf(error)?.code ?? String(error),
    );
  const domains = async () =>
    (await other.probe(host.target, signal)).domains.map(({ vm, epoch, state }) => ({ vm, epoch, state }));

  it.each(['define', 'start'])('starts nothing that was destroyed while he stood before %s', async (command) => {
    const id = command === 'define' ? 1 : 2;
    const { reached, thaw } = programs.freeze(command);
    const late = outcome(frozen.deploy(vm(id, 1), signal));
    await reached();
    await other.destroy({ ...vm(id, 2), hard: true }, signal);
    await thaw();
    expect(await late).toBe('stale_epoch');
    expect(await domains()).toEqual([]);
    expect(host.guests()).toEqual([]);
  });

  it.each(['define', 'start'])(
    'starts no second one where a later holder has started it while he stood before %s',
    async (command) => {
      const id = command === 'define' ? 3 : 4;
      const { reached, thaw } = programs.freeze(command);
      const late = outcome(frozen.deploy(vm(id, 1), signal));
      await reached();
      expect(await outcome(other.deploy(vm(id, 2), signal))).toBe('done');
      await thaw();
      expect(await late).toBe('stale_epoch');
      expect(await domains()).toEqual([{ vm: id, epoch: 2, state: 'running' }]);
      expect(host.guests()).toHaveLength(1);
      await other.destroy({ ...vm(id, 3), hard: true }, signal);
    },
  );

  it('resumes nothing that was destroyed, or switched off, while he stood before its start', async () => {
    await other.deploy(vm(5, 1), signal);
    await other.suspend(vm(5, 2), signal);
    const { reached, thaw } = programs.freeze('start');
    const late = outcome(frozen.resume(vm(5, 3), signal));
    await reached();
    await other.poweroff({ ...vm(5, 4), hard: true }, signal);
    await thaw();
    expect(await late).toBe('stale_epoch');
    expect(await domains()).toEqual([{ vm: 5, epoch: 1, state: 'stopped' }]);
    expect(host.guests()).toEqual([]);
    await other.destroy({ ...vm(5, 5), hard: true }, signal);
  });

  it('touches no domain of a later holder, even where its host has lost what it has heard', async () => {
    await other.deploy(vm(6, 2), signal);
    const all = `${host.pool}/`;
    for (const name of readdirSync(all).filter((one) => one.startsWith('tests.6.'))) rmSync(join(all, name));
    execFileSync('virsh', ['-c', host.uri, 'pool-refresh', 'arcus']);
    for (const call of [
      () => frozen.deploy(vm(6, 1), signal),
      () => frozen.poweroff({ ...vm(6, 1), hard: true }, signal),
      () => frozen.destroy({ ...vm(6, 1), hard: true }, signal),
    ])
      expect(await outcome(call())).toBe('stale_epoch');
    expect(await domains()).toEqual([{ vm: 6, epoch: 2, state: 'running' }]);
    await other.destroy({ ...vm(6, 3), hard: true }, signal);
  });

  it('moves nothing between two names of one libvirt, and leaves it as it was', async () => {
    await other.deploy(vm(7, 1), signal);
    // The same socket by another way.
    const uri = host.uri.replace('/run/libvirt/', '/run//libvirt/');
    const twin = { ...host.target, name: 'host-2', connection: { ...host.target.connection, uri } };
    const names = () => readdirSync(host.pool).filter((name) => name.startsWith('tests.7.'));
    const before = names();
    const moved = other.migrate({ ...vm(7, 2), to: twin }, signal);
    await expect(moved).rejects.toMatchObject({
      ...{ code: 'action_refused', message: expect.stringContaining('host-1 and host-2 are one and the same') },
    });
    expect([names(), await domains()]).toEqual([before, [{ vm: 7, epoch: 1, state: 'running' }]]);
    await other.suspend(vm(7, 2), signal);
    await other.resume(vm(7, 3), signal);
    expect(await domains()).toEqual([{ vm: 7, epoch: 1, state: 'running' }]);
    await other.destroy({ ...vm(7, 4), hard: true }, signal);
  });

  it('leaves of each VM that is gone no more than one name, of its last epoch', () => {
    const names = readdirSync(host.pool).filter((name) => !name.endsWith('.log'));
    expect(names.sort()).toEqual([
      'tests.1.2.heard',
      'tests.2.2.heard',
      'tests.3.3.heard',
      'tests.4.3.heard',
      'tests.5.5.heard',
      'tests.6.3.heard',
      'tests.7.4.heard',
    ]);
  });
});
