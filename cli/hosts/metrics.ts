import { z } from 'zod';
import { type HostCapacity, type MetricName, MetricsSeries, mostDays } from '../../schemas/hosts/metrics.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { durationOf } from '../shell/duration.js';
import { pairs } from '../shell/output.js';
import { shown } from '../shell/resource.js';

const bars = '▁▂▃▄▅▆▇█';
/** As many as a line has room for. */
const width = 60;

/** Numbers as bars, from nothing to the largest of them. A blank: nothing is known. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const most = Math.max(...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      return bars[most <= 0 ? 0 : Math.max(0, Math.round((value / most) * (bars.length - 1)))] ?? ' ';
    })
    .join('');
}

const bytes = (number: number): string => {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const at = Math.min(units.length - 1, number < 1 ? 0 : Math.floor(Math.log(number) / Math.log(1_024)));
  return `${Number((number / 1_024 ** at).toFixed(1))} ${units[at]}`;
};

/** A series as lines: what each number was at last and at most, and how it went. */
export function seriesText({ since, step, points }: MetricsSeries): string {
  const [first, latest] = [points[0], points.at(-1)];
  if (!first || !latest) return `Nothing was heard since ${since}.`;
  const nth = (time: string): number => Math.round((Date.parse(time) - Date.parse(since)) / (step * 1_000));
  const at = new Map(points.map((point) => [nth(point.time), point]));
  const steps = Array.from({ length: nth(latest.time) + 1 }, (_, n) => at.get(n));
  const row = (of: MetricName, text: (value: number) => string): string => {
    const values = steps.map((point) => point?.[of]);
    const most = Math.max(...points.map((point) => point[of]));
    return `${sparkline(values)}  ${text(latest[of])} (at most ${text(most)})`;
  };
  // What a counter had counted before the first point, nobody knows: with no other one there is no rate.
  const rate = (of: MetricName, text: (value: number) => string): string => (points.length === 1 ? '-' : row(of, text));
  const told = [...new Set(points.flatMap(({ attributes }) => Object.keys(attributes)))].sort();
  const toldRow = (name: string): string => {
    const values = points.flatMap(({ attributes: { [name]: value } }) => value ?? []);
    const bars = sparkline(steps.map((point) => point?.attributes[name]));
    return `${bars}  ${values.at(-1)} (at most ${Math.max(...values)})`;
  };
  const given = points.flatMap(({ capacity }) => capacity ?? []);
  const givenRow = (of: (capacity: HostCapacity) => number, text: (value: number, total: HostCapacity) => string) => {
    const present = given.at(-1);
    if (!present) return null;
    const bars = sparkline(steps.map((point) => (point?.capacity ? of(point.capacity) : undefined)));
    return `${bars}  ${text(of(present), present)} (at most ${Math.max(...given.map(of))})`;
  };
  const states = points.flatMap(({ state }) => state ?? []);
  const stateRow = (): string | null => {
    const present = states.at(-1);
    if (!present) return null;
    const bars = sparkline(steps.map((point) => (point?.state ? Number(point.state === 'running') : undefined)));
    const others = [...new Set(states)].filter((state) => state !== present).sort();
    return `${bars}  ${present}${others.length > 0 ? ` (before: ${others.join(', ')})` : ''}`;
  };
  const perSecond = (value: number): string => `${bytes(value / step)}/s`;
  const timesPerSecond = (value: number): string => `${Number((value / step).toFixed(1))}/s`;
  return pairs([
    ['SINCE', `${since}, a bar for each ${step} s`],
    ['STATE', stateRow()],
    ['VMS', givenRow(({ running_vms }) => running_vms, String)],
    [
      'CPU TAKEN',
      givenRow(
        ({ cpu }) => cpu.used,
        (used, { cpu }) => `${used} of ${cpu.total} cores`,
      ),
    ],
    [
      'MEMORY TAKEN',
      givenRow(
        ({ memory }) => memory.used,
        (used, { memory }) => `${used} of ${memory.total} MB`,
      ),
    ],
    ['CPU', row('cpu', (value) => `${value / 100} cores`)],
    ['MEMORY', row('memory', (value) => bytes(value * 1_024))],
    ['SENT', rate('nettx', perSecond)],
    ['RECEIVED', rate('netrx', perSecond)],
    ['DISK READ', rate('diskrdbytes', perSecond)],
    ['DISK READS', rate('diskrdiops', timesPerSecond)],
    ['DISK WRITTEN', rate('diskwrbytes', perSecond)],
    ['DISK WRITES', rate('diskwriops', timesPerSecond)],
    ...told.map((name) => [name, toldRow(name)] as const),
  ]);
}

/** Says that a series begins later than was asked for, because none goes back so far. `asked`: milliseconds since 1970. */
export const cutText = (asked: number, { since }: Pick<MetricsSeries, 'since'>): string | null =>
  Date.parse(since) - asked > 60_000
    ? `A series goes back ${mostDays} days at most: this one begins at ${since}.`
    : null;

/** `metrics`: what a VM, or the VMs of a host, have used, and what it is that they are on. */
export const metricsLeaf = (
  noun: 'vm' | 'host',
  { path, example, idOf }: { path: string; example: string; idOf: (context: Context, wish: string) => Promise<number> },
): Leaf =>
  leaf({
    usage: `metrics <${noun}>`,
    summary:
      noun === 'vm'
        ? 'Show what a VM has done and used over time'
        : 'Show what a host had, and what its VMs have used together, over time',
    examples: [`arcus ${noun} metrics ${example}`, `arcus ${noun} metrics ${example} --since 6h`],
    options: [['--since <time>', `for so long, such as 30m or 6h, ${mostDays}d at most; default: 1h`]],
    schema: z.object({
      since: z
        .string()
        .default('1h')
        .transform((text, { addIssue }) => {
          const time = durationOf(text);
          if (time === undefined) addIssue({ code: 'custom', message: 'must be a time, such as 30m or 6h' });
          return time ?? 0;
        }),
    }),
    run: async (context, [wish], { since }) => {
      const id = await idOf(context, wish ?? '');
      const asked = context.now().getTime() - since;
      const query = new URLSearchParams({
        since: new Date(asked).toISOString(),
        points: String(width),
      });
      const { value, raw } = await context.client().get(`${path}/${id}/metrics?${query.toString()}`, MetricsSeries);
      const cut = cutText(asked, value);
      if (cut !== null) context.err(cut);
      shown(context, () => seriesText(value), raw);
    },
  });
