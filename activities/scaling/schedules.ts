import { log } from '@temporalio/activity';
import { brief, longest } from '../../domain/brief.js';
import { problemOf, problems } from '../../domain/problems.js';
import { type DueLook, lookAtDue } from '../../domain/scaling/due-policies.js';
import { withEntry } from '../../domain/services/schedule.js';
import type { LogEntry, Schedule, ScheduleEntry } from '../../schemas/services/service.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import type { PolicyPerforming } from '../../store/scaling/policy-scaling.js';
import type { ScheduledService } from '../../store/scaling/schedules.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';

const pageSize = 200;
const atOnce = 10;
/** How long a tick begins new pages, in milliseconds: it has to end before the third after it is due. */
const lasts = 15_000;

type Ports = Pick<StepPorts, 'store' | 'scaleByPolicy' | 'performByPolicy'>;
type Asking = Ports & Required<Pick<Ports, 'scaleByPolicy'>>;

/** Roles that are scaled at a time that was said before. */
export const scheduleActivities = ({ store, scaleByPolicy, performByPolicy }: Ports) => ({
  /**
   * Carries out the scheduled policies that are due. What is done is written down in the transaction that admits it, so that
   * whoever does it again finds it done. Returns how many services it has looked at.
   */
  async fireSchedules(): Promise<{ looked: number; failed: number }> {
    const told = { looked: 0, failed: 0 };
    if (!scaleByPolicy) return told;
    const ports = { store, scaleByPolicy, ...(performByPolicy && { performByPolicy }) };
    const looked: number[] = [];
    for (const until = performance.now() + lasts; performance.now() < until; ) {
      const now = new Date();
      // What waits, or failed, stays due: others are not to wait behind it.
      const page = await store.schedules.due(now, pageSize, looked);
      looked.push(...page.map(({ _id }) => _id));
      const failures = await eachApart(page, atOnce, (service) => fireOf(ports, service, now));
      for (const { item, error } of failures)
        log.warn('the scheduled policies of a service could not be looked at', { service: item._id, error });
      told.looked += page.length;
      told.failed += failures.length;
      if (page.length < pageSize) break;
    }
    return told;
  },
});

/** One after the other: of two that are due for one role, the second waits for what the first has begun. */
async function fireOf(ports: Asking, service: ScheduledService, now: Date): Promise<void> {
  if (service.state === 'DONE') {
    await ports.store.schedules.write(service._id, over(service.schedule));
    return;
  }
  const roles = new Map(service.roles.map((role) => [role.name, role]));
  let { schedule } = service;
  for (const due of service.schedule.of) {
    const role = roles.get(due.role);
    const look = role && lookAtDue(role, due, schedule.zone, now);
    if (!look) continue;
    const after = await carriedOut(ports, service, schedule, look, now);
    if (!after) return;
    schedule = after;
  }
}

/** The service is no more: nothing of it is due. */
const over = (schedule: Schedule): Schedule => ({ ...schedule, version: schedule.version + 1, due_at: null });

/** The schedule as it is then; null: somebody else has looked. */
async function carriedOut(
  { store, scaleByPolicy, performByPolicy }: Asking,
  { _id: service }: ScheduledService,
  schedule: Schedule,
  { entry, deed }: DueLook,
  now: Date,
): Promise<Schedule | null> {
  const write = async (then: ScheduleEntry): Promise<Schedule | null> => {
    const after = withEntry(schedule, then, now);
    return (await store.schedules.write(service, after, logOf(then))) ? after : null;
  };
  if (!deed) return write(entry);
  const { role, policy, last } = entry;
  const ask = (asked: Omit<PolicyPerforming, 'wish' | 'by'>): Promise<string> => {
    if (deed.do === 'scale') {
      const { do: _scale, to: cardinality, ...decided } = deed;
      return scaleByPolicy({ ...asked, cardinality, policy: decided });
    }
    const { do: _perform, by, ...wish } = deed;
    return (
      performByPolicy?.({ ...asked, wish, by }) ?? Promise.reject(new Error('this worker cannot ask anything of VMs'))
    );
  };
  const done: { written: Schedule | null; operation: string } = { written: null, operation: '' };
  try {
    const asked = {
      ...{ service, role },
      // Of its version: another policy that people put in its place may be due at the same time.
      key: `schedule ${service}/${role}/${policy} ${schedule.version} ${last?.due_at.toISOString()}`,
      claim: (operation: string, transaction: Transaction) => {
        done.operation = operation;
        done.written = withEntry(schedule, withOperation(entry, operation), now);
        return store.schedules.write(service, done.written, [], transaction);
      },
    };
    const op = await ask(asked);
    // Of two that asked at once, the other one's may be what came of it.
    return op === done.operation ? done.written : null;
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].retryable) throw error;
    const why = brief([problem.message, ...problem.findings.map(({ detail }) => detail)].join(' '), longest.role);
    const passes = problem.code === 'operation_in_progress' || problem.code === 'wrong_state';
    return write(
      passes
        ? withVerdict({ ...entry, next_at: dueOf(schedule, entry) }, { verdict: 'waits', why })
        : withVerdict(entry, { verdict: 'refused', why }),
    );
  }
}

const dueOf = ({ of }: Schedule, { role, policy }: ScheduleEntry): Date | null =>
  of.find((one) => one.role === role && one.policy === policy)?.next_at ?? null;

const withOperation = (entry: ScheduleEntry, operation: string): ScheduleEntry =>
  entry.last ? { ...entry, last: { ...entry.last, operation } } : entry;

const withVerdict = (entry: ScheduleEntry, said: Pick<NonNullable<ScheduleEntry['last']>, 'verdict' | 'why'>) =>
  entry.last ? { ...entry, last: { ...entry.last, ...said } } : entry;

/** What the log of the service says of one that was not carried out. */
function logOf({ role, policy, last }: ScheduleEntry): LogEntry[] {
  if (last?.verdict !== 'missed' && last?.verdict !== 'refused') return [];
  const when = `scheduled policy ${policy}, due at ${last.due_at.toISOString()}`;
  const message = `Role ${role} : ${when}, was ${last.verdict}: ${last.why}`;
  return [{ timestamp: last.at, severity: 'E', message }];
}
