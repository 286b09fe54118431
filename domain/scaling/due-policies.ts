import { counted } from '../../schemas/common/counted.js';
import type { Firing } from '../../schemas/common/firing.js';
import { kinds } from '../../schemas/kinds.js';
import type { DecidedBy } from '../../schemas/operations/inputs.js';
import type { VmAction } from '../../schemas/operations/vm-action.js';
import type { Role, ScheduleEntry } from '../../schemas/services/service.js';
import type { ScheduledPolicy } from '../../schemas/services/service-template.js';
import { policyName } from '../operations/asker.js';
import { catchUp, lastUntil, nextAfter } from '../recurring.js';
import { isResting } from '../services/service-health.js';
import { adjusted, withinLimits } from './adjustment.js';

/** A role as its scheduled policies look at it. */
export type ScheduledRole = Pick<
  Role,
  'name' | 'state' | 'operation' | 'cardinality' | 'min_vms' | 'max_vms' | 'cooldown_until' | 'scheduled_policies'
>;

/** What a policy asks for: another cardinality, or something that is done to VMs. */
export type DueDeed =
  | { do: 'scale'; from: number; to: number; because: string; by: DecidedBy; rest?: number }
  | { do: 'perform'; action: VmAction; by: DecidedBy; number?: number; period?: number };

/** `entry`: what is kept of it, once that is done. `deed`: what it asks for; null: nothing. */
export type DueLook = { entry: ScheduleEntry; deed: DueDeed | null };

/**
 * What is to be done about a policy that is due. However often it was due while nobody looked, it is carried out once, and for
 * the last time that it was; where that is too long ago it was missed. null: it is not due.
 */
export function lookAtDue(role: ScheduledRole, entry: ScheduleEntry, zone: string, now: Date): DueLook | null {
  const policy = role.scheduled_policies?.[entry.policy];
  const { next_at: first } = entry;
  if (!policy || !first || first > now) return null;
  const due_at = lastUntil(policy, zone, first, now);
  const past = (verdict: Firing['verdict'], why: string): ScheduleEntry => ({
    ...entry,
    next_at: nextAfter(policy, zone, now),
    last: { due_at, at: now, verdict, why, operation: null },
  });
  if (isPaused(policy, now)) return { entry: past('paused', 'it is paused'), deed: null };
  // What is done to VMs waits for nobody: whoever holds one says so.
  const waits = policy.action === undefined ? whyWaits(role, now) : null;
  if (now.getTime() - due_at.getTime() > catchUp) {
    const { last } = entry;
    const why = last?.verdict === 'waits' && last.due_at >= first ? last.why : 'nothing looked at it';
    return { entry: past('missed', `for an hour ${why}`), deed: null };
  }
  if (waits !== null)
    return {
      entry: { ...entry, last: { due_at, at: now, verdict: 'waits', why: waits, operation: null } },
      deed: null,
    };
  const by: DecidedBy = { kind: 'schedule', policy: entry.policy };
  const { action, number, period, type, adjust, min_adjust_step } = policy;
  if (action !== undefined) {
    const slices = { ...(number !== undefined && { number }), ...(period !== undefined && { period }) };
    return { entry: past('performed', `${action} of every VM`), deed: { do: 'perform', action, by, ...slices } };
  }
  const from = role.cardinality;
  const wished = type === undefined || adjust === undefined ? from : adjusted(from, { type, adjust, min_adjust_step });
  const to = withinLimits(role, wished);
  if (to === from) return { entry: past('unchanged', `it has ${counted(from, kinds.vm)} already`), deed: null };
  const because = `by ${policyName(by)}, due at ${due_at.toISOString()}`;
  const rest = policy.cooldown === undefined ? {} : { rest: policy.cooldown };
  return { entry: past('scaled', `from ${from} to ${to}`), deed: { do: 'scale', from, to, because, by, ...rest } };
}

/**
 * The first of the scheduled policies of a role that is due and is to scale it, and has not yet: those that go by load are asked
 * after it. One that nothing has looked at for so long that it will be missed keeps nobody waiting. null: none is.
 */
export function dueToScale(
  { name, scheduled_policies: policies = [] }: Pick<Role, 'name'> & { scheduled_policies?: readonly DueSketch[] },
  entries: readonly DueEntry[],
  now: Date,
): number | null {
  const due = entries.find(({ role, policy: at, next_at, last }) => {
    const policy = role === name ? policies[at] : undefined;
    if (!policy || policy.action !== undefined || isPaused(policy, now) || !next_at || next_at > now) return false;
    const since = last?.verdict === 'waits' && last.due_at > next_at ? last.due_at : next_at;
    return now.getTime() - since.getTime() <= catchUp;
  });
  return due?.policy ?? null;
}

/** What is asked of a scheduled policy, and what is kept of it, to know whether it is due. */
export type DueSketch = Pick<ScheduledPolicy, 'action' | 'enabled' | 'paused_until'>;
export type DueEntry = Pick<ScheduleEntry, 'role' | 'policy' | 'next_at'> & {
  last: Pick<Firing, 'due_at' | 'verdict'> | null;
};

const isPaused = ({ enabled, paused_until }: DueSketch, now: Date): boolean =>
  enabled === false || (paused_until !== undefined && new Date(paused_until) > now);

/** Why it cannot be carried out yet; null: it can. */
function whyWaits(role: ScheduledRole, now: Date): string | null {
  // What is at work may only wait: then it gives way, and else it is told who is in the way.
  if (role.operation) return null;
  if (isResting(role, now)) return 'the role was in COOLDOWN';
  const isScaled = role.state === 'RUNNING' || role.state === 'WARNING' || role.state === 'COOLDOWN';
  return isScaled ? null : `the role was ${role.state}`;
}
