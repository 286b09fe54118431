/** Time on the clock on the wall of a place: `day` counts from 1 January 1970, `minute` from midnight there. */
export type WallTime = { day: number; minute: number };

const minute = 60_000;
const day = 24 * 60 * minute;
const minutesOfDay = 24 * 60;

/** By name; there are some six hundred. */
const clocks = new Map<string, Intl.DateTimeFormat | null>();

function clockIn(zone: string): Intl.DateTimeFormat | null {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const clock = newClock(zone);
  // Others than those that there are, are asked for by whoever cannot spell: they are not remembered.
  if (clock) clocks.set(zone, clock);
  return clock;
}

function newClock(timeZone: string): Intl.DateTimeFormat | null {
  try {
    const numbers = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    return new Intl.DateTimeFormat('en-US', { ...numbers, timeZone, hourCycle: 'h23' });
  } catch {
    return null;
  }
}

/** Whether there is such a time zone, as IANA names them. */
export const isTimeZone = (zone: string): boolean => clockIn(zone) !== null;

/** What the clock on the wall shows there at a moment. */
export function wallTimeIn(zone: string, at: Date): WallTime {
  const wall = wallIn(zone, at.getTime());
  return { day: Math.floor(wall / day), minute: Math.floor((wall - Math.floor(wall / day) * day) / minute) };
}

/** The same as a number of milliseconds, as if the place were in UTC. Seconds are left out. */
function wallIn(zone: string, at: number): number {
  const parts = new Map(
    clockIn(zone)
      ?.formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
}

const offsetAt = (zone: string, at: number): number => wallIn(zone, at) - Math.floor(at / minute) * minute;

/**
 * The moments at which the clock on the wall shows this: one, two where clocks are set back, the first of them first. Where
 * they are set forward over it, the moment at which it would have been.
 */
export function momentsOf(zone: string, { day: on, minute: at }: WallTime): Date[] {
  const wall = on * day + at * minute;
  const offsets = [offsetAt(zone, wall - day), offsetAt(zone, wall + day)];
  const found = [...new Set(offsets)].map((offset) => wall - offset).filter((one) => wallIn(zone, one) === wall);
  const moments = found.length > 0 ? found.sort((a, b) => a - b) : [wall - Math.min(...offsets)];
  return moments.map((one) => new Date(one));
}

/** Moments of one day there that a clock shows, by minutes from midnight, in order; `both`: where clocks are set back, each time. */
export function* momentsOfDay(zone: string, on: number, minutes: Iterable<number>, both: boolean): Generator<Date> {
  const begins = momentsOf(zone, { day: on, minute: 0 })[0]?.getTime() ?? 0;
  const ends = momentsOf(zone, { day: on + 1, minute: 0 })[0]?.getTime() ?? 0;
  if (ends - begins === minutesOfDay * minute) {
    for (const at of minutes) yield new Date(begins + at * minute);
    return;
  }
  const moments = new Set<number>();
  for (const at of minutes)
    for (const moment of momentsOf(zone, { day: on, minute: at }).slice(0, both ? 2 : 1)) moments.add(moment.getTime());
  for (const moment of [...moments].sort((a, b) => a - b)) yield new Date(moment);
}
