import { libvirtHypervisor } from '../../adapters/hypervisor/libvirt/libvirt.js';

// Started as a process, to be killed: takes snapshots of disk 0 of VM 1 on a host of libvirt, and of the VM, one after the other, from the first that its host does not say it has.
const [, , uri = '', directory = '', count, epoch] = process.argv;
const { signal } = new AbortController();
const hypervisor = libvirtHypervisor('tests');
const connection = { total: { cpu: 6_400, memory: 65_536 }, uri, directory, virt_type: 'qemu' as const };
const vm = { id: 1, domain: 'one-1', host: { name: 'host-1', vm_mad: 'libvirt' as const, connection } };
const there = (await hypervisor.look(vm, signal))?.devices?.disks[0]?.snapshots ?? [];
for (let id = 0; id < Number(count); id++) {
  const at = { ...vm, epoch: Number(epoch) };
  if (!there.includes(id))
    await hypervisor.snapshotDisk(
      { ...at, change: { action: 'disk-snapshot-create', disk_id: 0, snapshot_id: id } },
      signal,
    );
  await hypervisor.snapshotCreate({ ...at, snapshot: { id: 0, name: 'last' } }, signal);
  process.stdout.write(`taken ${id}\n`);
}
hypervisor.close();
