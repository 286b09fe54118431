import Table from 'cli-table3';
import { stringify } from 'yaml';
import { z } from 'zod';
import { printable, printableJson, printableYaml } from '../../schemas/common/printable.js';

/** What -o takes. `wide` is a table with more columns; `name` says by what each object can be named again. */
export const outputs = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Format = Exclude<(typeof outputs)[number], 'wide'>;

/** One column of a table. Numbers stand right. */
export type Column<T> = {
  title: string;
  text: (item: T) => string;
  right?: boolean;
  /** Shown with -o wide only. */
  wide?: boolean;
  /** Cut short, with an ellipsis, where the table is wider than the terminal; the widest one first. */
  cut?: boolean;
  /** Stays where the terminal is too narrow for all, as the first one does: others go, from the right. */
  kept?: boolean;
  colour?: (text: string) => string;
};

/** The columns that are asked for: those marked `wide` only with -o wide. */
export const columnsShown = <T>({ wide }: { wide: boolean }, columns: readonly Column<T>[]): Column<T>[] =>
  columns.filter((column) => wide || !column.wide);

const bare = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((part) => [part, '']),
);

/** Blanks between two columns. */
const gap = 2;
/** Fewer characters of a text say nothing. */
const shortest = 8;

/**
 * Columns side by side, two blanks between them, without lines: what `cut` and eyes both like. `width` is that of the
 * terminal, null where there is none: who reads a pipe wants every word.
 */
export function tableOf<T>(columns: readonly Column<T>[], items: readonly T[], width: number | null = null): string {
  const whole = columns.map((column) => {
    const cells = items.map((item) => printable(column.text(item)));
    return { ...column, cells, room: Math.max(column.title.length, ...cells.map(lengthOf)) };
  });
  const shown = width === null ? whole : fitting(whole, width);
  const table = new Table({
    head: shown.map(({ title }) => title),
    chars: { ...bare, middle: ' '.repeat(gap) },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: shown.map(({ right }) => (right ? 'right' : 'left')),
  });
  table.push(
    ...items.map((_item, at) => shown.map(({ colour = plain, cells, room }) => colour(clipped(cells[at] ?? '', room)))),
  );
  return trimLines(table.toString());
}

/** A column with the characters that it takes. */
type Sized = Pick<Column<never>, 'title' | 'cut' | 'kept'> & { room: number };

/** What a terminal has room for. Texts are cut, the widest one first; where that is not enough, columns go, from the right. */
function fitting<C extends Sized>(columns: readonly C[], width: number): C[] {
  const rooms = columns.map(({ room }) => room);
  let excess = rooms.reduce((sum, room) => sum + room, gap * (columns.length - 1)) - width;
  for (; excess > 0; excess--) {
    const spare = columns.map(({ cut, title }, at) => {
      const room = rooms[at] ?? 0;
      return cut && room > Math.max(shortest, title.length) ? room : 0;
    });
    const widest = Math.max(...spare);
    if (widest === 0) break;
    rooms[spare.indexOf(widest)] = widest - 1;
  }
  const goes = excess > 0 ? columns.findLastIndex(({ kept }, at) => at > 0 && !kept) : -1;
  if (goes > 0) return fitting(columns.toSpliced(goes, 1), width);
  return columns.map((column, at) => ({ ...column, room: rooms[at] ?? column.room }));
}

const lengthOf = (text: string): number => Array.from(text).length;

/** As much of a text as there is room for. */
export const clipped = (text: string, room: number): string =>
  lengthOf(text) <= room
    ? text
    : `${Array.from(text)
        .slice(0, Math.max(0, room - 1))
        .join('')}…`;

/** Name and value pairs, one a line, the colons under each other. */
export function pairs(entries: readonly (readonly [name: string, value: string | null | undefined])[]): string {
  const given = entries.filter(([, value]) => value !== null && value !== undefined);
  return trimLines(given.map(([name, value]) => `${name.padEnd(16)}: ${printable(value ?? '')}`).join('\n'));
}

/** An answer as it came, in the format that was asked for. */
export function rawText(format: Exclude<Format, 'table'>, raw: unknown): string {
  if (format === 'name') return namesText(raw);
  if (format === 'json') return printableJson(JSON.stringify(raw, null, 2));
  // But for the last line break, which is printed with it: those before it may be of a value.
  const yaml = stringify(raw).replace(/\n$/, '');
  // Only between quotation marks do escapes mean what they stand for; and a text that begins with a line of blanks is
  // written by the library as a block that is read as another.
  return printableYaml(yaml) === yaml && !/[|>][-+]?\d?\n +(?:\n|$)/.test(yaml)
    ? yaml
    : printableYaml(stringify(raw, { defaultStringType: 'QUOTE_DOUBLE' }).trimEnd());
}

/** The same as one of several that come one after the other. */
export const partText = (format: Exclude<Format, 'table'>, raw: unknown): string =>
  format === 'yaml' ? `---\n${rawText(format, raw)}` : rawText(format, raw);

const Named = z.object({ id: z.union([z.int(), z.string()]).optional(), name: z.string().optional() });

/** A line an object: its name where a command would find it by that, else its id. */
function namesText(raw: unknown): string {
  const objects = [raw].flat().map((object) => Named.safeParse(object).data ?? {});
  const count = new Map<string, number>();
  for (const { name } of objects) if (name !== undefined) count.set(name, (count.get(name) ?? 0) + 1);
  return objects
    .map(({ id, name }) => {
      const tells = name !== undefined && count.get(name) === 1 && !/^\d+$/.test(name);
      return printable(tells || id === undefined ? (name ?? '') : String(id));
    })
    .filter((line) => line !== '')
    .join('\n');
}

const plain = (text: string): string => text;

const trimLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');

/** Time since then as OpenNebula shows it: `0d 00h01`. */
export function ageOf(since: string, until: string | null, now: Date): string {
  const minutes = Math.max(0, Math.floor(((until ? Date.parse(until) : now.getTime()) - Date.parse(since)) / 60_000));
  const two = (value: number) => String(value).padStart(2, '0');
  return `${Math.floor(minutes / 1440)}d ${two(Math.floor(minutes / 60) % 24)}h${two(minutes % 60)}`;
}

/** MB as people read it. */
export const sizeOf = (megabytes: number): string =>
  megabytes >= 10_240 ? `${Number((megabytes / 1024).toFixed(1))}G` : `${megabytes}M`;

/** `2026-11-22 14:44`, in UTC as everything that Arcus says. */
export const dateText = (timestamp: string): string => timestamp.slice(0, 16).replace('T', ' ');
