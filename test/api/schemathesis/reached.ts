import { apiRoot } from '../../../api/native/route.js';
import { routeTable } from '../../../api/native/route-table.js';

/** How often each route has given which status, by the metrics of the api that gave them. */
export type Reached = { id: string; statuses: ReadonlyMap<string, number> }[];

const counter = /^arcus_http_request_duration_seconds_count\{method="(\w+)",route="([^"]+)",status="(\d+)"\} (\d+)$/gm;

export function reachedBy(metrics: string): Reached {
  const counts = [...metrics.matchAll(counter)];
  return routeTable.map(({ id, method, path }) => ({
    id,
    statuses: new Map(
      counts.flatMap(([, by, at, status = '', count]): [string, number][] =>
        by === method.toUpperCase() && at === apiRoot + path ? [[status, Number(count)]] : [],
      ),
    ),
  }));
}

const isSuccess = (status: string): boolean => status.startsWith('2');

/** Those that have never given what they are for. */
export const neverDone = (reached: Reached): string[] =>
  reached.filter(({ statuses }) => ![...statuses.keys()].some(isSuccess)).map(({ id }) => id);

export function reachedTable(reached: Reached): string {
  const all = [...new Set(reached.flatMap(({ statuses }) => [...statuses.keys()]))].sort();
  const line = (first: string, cells: readonly string[]) =>
    first.padEnd(30) + cells.map((one) => one.padStart(6)).join('');
  const rows = reached.map(({ id, statuses }) =>
    line(
      id,
      all.map((status) => String(statuses.get(status) ?? '·')),
    ),
  );
  return [line('', all), ...rows].join('\n');
}
