const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A length of time in milliseconds, as people say it. */
export function lengthOf(milliseconds: number): string {
  const length = Math.max(0, milliseconds);
  if (length < second) return 'less than a second';
  if (length < 90 * second) return `${Math.round(length / second)} s`;
  if (length < 90 * minute) return `${Math.round(length / minute)} min`;
  if (length < 48 * hour) return `${Math.round(length / hour)} h`;
  return `${Math.round(length / day)} days`;
}

/** A time of day in UTC, with its date when that is not today's: `14:03:22Z`. */
export function clock(time: Date, now: Date): string {
  const [date, timeOfDay = ''] = time.toISOString().split('T');
  const shown = `${timeOfDay.slice(0, 8)}Z`;
  return now.toISOString().startsWith(`${date}T`) ? shown : `${date} ${shown}`;
}

/** `12 s ago, at 14:03:10Z`, or `in 8 s, at 14:03:30Z`. */
export function when(time: Date, now: Date): string {
  const ahead = time.getTime() - now.getTime();
  const relative = ahead > 0 ? `in ${lengthOf(ahead)}` : `${lengthOf(-ahead)} ago`;
  return `${relative}, at ${clock(time, now)}`;
}

export const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`);

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[], last = 'and'): string {
  const [end = '', ...before] = items.toReversed();
  return before.length === 0 ? end : `${before.toReversed().join(', ')} ${last} ${end}`;
}

/** The first few, and how many more. */
export function few(items: readonly string[], most = 3): string {
  const more = items.length - most;
  return more > 0 ? listed([...items.slice(0, most), `${more} more`]) : listed(items);
}

/** Several sentences in one: `a; b`. */
export const clauses = (items: readonly string[]): string =>
  items.map((item) => item.replace(/(?<!\.)\.$/, '')).join('; ');

/** With one full stop at its end, whatever it ended with. */
export const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
