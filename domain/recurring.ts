import { cronFault, nextOf, readCron } from './cron.js';
import type { Finding } from './problems.js';
import { startTimeOf } from './start-time.js';
import { isTimeZone } from './time-zones.js';

// What is done at a time that was said before: once, or again and again.

/** When: once at `start_time`, or by a `recurrence`; `time_zone`: on whose clocks. */
export type Times = {
  start_time?: string | undefined;
  recurrence?: string | undefined;
  time_zone?: string | undefined;
};

/** So long after it was due it is carried out still, once, in milliseconds: nothing could do it before. */
export const catchUp = 60 * 60 * 1_000;

/** When one that waits is looked at again, in milliseconds. */
const again = 10 * 1_000;

/** null: it comes no more, or came once. `zone`: on whose clocks it is when it names none. */
export function nextAfter({ recurrence, time_zone }: Times, zone: string, after: Date): Date | null {
  const read = recurrence === undefined ? null : readCron(recurrence);
  return read?.ok ? nextOf(read.recurrence, time_zone ?? zone, after) : null;
}

/** The last time that it was due until now, from the first one on that nobody has looked at. */
export function lastUntil(times: Times, zone: string, first: Date, now: Date): Date {
  let last = first;
  // What is longer ago than that is missed, whenever it was.
  const from = Math.max(first.getTime(), now.getTime() - catchUp - 60_000);
  for (let next = nextAfter(times, zone, new Date(from)); next && next <= now; next = nextAfter(times, zone, next))
    last = next;
  return last;
}

type Entry = { next_at: Date | null; last: { verdict: string } | null };

/** When one of these is to be looked at next; null: never. */
export function dueOf(entries: readonly Entry[], now: Date): Date | null {
  const looks = entries.flatMap(({ next_at, last }) => {
    if (!next_at) return [];
    const waits = last?.verdict === 'waits' && next_at <= now;
    return [waits ? now.getTime() + again : next_at.getTime()];
  });
  return looks.length === 0 ? null : new Date(Math.min(...looks));
}

/** What is wrong with when it is to be. `isTime`: what a start time may be. */
export function wrongTimes({ recurrence, start_time, time_zone }: Times, isTime = isRead): Finding[] {
  const findings: Finding[] = [];
  if (recurrence === undefined && start_time === undefined)
    findings.push({ pointer: '', detail: 'needs start_time or recurrence' });
  if (recurrence !== undefined && start_time !== undefined)
    findings.push({ pointer: '', detail: 'has both start_time and recurrence; give one of them' });
  const fault = recurrence === undefined ? undefined : cronFault(recurrence);
  if (fault !== undefined) findings.push({ pointer: '/recurrence', detail: `is not a cron expression: ${fault}` });
  if (start_time?.trim() === '') findings.push({ pointer: '/start_time', detail: 'must not be empty' });
  else if (start_time !== undefined && !isTime(start_time))
    findings.push({ pointer: '/start_time', detail: 'is no time, such as 2027-10-02T15:45:00Z or 2nd oct 2027 15:45' });
  if (time_zone !== undefined && !isTimeZone(time_zone))
    findings.push({ pointer: '/time_zone', detail: 'is no time zone, such as Europe/Madrid' });
  return findings;
}

/** Whether it can be read does not depend on when, nor where. */
export const isRead = (text: string): boolean => startTimeOf(text, 'UTC', new Date(0)) !== null;
