import { log } from '@temporalio/activity';
import { brief, longest } from '../../domain/brief.js';
import { problemOf, problems } from '../../domain/problems.js';
import { lookAtDueAction, scheduleOver, withScheduleEntry } from '../../domain/vms/vm-schedules.js';
import { isVmGone } from '../../domain/vms/vm-states.js';
import type { Firing } from '../../schemas/common/firing.js';
import type { VmSchedule, VmScheduleEntry } from '../../schemas/vms/vm-schedules.js';
import type { ScheduledVm } from '../../store/vms/vm-schedules.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';

const pageSize = 200;
const atOnce = 10;
/** How long a tick begins new pages, in milliseconds: it has to end before the third after it is due. */
const lasts = 15_000;

type Ports = Pick<StepPorts, 'store' | 'performScheduled'>;
type Asking = Required<Ports>;

/**
 * Does the scheduled actions of VMs that are due. What is done is written down with what does it, so that whoever does it again
 * finds it done. Returns how many VMs it has looked at.
 */
export async function fireVmSchedules({ store, performScheduled }: Ports): Promise<number> {
  if (!performScheduled) return 0;
  const ports = { store, performScheduled };
  const looked: number[] = [];
  for (const until = performance.now() + lasts; performance.now() < until; ) {
    const now = new Date();
    // What waits, or failed, stays due: others are not to wait behind it.
    const page = await store.vmSchedules.due(now, pageSize, looked);
    looked.push(...page.map(({ _id }) => _id));
    const failures = await eachApart(page, atOnce, (vm) => fireOf(ports, vm, now));
    for (const { item, error } of failures)
      log.warn('the scheduled actions of a VM could not be looked at', { vm: item._id, error });
    if (page.length < pageSize) break;
  }
  return looked.length;
}

/** One after the other: of two that are due for one VM, the second finds what the first has begun. */
async function fireOf(ports: Asking, vm: ScheduledVm, now: Date): Promise<void> {
  let { schedule } = vm;
  if (isVmGone(vm)) {
    await ports.store.vmSchedules.write(vm._id, scheduleOver(schedule));
    return;
  }
  for (const { id } of schedule.of) {
    const due = schedule.of.find((one) => one.id === id);
    const look = due && lookAtDueAction(due, schedule.zone, now);
    if (!look) continue;
    const after = await done(ports, vm._id, schedule, look, now);
    if (!after) return;
    schedule = after;
  }
}

/** The schedule as it is then; null: somebody else has looked. */
async function done(
  { store, performScheduled }: Asking,
  vm: number,
  schedule: VmSchedule,
  { entry, isDeed }: { entry: VmScheduleEntry; isDeed: boolean },
  now: Date,
): Promise<VmSchedule | null> {
  const { id, last } = entry;
  const withLast = (said: Partial<Firing>, also: Partial<VmScheduleEntry> = {}): VmSchedule =>
    withScheduleEntry(schedule, { ...entry, ...also, last: last && { ...last, ...said } }, now);
  const write = async (after: VmSchedule): Promise<VmSchedule | null> =>
    (await store.vmSchedules.write(vm, after)) ? after : null;
  if (!isDeed || !last) return write(withLast({}));
  const after = (operation: string | null): VmSchedule => withLast({ operation });
  // An operation, and what came of it, are written in one transaction; so is a mark with its entry. What was so already writes nothing.
  const key = `vm schedule ${vm}/${id} ${schedule.version} ${last.due_at.toISOString()}`;
  try {
    const operation = await performScheduled({ vm, entry, due_at: last.due_at, key, after });
    if (operation === null) await store.vmSchedules.write(vm, after(null));
    return after(operation);
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].retryable) throw error;
    const why = brief([problem.message, ...problem.findings.map(({ detail }) => detail)].join(' '), longest.vm);
    // It waits for whoever is at work; what a state forbids is not tried again.
    return problem.code === 'operation_in_progress'
      ? write(
          withLast({ verdict: 'waits', why }, { next_at: schedule.of.find((one) => one.id === id)?.next_at ?? null }),
        )
      : write(withLast({ verdict: 'refused', why }));
  }
}
