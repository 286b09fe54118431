// How OpenNebula 5.0's commands print, column by column: scripts cut it apart.

/** A column is cut and filled to its width; one of a negative width stands right. */
const cell = (text: string, width: number): string =>
  width < 0 ? text.slice(0, -width).padStart(-width) : Array.from(text).slice(0, width).join('').padEnd(width);

export const row = (...cells: readonly (readonly [text: string, width: number])[]): string =>
  cells
    .map(([text, width]) => cell(text, width))
    .join(' ')
    .trimEnd();

/** `NAME                : my_service`; nothing of what is not known. `width`: of the name. */
export const fact = (name: string, value: string | number | undefined, width = 20): string[] =>
  value === undefined || value === '' ? [] : [`${name.padEnd(width)}: ${value}`];

/** KB as OpenNebula says them: `0K`, `120.3M`. */
export function sizeText(kilobytes: number): string {
  const units = ['K', 'M', 'G', 'T'];
  let [size, at] = [kilobytes, 0];
  for (; size >= 1_024 && at < units.length - 1; at++) size /= 1_024;
  return `${at === 0 ? size : size.toFixed(1)}${units[at]}`;
}

/** `0d 01h06`. */
export function timeText(seconds: number): string {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${Math.floor(minutes / 1_440)}d ${two(Math.floor(minutes / 60) % 24)}h${two(minutes % 60)}`;
}

/** `11/15 14:15:16`, in UTC. */
export const momentText = (date: Date): string => {
  const [, month = '', day = '', time = ''] = date.toISOString().split(/[-T]/);
  return `${month}/${day} ${time.slice(0, 8)}`;
};

/** Attributes as template text: a vector on lines of its own. */
export const templateText = (attributes: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(attributes).flatMap(([name, value]) =>
    [value].flat().map((item) => {
      if (typeof item !== 'object' || item === null) return `${name}=${quoted(item)}`;
      const members = Object.entries(item).map(([member, of]) => `  ${member}=${quoted(of)}`);
      return `${name}=[\n${members.join(',\n')} ]`;
    }),
  );

const quoted = (value: unknown): string => `"${String(value).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
