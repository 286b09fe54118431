import { z } from 'zod';
import { ObjectId, ObjectName, Timestamp } from '../common/common.js';
import { type Firing, FiringResource } from '../common/firing.js';
import { atMost, limits } from '../common/limits.js';
import { PlainVmAction } from '../operations/vm-action.js';

/** What can be done to a VM while nobody looks, by OpenNebula's names: what needs no more to be said than its name, and to save its disks. */
export const ScheduledVmAction = z.enum([
  ...PlainVmAction.options,
  ...(['resched', 'unresched', 'migrate', 'disk-saveas'] as const),
]);
export type ScheduledVmAction = z.infer<typeof ScheduledVmAction>;

const text = z.string({ error: 'must be a text' });

/** What is to be done to a VM, and when. */
export const AddVmSchedule = z.strictObject({
  action: ScheduledVmAction.describe('What is done to it, as if whoever asks for this asked for that then'),
  start_time: z
    .preprocess((value) => (typeof value === 'number' ? String(value) : value), text.optional())
    .describe(
      'When, once: ISO 8601, seconds since 1970, a date such as 2nd oct 2027 15:45, or +3600: so many seconds after the VM was made',
    ),
  recurrence: text
    .max(limits.recurrence.most)
    .optional()
    .describe('When, again and again: a cron expression of five fields; days and weekdays together: either will do'),
  time_zone: text.optional().describe('On whose clocks, such as Europe/Madrid; absent: as configured'),
  disk_id: z
    .int()
    .min(0)
    .optional()
    .describe('Of `disk-saveas`: which disk; absent: all that a guest can write to, but those to swap to'),
  image_name: ObjectName.max(limits.backupName.most, atMost('backupName'))
    .optional()
    .describe('Of `disk-saveas`: how the names of its images begin; VM, disk and time follow. Absent: as the VM'),
  datastore_id: ObjectId.optional().describe(
    'Of `disk-saveas`: where its images are kept. Absent: where the image is that the disk is made of; 1 of a volatile one',
  ),
  keep: z
    .int()
    .min(1)
    .max(limits.backups.most, atMost('backups'))
    .optional()
    .describe(
      'Of `disk-saveas`: how many images of each disk stay. Older ones that it has made are deleted once a new one is READY, but for those in use. Absent: all stay',
    ),
});
export type AddVmSchedule = z.output<typeof AddVmSchedule>;
/** What is said of a saving of disks alone. */
export const savingMembers = [
  'disk_id',
  'image_name',
  'datastore_id',
  'keep',
] as const satisfies readonly (keyof AddVmSchedule)[];

/** One scheduled action of a VM as stored. `by`: who has asked for it, with whose rights it is done. */
export type VmScheduleEntry = AddVmSchedule & {
  id: number;
  by: number;
  /** When it is due; null: never again. */
  next_at: Date | null;
  last: Firing | null;
};

/** All of a VM. It is written whole, by whoever has read the version that there is. */
export type VmSchedule = {
  version: number;
  /** When one of them is to be looked at; null: never. */
  due_at: Date | null;
  /** On whose clocks those are that name no zone. */
  zone: string;
  /** The highest id that one has had: none is used twice. */
  last_id: number;
  of: VmScheduleEntry[];
};

export const VmSchedulesResource = z
  .object({
    vm: ObjectId,
    time_zone: z.string().describe('On whose clocks those are due that name none'),
    schedules: z.array(
      z.object({
        id: z.int().describe('Of the VM’s own: no other of its scheduled actions has or had it'),
        action: ScheduledVmAction,
        start_time: z.string().nullable(),
        recurrence: z.string().nullable(),
        time_zone: z.string().nullable(),
        disk_id: z.int().nullable().describe('Of `disk-saveas`: the disk; null: all that can be saved'),
        image_name: z.string().nullable(),
        datastore_id: ObjectId.nullable(),
        keep: z.int().nullable().describe('How many images of each disk stay; null: all'),
        by: ObjectId.describe('The user who has asked for it, with whose rights it is done'),
        next_at: Timestamp.nullable().describe('When it is due; null: not again'),
        last: FiringResource.nullable().describe('What became of it when it was due last'),
      }),
    ),
  })
  .meta({ id: 'VmSchedules' });
export type VmSchedulesResource = z.infer<typeof VmSchedulesResource>;
