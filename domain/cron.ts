import { CronExpressionParser, type CronFieldCollection } from 'cron-parser';
import { momentsOfDay, wallTimeIn } from './time-zones.js';

const day = 24 * 60 * 60 * 1_000;
/** Longest time from one 29 February to the next, in days. */
const mostDays = 8 * 366 + 1;

const months = 'January February March April May June July August September October November December'.split(' ');
const daysIn = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** When something is to be done again and again, as cron says it. */
export type Recurrence = {
  /** From midnight. */
  minutes: readonly number[];
  /** It goes by the hours that pass, not by those of a day: where clocks are set back, an hour comes twice. */
  hourly: boolean;
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  weekdays: ReadonlySet<number>;
  /** Where both days and weekdays are named, either will do. */
  either: boolean;
};

type Read = { ok: true; recurrence: Recurrence } | { ok: false; fault: string };

/** A cron expression of five fields, or why it is none. */
export function readCron(expression: string): Read {
  const fields = expression.trim().split(/\s+/);
  const [minute, hour, date, month = '', weekday] = fields;
  if (fields.length !== 5)
    return { ok: false, fault: `has ${fields.length} fields instead of 5: minute, hour, day, month, weekday` };
  // cron-parser also knows L, H, # and ?, which no OneFlow client writes.
  if (!/^(?:[a-z]{3}|[\d*,/-])+$/i.test(fields.join('')))
    return { ok: false, fault: 'holds more than numbers, names of months and weekdays, and * , / -' };
  try {
    // The month by itself: together with a day that it does not have, it is refused in words that say nothing.
    const { fields: times } = CronExpressionParser.parse([minute, hour, date, '*', weekday].join(' '));
    const { fields: ofYear } = CronExpressionParser.parse(['0', '0', '*', month, '*'].join(' '));
    const recurrence = recurrenceOf(times, ofYear);
    const fault = whyNever(recurrence);
    return fault === undefined ? { ok: true, recurrence } : { ok: false, fault };
  } catch (error) {
    return { ok: false, fault: error instanceof Error ? error.message : String(error) };
  }
}

/** Why this is no cron expression of five fields, or undefined when it is one. */
export function cronFault(expression: string): string | undefined {
  const read = readCron(expression);
  return read.ok ? undefined : read.fault;
}

function recurrenceOf(times: CronFieldCollection, ofYear: CronFieldCollection): Recurrence {
  const { minute, hour, dayOfMonth, dayOfWeek } = times;
  const days = new Set(dayOfMonth.values.map(Number));
  const weekdays = new Set(dayOfWeek.values.map((one) => Number(one) % 7));
  return {
    minutes: hour.values.flatMap((h) => minute.values.map((m) => Number(h) * 60 + Number(m))),
    hourly: hour.values.length === 24,
    days,
    months: new Set(ofYear.month.values.map(Number)),
    weekdays,
    either: !dayOfMonth.isWildcard && !dayOfWeek.isWildcard,
  };
}

function whyNever({ days, months: named, weekdays, either }: Recurrence): string | undefined {
  if (either || weekdays.size === 0) return undefined;
  const first = Math.min(...days);
  const longest = Math.max(...[...named].map((month) => daysIn[month - 1] ?? 0));
  if (first <= longest) return undefined;
  const names = [...named].map((month) => months[month - 1]).join(', ');
  return `never comes: there is no day ${first} in ${names}`;
}

/** The first moment after this one at which it comes, on the clocks of a time zone; null: it comes no more. */
export function nextOf(recurrence: Recurrence, zone: string, after: Date): Date | null {
  const { day: today } = wallTimeIn(zone, after);
  for (let on = today; on <= today + mostDays; on++) {
    if (!isOn(recurrence, on)) continue;
    for (const moment of momentsOfDay(zone, on, recurrence.minutes, recurrence.hourly))
      if (moment > after) return moment;
  }
  return null;
}

/** The next few of them. */
export function comingOf(recurrence: Recurrence, zone: string, after: Date, most: number): Date[] {
  const found: Date[] = [];
  for (let last: Date | null = after; found.length < most; found.push(last)) {
    last = nextOf(recurrence, zone, last);
    if (!last) break;
  }
  return found;
}

function isOn({ days, months: named, weekdays, either }: Recurrence, on: number): boolean {
  const date = new Date(on * day);
  if (!named.has(date.getUTCMonth() + 1)) return false;
  const [isDay, isWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
  return either ? isDay || isWeekday : isDay && isWeekday;
}
