import { z } from 'zod';
import { json } from '../../client/message.js';
import type { VmResource } from '../../schemas/vms/vm.js';
import { securityGroups } from '../networks/security-group.js';
import { startOperation } from '../operations/start-operation.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { type Resource, resolve } from '../shell/resource.js';
import { images } from '../storage/image.js';

const wait = ['--wait', 'wait until the operation has ended'] as const;
type Vms = Resource<typeof VmResource, typeof VmResource>;

/** The id of a device, as `show` tells it. */
export function deviceId(kind: 'NIC' | 'disk' | 'snapshot', word = ''): number {
  if (/^\d{1,9}$/.test(word)) return Number(word);
  throw new Complaint('usage', `${JSON.stringify(word)} is no id of a ${kind}.`, {
    next: 'Which there are: arcus vm show <vm>',
  });
}

/** A network or an image as it is asked for: by its id, or by its name. */
export const networkWord = (word: unknown): unknown =>
  typeof word === 'string' && /^\d{1,9}$/.test(word) ? Number(word) : word;

/** `2048`, `2048M`, `2G`: in MB, as OpenNebula's commands take it. */
export function diskMegabytes(word = ''): number {
  const [, count, unit = 'm'] = /^(\d{1,9})([mg]?)b?$/i.exec(word) ?? [];
  if (count === undefined)
    throw new Complaint('usage', `${JSON.stringify(word)} is no size.`, { next: 'Such as: 2048, 2048M or 2G' });
  return Number(count) * (/g/i.test(unit) ? 1_024 : 1);
}

/** A disk as it is asked for: of an image, or of a type and a size. */
export function diskBody({ image, type, size, ...rest }: Readonly<Record<string, unknown>>): object {
  if (image === undefined && size === undefined)
    throw new Complaint('usage', 'A disk is made of an image, or is a volatile one of a size.', {
      next: 'Such as: arcus vm disk-attach 3 --image data, or arcus vm disk-attach 3 --type fs --size 1G',
    });
  const megabytes = typeof size === 'string' ? diskMegabytes(size) : undefined;
  return image === undefined
    ? { type: type ?? 'fs', size: megabytes, ...rest }
    : { image: networkWord(image), type, size: megabytes, ...rest };
}

/** Where each is asked for. */
export const devicePath = (vm: number, ...words: readonly (string | number)[]): string =>
  `/vms/${vm}/${words.join('/')}`;

/** What a disk is saved as; the API judges the words. */
export const savedAs = (
  name: string | undefined,
  { type, datastore, snapshot, ...rest }: Readonly<Record<string, unknown>>,
): object => ({
  name,
  ...(typeof snapshot === 'string' && { snapshot_id: deviceId('snapshot', snapshot) }),
  ...(typeof type === 'string' && { type: type.toUpperCase() }),
  ...(typeof datastore === 'string' && { datastore_id: /^\d{1,9}$/.test(datastore) ? Number(datastore) : datastore }),
  ...rest,
});

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
      examples: [
        'arcus vm nic-attach 3 --network public --wait',
        'arcus vm nic-attach 3 --network public --security-group web',
      ],
      options: [
        ['--network <name>', 'name of its network, or its id'],
        ['--network-uname <user>', 'whose network is named (default: the VM’s owner’s)'],
        ['--ip <address>', 'this address of it (default: the next that is free)'],
        ['--mac <address>', 'the address of it that has this MAC'],
        ['--model <word>', 'what card the guest sees, such as virtio'],
        ['--security-group <group...>', 'what passes: names or ids (default: those of its network)'],
        wait,
      ],
      schema: Waits.extend({
        network: z.string({ error: 'is needed: such as --network public' }),
        ...{ networkUname: z.string().optional(), ip: z.string().optional() },
        ...{ mac: z.string().optional(), model: z.string().optional() },
        securityGroup: z.array(z.string()).optional(),
      }),
      run: async (context, [wish], { wait: waits, network, networkUname: network_uname, securityGroup, ...more }) => {
        const security_groups: number[] = [];
        for (const group of securityGroup ?? [])
          security_groups.push(await resolve(context.client(), securityGroups, group));
        const own = securityGroup === undefined ? {} : { security_groups };
        await ask(context, wish, ['nics'], {
          body: { network: networkWord(network), network_uname, ...more, ...own },
          waits,
        });
      },
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
      summary: 'Attach a disk to a VM: of an image, or a volatile one',
      examples: [
        'arcus vm disk-attach 3 --image data --wait',
        'arcus vm disk-attach 3 --type fs --size 10G --format qcow2 --wait',
      ],
      options: [
        ['--image <name>', 'name of the image that it is made of, or its id'],
        ['--image-uname <user>', 'whose image is named (default: the VM’s owner’s)'],
        ['--readonly', 'the guest cannot write to it'],
        ['--type <word>', 'of a volatile one: fs or swap (default: fs)'],
        ['--size <size>', 'in MB, or such as 10G; of an image: larger than that'],
        ['--format <word>', 'of a volatile one: raw or qcow2 (default: raw)'],
        ['--target <device>', 'the device that the guest sees, such as vdb'],
        wait,
      ],
      schema: Waits.extend({
        ...{ image: z.string().optional(), imageUname: z.string().optional(), readonly: z.boolean().optional() },
        ...{ type: z.string().optional(), size: z.string().optional() },
        ...{ format: z.string().optional(), target: z.string().optional() },
      }),
      run: (context, [wish], { wait: waits, imageUname: image_uname, ...rest }) =>
        ask(context, wish, ['disks'], { body: diskBody({ image_uname, ...rest }), waits }),
    }),
    leaf({
      usage: 'disk-detach <vm> <disk>',
      summary: 'Detach a disk from a VM; one that is no persistent image is gone then',
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
      usage: 'disk-saveas <vm> <disk> <name>',
      summary: 'Save a disk of a VM as an image',
      examples: ['arcus vm disk-saveas 3 0 "web of May" --wait'],
      options: [
        ['--type <word>', 'OS, CDROM or DATABLOCK (default: that of the image which the disk is made of)'],
        ['--datastore <id>', 'id of the datastore that it is kept in'],
        ['--description <text>', 'what it is'],
        ['--persistent', 'what a VM writes is kept in it'],
        ['-s, --snapshot <id>', 'a snapshot of the disk, instead of what it is now'],
        wait,
      ],
      schema: Waits.extend({
        ...{ type: z.string().optional(), datastore: z.string().optional(), description: z.string().optional() },
        ...{ persistent: z.boolean().optional(), snapshot: z.string().optional() },
      }),
      run: (context, [wish, disk, name], { wait: waits, datastore, type, ...rest }) =>
        ask(context, wish, ['disks', deviceId('disk', disk), 'save'], {
          body: savedAs(name, { type, datastore, ...rest }),
          waits,
        }),
    }),
    leaf({
      usage: 'disk-restore <vm> <disk> <image>',
      summary: 'Make a disk of a VM that is off what an image is, such as one that was saved of it',
      examples: ['arcus vm disk-restore 3 0 "nightly 3.0 2026-11-30T02:00:00Z" --wait'],
      options: [wait],
      schema: Waits,
      run: async (context, [wish, disk, image], { wait: waits }) =>
        ask(context, wish, ['disks', deviceId('disk', disk), 'restore'], {
          body: { image_id: await resolve(context.client(), images, image) },
          waits,
        }),
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
