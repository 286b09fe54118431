import { z } from 'zod';
import { json } from '../../client/message.js';
import type { VmResource } from '../../schemas/vms/vm.js';
import { startOperation } from '../operations/start-operation.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { type Resource, resolve } from '../shell/resource.js';

const wait = ['--wait', 'wait until the operation has ended'] as const;
type Vms = Resource<typeof VmResource, typeof VmResource>;

/** The id of a device, as `show` tells it. */
export function deviceId(kind: 'NIC' | 'disk' | 'snapshot', word = ''): number {
  if (/^\d{1,9}$/.test(word)) return Number(word);
  throw new Complaint('usage', `${JSON.stringify(word)} is no id of a ${kind}.`, {
    next: 'Which there are: arcus vm show <vm>',
  });
}

/** A network as it is asked for: by its id, or by its name. */
export const networkWord = (word: unknown): unknown =>
  typeof word === 'string' && /^\d{1,9}$/.test(word) ? Number(word) : word;

/** `2048`, `2048M`, `2G`: in MB, as OpenNebula's commands take it. */
export function diskMegabytes(word = ''): number {
  const [, count, unit = 'm'] = /^(\d{1,9})([mg]?)b?$/i.exec(word) ?? [];
  if (count === undefined)
    throw new Complaint('usage', `${JSON.stringify(word)} is no size.`, { next: 'Such as: 2048, 2048M or 2G' });
  return Number(count) * (/g/i.test(unit) ? 1_024 : 1);
}

/** What is said where somebody asks for what takes images. */
export const noImages = (): Complaint =>
  new Complaint('usage', 'Arcus has no images yet: a disk is a volatile one, of --type and --size.', {
    next: 'Such as: arcus vm disk-attach 3 --type fs --size 1G',
  });

/** Where each is asked for. */
export const devicePath = (vm: number, ...words: readonly (string | number)[]): string =>
  `/vms/${vm}/${words.join('/')}`;

/** NICs and disks of a VM. */
export const deviceLeaves = (vms: Vms): readonly Leaf[] => {
  const ask = async (
    context: Context,
    wish: string | undefined,
    words: readonly (string | number)[],
    { body, waits }: { body?: object | undefined; waits: boolean | undefined },
  ): Promise<void> => {
    const id = await resolve(context.client(), vms, wish);
    const sent = body === undefined ? undefined : json(body);
    await reportOperation(context, await startOperation(context, 'POST', devicePath(id, ...words), sent), {
      wait: waits,
    });
  };
  const Waits = z.object({ wait: z.boolean().optional() });
  return [
    leaf({
      usage: 'nic-attach <vm>',
      summary: 'Attach a NIC to a VM',
      examples: ['arcus vm nic-attach 3 --network public --wait'],
      options: [
        ['--network <name>', 'name of its network, or its id'],
        ['--network-uname <user>', 'whose network is named (default: the VM’s owner’s)'],
        ['--ip <address>', 'this address of it (default: the next that is free)'],
        ['--mac <address>', 'the address of it that has this MAC'],
        ['--model <word>', 'what card the guest sees, such as virtio'],
        wait,
      ],
      schema: Waits.extend({
        network: z.string({ error: 'is needed: such as --network public' }),
        ...{ networkUname: z.string().optional(), ip: z.string().optional() },
        ...{ mac: z.string().optional(), model: z.string().optional() },
      }),
      run: (context, [wish], { wait: waits, network, networkUname: network_uname, ...more }) =>
        ask(context, wish, ['nics'], { body: { network: networkWord(network), network_uname, ...more }, waits }),
    }),
    leaf({
      usage: 'nic-detach <vm> <nic>',
      summary: 'Detach a NIC from a VM',
      examples: ['arcus vm nic-detach 3 0 --wait'],
      options: [wait],
      schema: Waits,
      run: (context, [wish, nic], { wait: waits }) =>
        ask(context, wish, ['nics', deviceId('NIC', nic), 'detach'], { waits }),
    }),
    leaf({
      usage: 'disk-attach <vm>',
      summary: 'Attach a volatile disk to a VM',
      examples: ['arcus vm disk-attach 3 --type fs --size 10G --format qcow2 --wait'],
      options: [
        ['--type <word>', 'fs or swap (default: fs)'],
        ['--size <size>', 'in MB, or such as 10G'],
        ['--format <word>', 'raw or qcow2 (default: raw)'],
        ['--target <device>', 'the device that the guest sees, such as vdb'],
        ['--image <name>', 'there are no images yet'],
        wait,
      ],
      schema: Waits.extend({
        type: z.string().default('fs'),
        size: z.string().optional(),
        ...{ format: z.string().optional(), target: z.string().optional(), image: z.string().optional() },
      }),
      run: (context, [wish], { wait: waits, image, size, ...rest }) => {
        if (image !== undefined || size === undefined) throw noImages();
        return ask(context, wish, ['disks'], { body: { ...rest, size: diskMegabytes(size) }, waits });
      },
    }),
    leaf({
      usage: 'disk-detach <vm> <disk>',
      summary: 'Detach a disk from a VM; a volatile one is gone then',
      examples: ['arcus vm disk-detach 3 0 --wait'],
      options: [wait],
      schema: Waits,
      run: (context, [wish, disk], { wait: waits }) =>
        ask(context, wish, ['disks', deviceId('disk', disk), 'detach'], { waits }),
    }),
    leaf({
      usage: 'disk-resize <vm> <disk> <size>',
      summary: 'Make a disk of a VM larger',
      examples: ['arcus vm disk-resize 3 0 20G --wait'],
      options: [wait],
      schema: Waits,
      run: (context, [wish, disk, size], { wait: waits }) =>
        ask(context, wish, ['disks', deviceId('disk', disk), 'resize'], { body: { size: diskMegabytes(size) }, waits }),
    }),
    leaf({
      usage: 'disk-snapshot-create <vm> <disk> <name>',
      summary: 'Take a snapshot of a disk of a VM',
      examples: ['arcus vm disk-snapshot-create 3 0 before-upgrade --wait'],
      options: [wait],
      schema: Waits,
      run: (context, [wish, disk, name], { wait: waits }) =>
        ask(context, wish, ['disks', deviceId('disk', disk), 'snapshots'], { body: { name }, waits }),
    }),
    ...(['revert', 'delete'] as const).map((deed) =>
      leaf({
        usage: `disk-snapshot-${deed} <vm> <disk> <snapshot>`,
        summary: deed === 'revert' ? 'Revert a disk of a VM to a snapshot' : 'Delete a snapshot of a disk of a VM',
        examples: [`arcus vm disk-snapshot-${deed} 3 0 1 --wait`],
        options: [wait],
        schema: Waits,
        run: (context, [wish, disk, snapshot], { wait: waits }) =>
          ask(context, wish, ['disks', deviceId('disk', disk), 'snapshots', deviceId('snapshot', snapshot), deed], {
            waits,
          }),
      }),
    ),
  ];
};
