import { brief, longest } from '../../domain/brief.js';
import type { LogEntry, Role, Service, ServiceState } from '../../schemas/services/service.js';

/** OneFlow keeps the last 50 log lines (5.4 and later). */
export const logLines = 50;

/** The line that OneFlow's log has for each change of a service's state. */
export const stateEntry = (state: ServiceState, timestamp: Date): LogEntry => ({
  timestamp,
  severity: state.startsWith('FAILED') ? 'E' : 'I',
  message: `New state: ${state}`,
});

type Judged = Pick<Service, 'state'> & { roles: readonly Pick<Role, 'name' | 'state' | 'reason'>[] };

/** Whether a role is called otherwise than before. */
const hasChanged = (before: Judged, { state, reason }: Judged['roles'][number], at: number): boolean =>
  state !== before.roles[at]?.state || reason !== before.roles[at]?.reason;

/** The lines for what a service and its roles have come to; none: they are as they were. */
export function healthEntries(before: Judged, after: Judged, timestamp: Date): LogEntry[] {
  const changed = after.roles.filter((role, at) => hasChanged(before, role, at));
  const log = changed.map(({ name, state, reason }): LogEntry => {
    return { timestamp, severity: reason === null ? 'I' : 'E', message: `Role ${name} : ${reason ?? state}` };
  });
  return after.state === before.state ? log : [...log, stateEntry(after.state, timestamp)];
}

/** Lines as they are appended. */
export const entriesToPush = (entries: readonly LogEntry[]): LogEntry[] =>
  entries.map((entry) => ({ ...entry, message: brief(entry.message, longest.role) }));

/** What appends these lines. */
export const pushLog = (entries: readonly LogEntry[]) => ({
  log: { $each: entriesToPush(entries), $slice: -logLines },
});
