import { z } from 'zod';
import { Timestamp } from '../common/common.js';
import { FiringResource } from '../common/firing.js';
import { limits } from '../common/limits.js';
import { ScheduledPolicy } from '../services/service-template.js';
import { RoleBounds } from './policies.js';

/** What people replace of what a role of a service that is there does at its time. */
export const RoleSchedules = z.strictObject({
  scheduled_policies: z
    .array(ScheduledPolicy)
    .max(limits.policies.most)
    .describe('All scheduled policies that the role is to have from then on'),
  ...RoleBounds,
});
export type RoleSchedules = z.infer<typeof RoleSchedules>;

export const ScheduleResource = z.object({
  schedule: z.int().describe('Its place in the list, from 0'),
  definition: ScheduledPolicy,
  paused: z.string().nullable().describe('That it is paused, and until when; null: it is not'),
  next_at: Timestamp.nullable().describe('When it is due; null: not again'),
  last: FiringResource.nullable().describe('What became of it when it was due last'),
});

export const RoleSchedulesResource = z
  .object({
    role: z.string(),
    cardinality: z.int(),
    min_vms: z.int().nullable(),
    max_vms: z.int().nullable(),
    time_zone: z.string().describe('On whose clocks those are due that name none'),
    schedules: z.array(ScheduleResource),
  })
  .meta({ id: 'RoleSchedules' });
export type RoleSchedulesResource = z.infer<typeof RoleSchedulesResource>;
