import { z } from 'zod';
import { ObjectId, Timestamp } from '../common/common.js';
import { type Firing, FiringResource } from '../common/firing.js';
import { limits } from '../common/limits.js';
import { VmAction } from '../operations/vm-action.js';

/** What can be done to a VM while nobody looks, by OpenNebula's names: whatever needs no more to be said than its name. */
export const ScheduledVmAction = z.enum([
  ...VmAction.exclude(['snapshot-revert', 'snapshot-delete']).options,
  ...(['hold', 'release', 'resched', 'unresched', 'migrate'] as const),
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
});
export type AddVmSchedule = z.output<typeof AddVmSchedule>;

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
        by: ObjectId.describe('The user who has asked for it, with whose rights it is done'),
        next_at: Timestamp.nullable().describe('When it is due; null: not again'),
        last: FiringResource.nullable().describe('What became of it when it was due last'),
      }),
    ),
  })
  .meta({ id: 'VmSchedules' });
export type VmSchedulesResource = z.infer<typeof VmSchedulesResource>;
