import { imagesUsedBy } from '../../domain/vms/boot-files.js';
import { hasFiles } from '../../domain/vms/vm-wish.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Store } from '../../store/store.js';
import { toldField } from '../../store/vms/work-vms.js';
import type { MemoryDisks } from './memory-disks.js';

type SeenVm = Pick<Vm, '_id' | 'state' | 'lcm_state' | 'disks' | 'files' | 'datastore' | 'device_change'> & {
  told: boolean;
};
const fields = { state: 1, lcm_state: 1, disks: 1, files: 1, datastore: 1, device_change: 1, told: toldField } as const;

const attaching = ({ device_change: last }: SeenVm) =>
  last?.open && last.change.action === 'disk-attach' ? [last.change.disk] : [];

/** What VMs, images and datastores do not agree on, each as a sentence. */
export async function diskDisagreements(store: Store, stored: MemoryDisks): Promise<string[]> {
  const [vms, images] = await Promise.all([
    store.vms.model
      .find(
        {
          $or: [
            { 'disks.0': { $exists: true } },
            { 'files.0': { $exists: true } },
            { 'datastore.id': { $exists: true } },
          ],
        },
        fields,
      )
      .sort({ _id: 1 })
      .lean<SeenVm[]>()
      .exec(),
    store.images.model.find().lean().exec(),
  ]);
  const found: string[] = [];
  const byId = new Map(vms.map((vm) => [vm._id, vm]));
  for (const { of } of stored.kept.values()) {
    const vm = byId.get(of.vm);
    const its = vm ? [...(vm.disks ?? []), ...attaching(vm)] : [];
    const isIts = vm?.datastore?.id === of.datastore.id && its.some(({ disk_id }) => disk_id === of.disk);
    if (!isIts) found.push(`disk ${of.disk} of VM ${of.vm} is kept, and the VM, ${vm?.state ?? 'gone'}, has it not`);
  }
  for (const { of } of stored.told.values()) {
    const vm = byId.get(of.vm);
    if (vm?.datastore?.id !== of.datastore.id)
      found.push(`what VM ${of.vm} is told is kept, and the VM, ${vm?.state ?? 'gone'}, has nothing there`);
  }
  for (const vm of vms) {
    const { _id, state, lcm_state, disks = [], datastore } = vm;
    const told = hasFiles({ ...vm, template: {} });
    if (state === 'DONE' && datastore) found.push(`VM ${_id} is DONE, and has room in datastore ${datastore.id}`);
    if (lcm_state !== 'RUNNING' || !datastore) continue;
    for (const { disk_id } of disks)
      if (!stored.kept.has(`${datastore.id}/${_id}/${disk_id}`)) found.push(`VM ${_id} runs without disk ${disk_id}`);
    if (told !== stored.told.has(`${datastore.id}/${_id}`))
      found.push(`VM ${_id} runs, and its guest is told ${told ? 'nothing' : 'what it is not to be'}`);
  }
  for (const { _id, vms: users, state, persistent } of images) {
    const having = vms
      .filter(
        (vm) =>
          vm.state !== 'DONE' && imagesUsedBy({ ...vm, disks: [...(vm.disks ?? []), ...attaching(vm)] }).includes(_id),
      )
      .map((vm) => vm._id);
    const said = users.toSorted((one, other) => one - other);
    if (said.join() !== having.join())
      found.push(`image ${_id} is used by ${said.join()}, and VMs ${having.join()} have disks of it`);
    const used = persistent ? 'USED_PERS' : 'USED';
    if (users.length > 0 !== (state === used)) found.push(`image ${_id} is ${state}, and ${users.length} VMs use it`);
  }
  return found;
}
