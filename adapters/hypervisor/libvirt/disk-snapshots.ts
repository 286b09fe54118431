import { z } from 'zod';
import { snapshotName } from '../../../domain/storage/snapshot-name.js';
import type { VmCall } from '../../../domain/vms/vm-verbs.js';
import type { DomainDevices } from '../../../schemas/operations/vm-devices.js';
import { aliasOf } from './device-record.js';
import type { Site } from './site.js';

type Disk = DomainDevices['disks'][number];
/** A domain that runs, and for which VM it is asked by which call. */
type Running = { site: Site; call: VmCall; vm: { id: number }; uuid: string };

/** What QEMU answers, as `virsh qemu-monitor-command` shows it: its refusals are no failures of virsh. */
const Answer = z.union([
  z.object({ return: z.unknown() }),
  z.object({ error: z.object({ desc: z.string() }) }).transform(({ error }) => ({ refusal: error.desc })),
]);
/** Of `query-block`: the disks of a guest, each with what is in its qcow2. */
const Blocks = z.array(
  z.object({
    qdev: z.string().optional(),
    inserted: z
      .object({
        'node-name': z.string(),
        image: z.object({ snapshots: z.array(z.object({ name: z.string() })).optional() }),
      })
      .optional(),
  }),
);

/**
 * Takes or drops a snapshot of a disk that a guest has open, in its qcow2: as `qemu-img snapshot` does to one that nobody has open, and under the same name. What lies there under
 * that number was left by a change that came to nothing, and gives way.
 */
export async function changeOpenDisk(
  on: Running,
  { disk_id }: Disk,
  what: 'take' | 'drop',
  snapshot: number,
  signal: AbortSignal,
): Promise<void> {
  const blocks = Blocks.parse(await told(on, { execute: 'query-block' }, signal));
  const alias = aliasOf('disk', disk_id);
  const open = blocks.find(({ qdev = '' }) => qdev.split('/').includes(alias))?.inserted;
  if (!open) throw on.site.refused(on.call, on.vm.id, `QEMU has no disk ${disk_id} open`);
  const name = snapshotName(snapshot);
  const named = { device: open['node-name'], name };
  const ask = (execute: string) => told(on, { execute, arguments: named }, signal);
  if (open.image.snapshots?.some((one) => one.name === name)) await ask('blockdev-snapshot-delete-internal-sync');
  if (what === 'take') await ask('blockdev-snapshot-internal-sync');
}

async function told({ site, vm, call, uuid }: Running, command: object, signal: AbortSignal): Promise<unknown> {
  const words = ['qemu-monitor-command', uuid, JSON.stringify(command)];
  const answer = Answer.parse(JSON.parse(await site.work(call, vm.id, words, signal)));
  if ('refusal' in answer) throw site.refused(call, vm.id, answer.refusal);
  return answer.return;
}
