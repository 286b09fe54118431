import type { Role, Schedule, ScheduleEntry } from '../../schemas/services/service.js';
import type { ScheduledPolicy } from '../../schemas/services/service-template.js';
import { catchUp, dueOf, nextAfter } from '../recurring.js';
import { startTimeOf } from '../start-time.js';

/** On whose clocks those are that name no zone. */
type Clock = { zone: string; now: Date };

/**
 * What is kept of the scheduled policies of a role from now on: as before where they say the same as before. When fifty come
 * next takes some ten milliseconds.
 */
export const entriesOf = (
  { name: role, scheduled_policies: policies = [] }: Pick<Role, 'name' | 'scheduled_policies'>,
  before: Schedule | null,
  { zone, now }: Clock,
): ScheduleEntry[] =>
  policies.map((policy, at) => {
    const print = printOf(policy);
    const known = before?.of.find((one) => one.role === role && one.policy === at && one.print === print);
    return known ?? { role, policy: at, print, next_at: firstOf(policy, zone, now), last: null };
  });

/** All of a service, from now on; null: there are none. */
export const scheduleOf = (
  of: readonly ScheduleEntry[],
  before: Schedule | null,
  { zone, now }: Clock,
): Schedule | null =>
  of.length === 0 ? null : withDue({ version: (before?.version ?? 0) + 1, due_at: null, zone, of: [...of] }, now);

/** All of a service once a role has other policies: of other roles all stays as it is. */
export function rescheduled(
  role: Pick<Role, 'name' | 'scheduled_policies'>,
  before: Schedule | null,
  { zone: given, now }: Clock,
): Schedule {
  const clock = { zone: before?.zone ?? given, now };
  const others = before?.of.filter((one) => one.role !== role.name) ?? [];
  // The version goes on where none is left: a later one is not taken for one that was read before.
  const none = { version: (before?.version ?? 0) + 1, due_at: null, zone: clock.zone, of: [] };
  return scheduleOf([...others, ...entriesOf(role, before, clock)], before, clock) ?? none;
}

/** What it is: another time, another adjustment, or another action is another policy. */
export const printOf = ({
  recurrence,
  start_time,
  time_zone,
  type,
  adjust,
  min_adjust_step,
  ...policy
}: ScheduledPolicy): string => {
  const { action, number, period } = policy;
  const deed = action === undefined ? [] : [action, number, period];
  return JSON.stringify([recurrence, start_time, time_zone, type, adjust, min_adjust_step, ...deed]);
};

function firstOf(policy: ScheduledPolicy, zone: string, now: Date): Date | null {
  if (policy.start_time === undefined) return nextAfter(policy, zone, now);
  const at = startTimeOf(policy.start_time, policy.time_zone ?? zone, now);
  // What was longer ago when it was asked for never comes, and nobody has missed it.
  return at && now.getTime() - at.getTime() > catchUp ? null : at;
}

const withDue = (schedule: Schedule, now: Date): Schedule => ({ ...schedule, due_at: dueOf(schedule.of, now) });

/** An entry in its place, and when the next look is. */
export const withEntry = (schedule: Schedule, entry: ScheduleEntry, now: Date): Schedule =>
  withDue(
    {
      ...schedule,
      version: schedule.version + 1,
      of: schedule.of.map((one) => (one.role === entry.role && one.policy === entry.policy ? entry : one)),
    },
    now,
  );
