import { type ParsedResult, parse } from 'chrono-node';
import { momentsOf, wallTimeIn } from './time-zones.js';

/** Longer texts are no dates: looking for one in them would take long. */
const longest = 100;
const day = 24 * 60 * 60 * 1_000;
const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * The moment that somebody means: ISO 8601, seconds since 1970, or a date as people write it, such as `2nd oct 2017 15:45`. Without
 * a zone of its own it is on the clocks of `zone`. null: nobody can tell.
 */
export function startTimeOf(text: string, zone: string, now: Date): Date | null {
  const trimmed = text.trim();
  if (trimmed.length > longest) return null;
  if (/^\d{9,11}$/.test(trimmed)) return new Date(Number(trimmed) * 1_000);
  const [, year, month, date, hour = '0', minute = '0', second = '0', offset] = iso.exec(trimmed) ?? [];
  if (year !== undefined) {
    const numbers = [year, month, date, hour, minute, second].map(Number);
    if (!isDate(numbers)) return null;
    return offset === undefined ? onClock(numbers, zone) : valid(Date.parse(standard(numbers, offset)));
  }
  return readDate(trimmed, zone, now);
}

function isDate([year = 0, month = 1, date = 1]: number[]): boolean {
  const at = new Date(Date.UTC(year, month - 1, date));
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === date;
}

const valid = (at: number): Date | null => (Number.isNaN(at) ? null : new Date(at));

const two = (number: number | undefined = 0): string => String(number).padStart(2, '0');
const standard = ([year, month, date, hour, minute, second]: number[], offset: string): string =>
  `${year}-${two(month)}-${two(date)}T${two(hour)}:${two(minute)}:${two(second)}${offset.toUpperCase().replace(/(\d\d):?(\d\d)$/, '$1:$2')}`;

/** null: there is no such date. */
function onClock(
  [year = 0, month = 1, date = 1, hour = 0, minute = 0, second = 0]: number[],
  zone: string,
): Date | null {
  if (!isDate([year, month, date]) || hour > 23 || minute > 59 || second > 59) return null;
  const at = new Date(Date.UTC(year, month - 1, date));
  const [moment] = momentsOf(zone, { day: at.getTime() / day, minute: hour * 60 + minute });
  return moment ? new Date(moment.getTime() + second * 1_000) : null;
}

/** 02/10/2027 is in October here and in February there. */
const isEither = (text: string): boolean => /\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b/.test(text);

/** A date in words. What is left over of the text is no part of a date: then it was not understood. */
function readDate(text: string, zone: string, now: Date): Date | null {
  if (isEither(text)) return null;
  const { day: on, minute } = wallTimeIn(zone, now);
  const offset = Math.round((on * day + minute * 60_000 - now.getTime()) / 60_000);
  const [found, ...others] = parse(text, { instant: now, timezone: offset }, { forwardDate: true });
  if (!found || others.length > 0 || found.text.length !== text.length || found.end) return null;
  if (found.start.isCertain('timezoneOffset')) return found.start.date();
  return onClock(numbersOf(found), zone);
}

const numbersOf = ({ start }: ParsedResult): number[] =>
  (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map((part) => start.get(part) ?? 0);
