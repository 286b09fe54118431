import { posix } from 'node:path';
import type { BootFiles, GuestFiles } from '../../adapters/hypervisor/port.js';
import type { ContextFile } from '../../adapters/storage/port.js';
import { Problem } from '../../domain/problems.js';
import { whyNoFile } from '../../domain/storage/image-use.js';
import { bootFilesOf } from '../../domain/vms/boot-files.js';
import { contextScript, guestContext, tooMuchTold } from '../../domain/vms/guest-context.js';
import { isTold } from '../../domain/vms/vm-wish.js';
import type { VmFile, VmFileUse } from '../../schemas/vms/vm-files.js';
import { guestFacts } from '../../store/vms/guest-facts.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';
import { inTime } from './disks.js';

type Ports = Pick<StepPorts, 'store' | 'directory' | 'storages'>;

/** Where the template of a VM names a file, and what it is called where it lies: of what a guest finds, as its image. */
const places = {
  CONTEXT: { named: 'CONTEXT names (FILES_DS)', name: null },
  KERNEL: { named: 'OS names (KERNEL_DS)', name: 'kernel' },
  RAMDISK: { named: 'OS names (INITRD_DS)', name: 'ramdisk' },
} as const satisfies Record<VmFileUse, { named: string; name: string | null }>;

/**
 * What the guest of a VM is told, and what it is booted by, lie in its datastore, under the epoch under which it is started now, and nothing of before; of one that is told nothing, nothing does. It is put
 * together here, from documents, and never part of what a step is asked or answers: passwords may be in it. VMs of before have no datastore where they have no
 * disks, and are told when they are placed anew.
 */
export async function tellGuest(
  ports: Ports,
  vm: WorkVm,
  signal: AbortSignal,
): Promise<{ context: GuestFiles | null; boot?: BootFiles }> {
  const { _id, epoch, datastore } = vm;
  const booted = bootFilesOf(vm.files);
  const nowhere = booted.length > 0 ? { boot: 'nowhere' as const } : {};
  if (!datastore) return { context: null, ...nowhere };
  const { id, ds_mad } = datastore;
  const files = [...(isTold(vm) ? await toldFiles(ports, _id) : []), ...(await filesOf(ports, booted))];
  const claim = { vm: _id, epoch, datastore: { id, ds_mad } };
  const { path, boot, ...more } = await inTime(vm, ports.storages.of({ ds_mad }).keepContext(claim, files, signal));
  const context = path === null ? null : { path, ...more };
  if (boot === undefined) return { context, ...nowhere };
  const at = (which: VmFileUse): string => posix.join(boot, places[which].name ?? '');
  const hasRamdisk = booted.some(({ use }) => use === 'RAMDISK');
  return { context, boot: { kernel: at('KERNEL'), ...(hasRamdisk && { ramdisk: at('RAMDISK') }) } };
}

async function toldFiles(ports: Ports, id: number): Promise<ContextFile[]> {
  const { store, directory } = ports;
  const vm = await store.vms.find(id);
  if (!vm) throw new Problem('not_found', `VM ${id} does not exist any more.`);
  const variables = guestContext(vm.template.CONTEXT, await guestFacts({ store, users: directory.users }, vm));
  if (variables === null) throw new Problem('deploy_refused', tooMuchTold(id));
  const files = (vm.files ?? []).filter(({ use }) => use === 'CONTEXT');
  return [{ name: 'context.sh', text: contextScript(variables) }, ...(await filesOf(ports, files))];
}

async function filesOf({ store, storages }: Ports, files: readonly VmFile[]): Promise<ContextFile[]> {
  if (files.length === 0) return [];
  const images = new Map((await store.images.byIds(files.map(({ image }) => image.id))).map((one) => [one._id, one]));
  return files.map((file) => fileOf(storages, file, images.get(file.image.id)));
}

type Found = Awaited<ReturnType<Ports['store']['images']['byIds']>>[number];

/** Whoever may use its image was asked when it was named; that it is there still, is asked whenever the VM starts. */
function fileOf(
  storages: Ports['storages'],
  { use, name, image: { id } }: VmFile,
  image: Found | undefined,
): ContextFile {
  const place = places[use];
  const it = `its ${place.named} as ${JSON.stringify(name)}`;
  if (!image) throw new Problem('deploy_refused', `Image ${id}, which ${it}, is not there any more.`);
  const why = whyNoFile(image, use);
  if (why) throw new Problem('deploy_refused', `Image ${id}, which ${it}: ${why.why}`);
  const { datastore_id, ds_mad, bytes } = image;
  const from = { id, datastore: { id: datastore_id, ds_mad } };
  return {
    ...(place.name === null ? { name } : { name: place.name, part: 'boot' }),
    ...{ size: bytes ?? 0, bytes: (signal) => storages.of({ ds_mad }).read(from, 0, signal) },
  };
}
