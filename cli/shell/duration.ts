const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Milliseconds as people say them, by their two largest units: `340 ms`, `4.2 s`, `3 min 5 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(milliseconds: number): string {
  const time = Math.max(0, Math.round(milliseconds));
  if (time < second) return `${time} ms`;
  if (time < 10 * second) return `${Number((time / second).toFixed(1))} s`;
  return wholeText(time);
}

/** The same without fractions, at least a second: for what is counted down or guessed. */
export const roughText = (milliseconds: number): string => wholeText(Math.max(second, milliseconds));

function wholeText(milliseconds: number): string {
  const time = Math.round(milliseconds / second) * second;
  if (time < minute) return `${time / second} s`;
  if (time < hour) return two(time, [minute, 'min'], [second, 's']);
  return time < day ? two(time, [hour, 'h'], [minute, 'min']) : two(time, [day, 'd'], [hour, 'h']);
}

type Unit = readonly [length: number, name: string];

function two(time: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((time % large) / small);
  const whole = `${Math.floor(time / large)} ${largeName}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`;
}

const units: Readonly<Record<string, number>> = { s: second, m: minute, h: hour, d: day };

/** Milliseconds of what people type: `30s`, `5m`, `1h30m`, `2d`, or seconds as a number; undefined for anything else. */
export function durationOf(text: string): number | undefined {
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Math.round(Number(text) * second);
  if (!/^(\d{1,9}[smhd])+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d{1,9})([smhd])/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}
