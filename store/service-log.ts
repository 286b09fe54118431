import { brief, longest } from '../domain/brief.js';
import type { LogEntry, ServiceState } from '../schemas/service.js';

/** OneFlow keeps the last 50 log lines (5.4 and later). */
const logLines = 50;

/** The line that OneFlow's log has for each change of a service's state. */
export const stateEntry = (state: ServiceState, timestamp: Date): LogEntry => ({
  timestamp,
  severity: state.startsWith('FAILED') ? 'E' : 'I',
  message: `New state: ${state}`,
});

/** What appends these lines. */
export const pushLog = (entries: readonly LogEntry[]) => ({
  log: {
    $each: entries.map((entry) => ({ ...entry, message: brief(entry.message, longest.role) })),
    $slice: -logLines,
  },
});
