import { limits } from '../../schemas/common/limits.js';
import { AddVmSchedule, savingMembers, type VmSchedule, type VmScheduleEntry } from '../../schemas/vms/vm-schedules.js';
import type { Finding } from '../problems.js';
import { catchUp, dueOf, isRead, lastUntil, nextAfter, wrongTimes } from '../recurring.js';
import { startTimeOf } from '../start-time.js';
import { strayMembers } from './backups.js';

/** `+3600`: seconds since the VM was made. */
const relative = /^\+(\d{1,9})$/;

/** `start`: when the VM was made; `zone`: on whose clocks those are that name none. */
export type ScheduleClock = { zone: string; now: Date; start: Date };

/** What is wrong with when something is to be done to a VM. */
export const wrongSchedule = (wish: AddVmSchedule): Finding[] => [
  ...wrongTimes(wish, (text) => relative.test(text.trim()) || isRead(text)),
  ...(wish.action === 'disk-saveas' ? [] : strayMembers(wish, savingMembers)),
];

/** What is to be done now, or earlier, is no wish for later: null, its time is to come, or it comes again and again. */
export function passedTime({ start_time, time_zone }: AddVmSchedule, clock: ScheduleClock): Finding | null {
  const at = start_time === undefined ? null : startOf(start_time, time_zone ?? clock.zone, clock);
  if (start_time === undefined || !at || at > clock.now) return null;
  const counted = relative.test(start_time.trim())
    ? `${start_time.trim()} counts from when the VM was made, ${clock.start.toISOString()}, and`
    : '';
  return {
    pointer: '/start_time',
    detail:
      `${counted} has passed: it is ${clock.now.toISOString()}. Say a time to come, or have it done now`.trimStart(),
  };
}

/** With one more. What is over gives way where there are as many as there may be; null: none is over. */
export function withSchedule(
  before: VmSchedule | null,
  wish: AddVmSchedule,
  by: number,
  clock: ScheduleClock,
): VmSchedule | null {
  const { version, last_id, zone, of } = before ?? { version: 0, last_id: -1, zone: clock.zone, of: [] };
  const room = of.length < limits.vmSchedules.most ? of : withoutFirst(of, ({ next_at }) => next_at === null);
  if (room.length >= limits.vmSchedules.most) return null;
  const entry = { ...wish, id: last_id + 1, by, ...begun(wish, { ...clock, zone }) };
  return withDue({ version: version + 1, due_at: null, zone, last_id: last_id + 1, of: [...room, entry] }, clock.now);
}

/** Without one; null: there is none of that id. The version goes on, so that a look that has read it does nothing by it. */
export function withoutSchedule(before: VmSchedule | null, id: number, now: Date): VmSchedule | null {
  if (!before?.of.some((one) => one.id === id)) return null;
  return withDue({ ...before, version: before.version + 1, of: before.of.filter((one) => one.id !== id) }, now);
}

/** One in its place, and when the next look is. */
export const withScheduleEntry = (schedule: VmSchedule, entry: VmScheduleEntry, now: Date): VmSchedule =>
  withDue(
    {
      ...schedule,
      version: schedule.version + 1,
      of: schedule.of.map((one) => (one.id === entry.id ? entry : one)),
    },
    now,
  );

/** Of a VM that is no more: nothing is due. */
export const scheduleOver = (schedule: VmSchedule): VmSchedule => ({
  ...schedule,
  version: schedule.version + 1,
  due_at: null,
});

/** What its template says is to be done to a new VM; undefined: nothing. */
export const scheduleOfNew = (
  wishes: readonly AddVmSchedule[],
  by: number,
  clock: ScheduleClock,
): VmSchedule | undefined =>
  wishes.reduce<VmSchedule | undefined>(
    (schedule, wish) => withSchedule(schedule ?? null, wish, by, clock) ?? schedule,
    undefined,
  );

/**
 * What is to be done about one that is due: `entry` is what is kept of it once that is done; `isDeed`: its action is to be done now.
 * However often it was due while nobody looked, it is done once. null: it is not due.
 */
export function lookAtDueAction(
  entry: VmScheduleEntry,
  zone: string,
  now: Date,
): { entry: VmScheduleEntry; isDeed: boolean } | null {
  const { next_at: first, last, action } = entry;
  if (!first || first > now) return null;
  const due_at = lastUntil(entry, zone, first, now);
  const past = (verdict: 'performed' | 'missed', why: string): VmScheduleEntry => ({
    ...entry,
    next_at: nextAfter(entry, zone, now),
    last: { due_at, at: now, verdict, why, operation: null },
  });
  if (now.getTime() - due_at.getTime() <= catchUp) return { entry: past('performed', action), isDeed: true };
  const why = last?.verdict === 'waits' && last.due_at >= first ? last.why : 'nothing looked at it';
  return { entry: past('missed', `for an hour ${why}`), isDeed: false };
}

/** SCHED_ACTION of a VM template: what its VMs are to have done to them, and what is wrong with that. */
export function scheduledIn(attribute: unknown): { wishes: AddVmSchedule[]; findings: Finding[] } {
  const wishes: AddVmSchedule[] = [];
  const findings: Finding[] = [];
  const isList = Array.isArray(attribute);
  const all: unknown[] = isList ? attribute : attribute === undefined ? [] : [attribute];
  for (const [at, value] of all.slice(0, limits.vmSchedules.most + 1).entries()) {
    const under = isList ? `/SCHED_ACTION/${at}` : '/SCHED_ACTION';
    const read = AddVmSchedule.safeParse(inOurWords(value));
    const wrong = read.success
      ? wrongSchedule(read.data)
      : read.error.issues.map(({ path, message }) => ({
          pointer: path.map((step) => `/${String(step)}`).join(''),
          detail: message,
        }));
    for (const { pointer, detail } of wrong)
      findings.push({
        pointer: `${under}${inTheirs(pointer)}`,
        detail: `SCHED_ACTION ${inTheirs(pointer).slice(1)} ${detail}`.replace('  ', ' '),
      });
    if (read.success && wrong.length === 0) wishes.push(read.data);
  }
  if (all.length > limits.vmSchedules.most)
    findings.push({
      pointer: '/SCHED_ACTION',
      detail: `SCHED_ACTION has ${all.length}; at most ${limits.vmSchedules.most} are possible`,
    });
  return { wishes, findings };
}

/** OpenNebula's names, and from RECURRENCE on Arcus's own. What it numbers itself is not read. */
const names: Readonly<Record<string, string>> = {
  ACTION: 'action',
  TIME: 'start_time',
  RECURRENCE: 'recurrence',
  TIME_ZONE: 'time_zone',
  DISK_ID: 'disk_id',
  IMAGE_NAME: 'image_name',
  DATASTORE_ID: 'datastore_id',
  KEEP: 'keep',
};
/** Template text knows no numbers. */
const numbers: ReadonlySet<string> = new Set(['DISK_ID', 'DATASTORE_ID', 'KEEP']);
const numberIn = (name: string, member: unknown): unknown =>
  numbers.has(name) && typeof member === 'string' && /^\d{1,15}$/.test(member) ? Number(member) : member;

const inTheirs = (pointer: string): string =>
  pointer.replace(
    /^\/(\w+)$/,
    (_all, name: string) => `/${Object.keys(names).find((one) => names[one] === name) ?? name}`,
  );

const inOurWords = (value: unknown): unknown =>
  typeof value !== 'object' || value === null
    ? value
    : Object.fromEntries(
        Object.entries(value).flatMap(([name, member]) =>
          name === 'ID' ? [] : [[names[name] ?? name, numberIn(name, member)]],
        ),
      );

/** null: nobody can tell. */
function startOf(text: string, zone: string, { now, start }: ScheduleClock): Date | null {
  const [, seconds] = relative.exec(text.trim()) ?? [];
  return seconds === undefined ? startTimeOf(text, zone, now) : new Date(start.getTime() + Number(seconds) * 1_000);
}

/** When it is due first. What was longer ago when it was asked for was missed before it began. */
function begun(wish: AddVmSchedule, clock: ScheduleClock): Pick<VmScheduleEntry, 'next_at' | 'last'> {
  const { start_time, time_zone } = wish;
  const { zone, now } = clock;
  if (start_time === undefined) return { next_at: nextAfter(wish, zone, now), last: null };
  const at = startOf(start_time, time_zone ?? zone, clock);
  if (!at || now.getTime() - at.getTime() <= catchUp) return { next_at: at, last: null };
  const why = 'it was over an hour ago when it was asked for';
  return { next_at: null, last: { due_at: at, at: now, verdict: 'missed', why, operation: null } };
}

const withDue = (schedule: VmSchedule, now: Date): VmSchedule => ({ ...schedule, due_at: dueOf(schedule.of, now) });

function withoutFirst<T>(all: readonly T[], which: (one: T) => boolean): T[] {
  const at = all.findIndex(which);
  return all.filter((_one, index) => index !== at);
}
