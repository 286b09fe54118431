import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { libvirtHypervisor } from '../../adapters/hypervisor/libvirt/libvirt.js';
import type { PlacedVm } from '../../adapters/hypervisor/port.js';
import { problemOf } from '../../domain/problems.js';
import type { DomainDevices } from '../../schemas/operations/vm-devices.js';
import { FrozenPrograms } from '../support/frozen-programs.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';
import { launchBuilt } from '../support/processes.js';

const { signal } = new AbortController();
const Info = z.object({ snapshots: z.array(z.object({ name: z.string() })).default([]) });

describe.skipIf(isLibvirtMissing())('what is kept of a VM in its disks, at libvirt', () => {
  let host: LibvirtHost;
  let directory: string;
  let programs: FrozenPrograms;
  const before = process.env.PATH;
  const hypervisor = libvirtHypervisor('tests', { shutdown: 0 });
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lv-kept-'));
    chmodSync(directory, 0o755);
    programs = new FrozenPrograms(directory, 'virsh');
    process.env.PATH = programs.path;
    host = await LibvirtHost.start('host-1', { cpu: 6_400, memory: 65_536 });
  });
  afterAll(() => {
    process.env.PATH = before;
    hypervisor.close();
    host?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const virsh = (...words: string[]): string =>
    execFileSync('virsh', ['-q', '-c', host.uri, ...words], { encoding: 'utf8' }).trim();
  function disk(id: number, format: 'qcow2' | 'raw' = 'qcow2'): DomainDevices['disks'][number] & { path: string } {
    const path = join(directory, `${id}.${format}`);
    execFileSync('qemu-img', ['create', '-q', '-f', format, path, '8M']);
    chmodSync(path, 0o666);
    return {
      ...({ disk_id: id, target: `vd${'abcdefgh'[id % 8]}`, type: 'fs', size: 8, format, path } as const),
      ...{ snapshots: [], current: null, reverted: null },
    };
  }
  const vm = (id: number, epoch: number, ...disks: DomainDevices['disks']): PlacedVm<'libvirt'> => ({
    ...{ id, domain: `one-${id}`, host: host.target, epoch, capacity: { cpu: 10, memory: 64 } },
    ...{ labels: { vm: id }, template: {}, devices: { nics: [], disks } },
  });
  const first = { snapshot: { id: 0, name: "it's <the> first" } };
  const refusal = (call: Promise<unknown>) =>
    call.then(
      () => 'done',
      (error: unknown) => `${problemOf(error)?.code}: ${problemOf(error)?.message}`,
    );
  const namesIn = (path: string): string[] =>
    Info.parse(JSON.parse(execFileSync('qemu-img', ['info', '-U', '--output=json', path], { encoding: 'utf8' })))
      .snapshots.map(({ name }) => name)
      .sort();

  it('is refused in words that say why where a disk cannot keep it, or there is none', async () => {
    await hypervisor.deploy(vm(2, 1, disk(10), disk(11, 'raw')), signal);
    expect(await refusal(hypervisor.snapshotCreate({ ...vm(2, 1), ...first }, signal))).toContain(
      'action_refused: VM 2 on host-1: its disk vdd is raw, and what a VM is, is kept in its disks',
    );
    await hypervisor.deploy(vm(3, 1), signal);
    expect(await refusal(hypervisor.snapshotCreate({ ...vm(3, 1), ...first }, signal))).toContain(
      'it has no qcow2 disk',
    );
    for (const id of [2, 3]) await hypervisor.destroy({ ...vm(id, 2), hard: true }, signal);
  });

  it('is not gone back to where what it has was changed since; what was kept of a disk since stays', async () => {
    const [own, another] = [disk(20), disk(21)];
    await hypervisor.deploy(vm(4, 1, own), signal);
    await hypervisor.snapshotCreate({ ...vm(4, 2), ...first }, signal);
    const since = { action: 'disk-snapshot-create', disk_id: 20, snapshot_id: 0 } as const;
    await hypervisor.snapshotDisk({ ...vm(4, 3), change: since }, signal);
    for (const _ of [1, 2]) await hypervisor.snapshotRevert({ ...vm(4, 4), ...first }, signal);
    expect((await hypervisor.look(vm(4, 4), signal))?.devices?.disks).toMatchObject([{ snapshots: [0], current: 0 }]);
    expect(namesIn(own.path)).toEqual(['arcus-vm.0.2', 'arcus.0']);
    await hypervisor.attachDisk({ ...vm(4, 5), change: { action: 'disk-attach', disk: another } }, signal);
    expect(await refusal(hypervisor.snapshotRevert({ ...vm(4, 6), ...first }, signal))).toContain(
      'action_refused: VM 4 on host-1: its disks or NICs have changed since',
    );
    await hypervisor.poweroff({ ...vm(4, 7), hard: true }, signal);
    expect(namesIn(own.path)).toEqual(['arcus.0']);
    await hypervisor.destroy({ ...vm(4, 8), hard: true }, signal);
  });

  it('is gone back to once an epoch, though libvirt died in the midst of it', async () => {
    await hypervisor.deploy(vm(5, 1, disk(30)), signal);
    await hypervisor.snapshotCreate({ ...vm(5, 2), ...first }, signal);
    const { reached, thaw } = programs.freeze('snapshot-revert');
    const given = new AbortController();
    const late = refusal(hypervisor.snapshotRevert({ ...vm(5, 3), ...first }, given.signal));
    await reached();
    given.abort(new Error('killed'));
    await late;
    // As it is between the one QEMU and the other.
    virsh('destroy', 'one-5-tests');
    expect(await refusal(hypervisor.snapshotRevert({ ...vm(5, 3), ...first }, signal))).toBe('done');
    expect(virsh('domstate', 'one-5-tests')).toBe('running');
    const running = virsh('domid', 'one-5-tests');
    await hypervisor.snapshotRevert({ ...vm(5, 3), ...first }, signal);
    expect(virsh('domid', 'one-5-tests')).toBe(running);
    await thaw();
    // One that was switched off is not gone back to.
    await hypervisor.poweroff({ ...vm(5, 4), hard: true }, signal);
    expect(await refusal(hypervisor.snapshotRevert({ ...vm(5, 5), ...first }, signal))).toContain('has no snapshot 0');
    await hypervisor.destroy({ ...vm(5, 6), hard: true }, signal);
  });

  it('is whole or not there, though who takes snapshots is killed again and again', async () => {
    const own = disk(0);
    await hypervisor.deploy(vm(1, 1, own), signal);
    const written = async () => (await hypervisor.look(vm(1, 1), signal))?.devices?.disks[0]?.snapshots ?? [];
    const count = 8;
    for (let epoch = 2; epoch <= 5; epoch += 1) {
      const words = [host.uri, host.pool, String(count), String(epoch)];
      const run = launchBuilt('test/contracts/take-snapshots.js', words);
      const until = 2 * (epoch - 1);
      if (epoch < 5)
        run.process.stdout?.on('data', () => {
          if (run.text().includes(`taken ${until}\n`))
            setTimeout(() => run.process.kill('SIGKILL'), 300 * Math.random());
        });
      const code = await run.exit;
      if (epoch === 5) expect(code, run.text()).toBe(0);
      // What is written is in the disk; of what is not written there is one more at most.
      const there = namesIn(own.path).filter((name) => name.startsWith('arcus.'));
      const known = (await written()).map((id) => `arcus.${id}`).sort();
      expect(there).toEqual(expect.arrayContaining(known));
      expect(there.length - known.length).toBeLessThanOrEqual(1);
    }
    expect(await written()).toEqual(Array.from({ length: count }, (_, id) => id));
    expect(namesIn(own.path).filter((name) => name.startsWith('arcus-vm.'))).toEqual(['arcus-vm.0.5']);
    await hypervisor.destroy({ ...vm(1, 6), hard: true }, signal);
    expect(namesIn(own.path).filter((name) => name.startsWith('arcus-vm.'))).toEqual([]);
    execFileSync('qemu-img', ['check', '-q', own.path]);
  });
});
