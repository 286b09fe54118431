import type { ScheduledPolicyResource } from '../../schemas/services/service.js';
import { dateText, tableOf } from '../shell/output.js';

/** What each does and when, when next, and what came of it last. A policy is called by its number. */
export const schedulesTable = (policies: readonly ScheduledPolicyResource[], now: number): string =>
  tableOf(
    [
      { title: 'POLICY', text: ({ at }) => String(at), right: true },
      { title: 'WHEN', text: ({ recurrence, start_time }) => recurrence ?? start_time ?? '-' },
      { title: 'DOES', text: ({ action, type, adjust }) => action ?? `${type} ${adjust}` },
      { title: 'NEXT', text: (policy) => nextText(policy, now) },
      { title: 'LAST', text: ({ last }) => (last ? `${dateText(last.time)} ${last.verdict}: ${last.why}` : '-') },
    ],
    policies.map((policy, at) => ({ ...policy, at })),
  );

const nextText = ({ next_at, enabled, paused_until: until }: ScheduledPolicyResource, now: number): string =>
  enabled === false
    ? 'paused'
    : `${next_at ? dateText(next_at) : '-'}${until && Date.parse(until) > now ? ` (paused until ${until})` : ''}`;
