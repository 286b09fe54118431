import type { RoleSchedules, RoleSchedulesResource } from '../../../schemas/scaling/schedules.js';

const weekdays = { recurrence: '0 9 * * mon-fri', time_zone: 'Europe/Madrid' };
const morning = { ...weekdays, type: 'CARDINALITY', adjust: 4 } as const;
const evening = { recurrence: '30 22 * * *', type: 'CARDINALITY', adjust: 1 } as const;

/** As somebody sends it. */
export const webSchedules = {
  ...{ scheduled_policies: [morning, evening], min_vms: 1, max_vms: 5 },
} satisfies RoleSchedules;

const shown = (second: { definition: object; paused: string | null }) =>
  ({
    ...{ role: 'web', cardinality: 3, min_vms: 1, max_vms: 5, time_zone: 'UTC' },
    schedules: [
      { schedule: 0, definition: morning, paused: null, next_at: '2026-11-23T08:00:00.000Z', last: null },
      {
        ...{ schedule: 1, paused: second.paused, next_at: '2026-11-22T22:30:00.000Z', last: null },
        definition: { ...evening, ...second.definition },
      },
    ],
  }) satisfies RoleSchedulesResource;

export const schedulesOfWeb = shown({ definition: {}, paused: null });
export const pausedScheduleOfWeb = shown({
  definition: { enabled: false },
  paused: 'paused until somebody resumes it',
});
