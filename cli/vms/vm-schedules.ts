import { z } from 'zod';
import { json } from '../../client/message.js';
import type { VmResource } from '../../schemas/vms/vm.js';
import { ScheduledVmAction, VmSchedulesResource } from '../../schemas/vms/vm-schedules.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { dateText, tableOf } from '../shell/output.js';
import { type Resource, report, resolve, shown } from '../shell/resource.js';
import { datastores } from '../storage/datastore.js';
import { deviceId } from './vm-devices.js';

type Vms = Resource<typeof VmResource, typeof VmResource>;

const Options = z.object({
  ...{ at: z.string().optional(), every: z.string().optional(), timeZone: z.string().optional() },
  ...{ disk: z.string().optional(), name: z.string().optional(), datastore: z.string().optional() },
  keep: z.coerce.number({ error: 'must be a number of images' }).optional(),
});
type Wish = { id: number; what: string | undefined; options: z.output<typeof Options> };

async function add(context: Context, { id, what = '', options }: Wish): Promise<void> {
  const { at, every, timeZone, disk, name, datastore, keep } = options;
  const action = ScheduledVmAction.safeParse(what);
  if (what !== '' && !action.success)
    throw new Complaint('usage', `${JSON.stringify(what)} is nothing that can be done to a VM at a time.`, {
      next: `Say one of ${ScheduledVmAction.options.join(', ')}`,
    });
  if (!action.success || (at === undefined) === (every === undefined))
    throw new Complaint('usage', 'Say what is to be done, and either --at or --every.', {
      next: `Such as: arcus vm schedule add 3 poweroff --every '0 22 * * *'. What can be done: ${ScheduledVmAction.options.join(', ')}`,
    });
  const saved = {
    ...(disk !== undefined && { disk_id: deviceId('disk', disk) }),
    ...(datastore !== undefined && { datastore_id: await resolve(context.client(), datastores, datastore) }),
    ...{ image_name: name, keep },
  };
  const body = json({ action: action.data, start_time: at, recurrence: every, time_zone: timeZone, ...saved });
  const { value, raw } = await context.client().send('POST', `/vms/${id}/schedules`, VmSchedulesResource, body);
  const added = value.schedules.at(-1);
  report(context, `scheduled action ${added?.id} of vm ${id}: ${what}, next at ${added?.next_at ?? '-'}.`, raw);
}

/** What can be done with what is to be done to a VM, by its word. */
const deeds: Readonly<Record<string, (context: Context, wish: Wish) => Promise<void>>> = {
  async list(context, { id }) {
    const { value, raw } = await context.client().get(`/vms/${id}/schedules`, VmSchedulesResource);
    shown(context, () => schedulesText(value), raw);
  },

  add,

  async delete(context, { id, what }) {
    if (what === undefined || !/^\d+$/.test(what))
      throw new Complaint('usage', 'Say which scheduled action, by its number.', {
        next: `Their numbers: arcus vm schedule list ${id}`,
      });
    await context.client().send('DELETE', `/vms/${id}/schedules/${what}`, z.unknown());
    report(context, `scheduled action ${what} of vm ${id} is not done any more.`, null);
  },
};

const savingOptions = [
  ['--disk <id>', 'which disk (default: all that a guest can write to)'],
  ['--name <name>', 'how the names of the images begin (default: as the VM)'],
  ['--datastore <name>', 'where they are kept: name or id (default: where the disk’s image is)'],
  ['--keep <number>', 'how many images of each disk stay (default: all)'],
] as const;

/** `arcus vm backup`: to have disks saved again and again, by the word that people look for. */
export const backupLeaf = (vms: Vms): Leaf =>
  leaf({
    usage: 'backup <vm>',
    summary: 'Have the disks of a VM saved as images, at a time or again and again',
    examples: [
      "arcus vm backup 3 --every '0 2 * * *' --keep 7",
      "arcus vm backup 3 --disk 0 --every '0 2 * * sun' --name weekly --datastore backups --keep 4",
    ],
    options: [
      ['--every <recurrence>', 'again and again, by a cron expression of five fields'],
      ['--at <time>', 'once, at a time such as 2027-10-02T15:45:00Z, or +3600 seconds after it was made'],
      ['--time-zone <zone>', 'on whose clocks, such as Europe/Madrid'],
      ...savingOptions,
    ],
    schema: Options,
    run: async (context, [wish], options) => {
      if ((options.at === undefined) === (options.every === undefined))
        throw new Complaint('usage', 'Say when its disks are to be saved: either --every or --at.', {
          next: "Such as: arcus vm backup 3 --every '0 2 * * *' --keep 7. One disk, now: arcus vm disk-saveas 3 0 <name>",
        });
      await add(context, { id: await resolve(context.client(), vms, wish), what: 'disk-saveas', options });
    },
  });

/** `arcus vm schedule`. */
export const vmScheduleLeaf = (vms: Vms): Leaf =>
  leaf({
    usage: 'schedule <deed> <vm> [what]',
    summary: 'List, add or delete what is to be done to a VM at its time',
    examples: [
      'arcus vm schedule list 3',
      "arcus vm schedule add 3 poweroff --every '0 22 * * mon-fri' --time-zone Europe/Madrid",
      'arcus vm schedule add 3 terminate --at +86400',
      "arcus vm schedule add 3 disk-saveas --every '0 2 * * *' --disk 0 --keep 7",
      'arcus vm schedule delete 3 0',
    ],
    options: [
      ['--at <time>', 'with add: once, at a time such as 2027-10-02T15:45:00Z, or +3600 seconds after it was made'],
      ['--every <recurrence>', 'with add: again and again, by a cron expression of five fields'],
      ['--time-zone <zone>', 'with add: on whose clocks, such as Europe/Madrid'],
      ...savingOptions.map(([flag, text]) => [flag, `with add disk-saveas: ${text}`] as const),
    ],
    schema: Options,
    run: async (context, [deed = '', wish, what], options) => {
      const act = Object.hasOwn(deeds, deed) ? deeds[deed] : undefined;
      if (!act)
        throw new Complaint('usage', `${JSON.stringify(deed)} is none of ${Object.keys(deeds).join(', ')}.`, {
          next: 'Such as: arcus vm schedule list 3',
        });
      await act(context, { id: await resolve(context.client(), vms, wish), what, options });
    },
  });

const actionText = ({ action, disk_id, keep }: VmSchedulesResource['schedules'][number]): string =>
  [action, ...(disk_id === null ? [] : [`disk ${disk_id}`]), ...(keep === null ? [] : [`keeps ${keep}`])].join(', ');

const schedulesText = ({ vm, time_zone, schedules }: VmSchedulesResource): string =>
  schedules.length === 0
    ? `VM ${vm} has no scheduled actions.`
    : tableOf(
        [
          { title: 'ID', text: ({ id }) => String(id), right: true },
          { title: 'ACTION', text: actionText },
          { title: 'WHEN', text: ({ recurrence, start_time }) => recurrence ?? start_time ?? '-' },
          { title: 'ZONE', text: (one) => one.time_zone ?? time_zone },
          { title: 'NEXT', text: ({ next_at }) => (next_at ? dateText(next_at) : '-') },
          { title: 'LAST', text: ({ last }) => (last ? `${dateText(last.time)} ${last.verdict}: ${last.why}` : '-') },
        ],
        schedules,
      );
