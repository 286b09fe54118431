import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { libvirtHypervisor } from '../../adapters/hypervisor/libvirt/libvirt.js';
import { fsStorage } from '../../adapters/storage/fs/fs.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { writeIdleKernel } from '../support/idle-kernel.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';
import { type HypervisorWorld, hypervisorContract } from './hypervisor-contract.js';

// Where libvirt is not, nor can be installed, its cases are left out, and counted as such.
hypervisorContract('libvirt', makeWorld, { skip: isLibvirtMissing() });

async function makeWorld(): Promise<HypervisorWorld> {
  const hosts = new Map<string, LibvirtHost>();
  const of = ({ name }: { name: string }): LibvirtHost => {
    const host = hosts.get(name);
    if (!host) throw new Error(`there is no ${name}`);
    return host;
  };
  const [hypervisor, stranger] = ['tests', 'another'].map((name) => libvirtHypervisor(name, { shutdown: 300 }));
  if (!hypervisor || !stranger) throw new Error('there are two');
  const files = await mkdtemp(join(tmpdir(), 'lv-disks-'));
  await chmod(files, 0o755);
  const kernel = join(files, 'idle');
  writeIdleKernel(kernel);
  let made = 0;
  const datastore = fsStorage(join(files, 'datastores'));
  const inTime = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw problemOf(error)?.code === 'taken' ? new Problem('stale_epoch', 'Somebody later was there.') : error;
    });
  return {
    ...{ hypervisor, stranger, boot: { kernel } },
    async newHost(total) {
      const host = await LibvirtHost.start(`host-${hosts.size + 1}`, total);
      hosts.set(host.name, host);
      return host.target;
    },
    setBootTime: null,
    cutOff: async (host) => of(host).stop(),
    reach: (host) => of(host).begin(),
    async stopGuest(host, vm) {
      await of(host).virsh('destroy', `one-${vm}-tests`);
    },
    isDeaf: true,
    async fileOf(megabytes) {
      made += 1;
      const path = join(files, `disk-${made}.qcow2`);
      await execa('qemu-img', ['create', '-q', '-f', 'qcow2', path, `${megabytes}M`]);
      await chmod(path, 0o666);
      return path;
    },
    memoryOf({ id, epoch }) {
      const claim = { vm: id, epoch, datastore: { id: 0, ds_mad: 'fs' as const } };
      return {
        async take(signal) {
          const kept = await inTime(datastore.takeMemory(claim, signal));
          if (!kept) throw new Error('it keeps bytes');
          // Those of the hosts are another user.
          for (const part of ['', '0', '0/vms', `0/vms/${id}`]) await chmod(join(files, 'datastores', part), 0o777);
          return kept;
        },
        drop: (signal) => inTime(datastore.dropMemory(claim, signal)),
      };
    },
    async tidy() {
      for (const host of hosts.values())
        for (const uuid of ((await host.virsh('list', '--uuid')) ?? '')
          .split('\n')
          .filter((line) => line.trim() !== ''))
          await host.virsh('destroy', uuid.trim());
    },
    async close() {
      hypervisor.close();
      stranger.close();
      for (const host of hosts.values()) host.close();
      await rm(files, { recursive: true, force: true });
    },
  };
}
