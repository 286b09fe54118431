import { setTimeout as sleep } from 'node:timers/promises';
import { Context, log } from '@temporalio/activity';
import type { Engine } from '../../adapters/engine/port.js';
import { isOff } from '../../domain/hosts/host-states.js';
import { workflowIdOf } from '../../domain/operations/names.js';
import { dispositionOf } from '../../domain/operations/reconciliation.js';
import { placeOf } from '../../domain/vms/stays.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Store } from '../../store/store.js';
import { eachApart } from '../operations/each-apart.js';
import { resume } from '../operations/resume.js';
import type { StepPorts } from '../ports.js';
import { scheduleActivities } from '../scaling/schedules.js';
import { fireVmSchedules } from '../vms/vm-schedules.js';
import { wakeWaiting } from '../vms/wake-waiting.js';
import { reschedule } from './reschedule.js';

/** Younger operations are left to whoever admitted them. */
const settledAfter = 3_000;
/** How long a run that is in the way may unwind before it is terminated. */
const grace = 30_000;
const pause = 50;
const pageSize = 200;
/** Operations that are looked at side by side: one that is slow to answer is one of so many. */
const atOnce = 10;
/** How long a tick begins new pages, in milliseconds: it has to end before the third after it is due. */
const lasts = 15_000;
const day = 24 * 60 * 60 * 1_000;
/** Of what it did: a result has a limit. */
const mostTold = 100;
/** How often an operation is run again because a history could not be replayed. */
const mostReruns = 3;

/** What keeps operations going when the process that served them does not: for many operations at a time. */
export const supervisionActivities = ({
  store,
  engine,
  settings,
  scaleByPolicy,
  performByPolicy,
  migrateMarked,
  performScheduled,
}: Pick<
  StepPorts,
  'store' | 'engine' | 'settings' | 'scaleByPolicy' | 'performByPolicy' | 'migrateMarked' | 'performScheduled'
>) => ({
  /**
   * Looks at every operation that has not ended, and at its run; repairs what does not fit. One at which that fails keeps
   * nobody waiting; where there are more than a tick has time for, the next goes on. Returns what it did.
   */
  async reconcile(): Promise<{ looked: number; repaired: string[]; failed: string[] }> {
    // One of the future comes from a clock that was ahead: it has waited as long as any.
    const young = { from: new Date(Date.now() - settledAfter), to: new Date() };
    const repaired: string[] = [];
    const failed: string[] = [];
    const until = performance.now() + lasts;
    let looked = 0;
    const { keepOperations } = settings;
    for (let after = await store.progress.reached('reconcile'), more = true; more; ) {
      const page = await store.operations.openOutside(young, after, pageSize);
      const failures = await eachApart(page, atOnce, async (operation) => {
        const did = await repair(store, engine, operation);
        if (did !== 'leave' && repaired.length < mostTold) repaired.push(`${operation._id} ${did}`);
      });
      for (const { item, error } of failures) {
        log.warn('an operation could not be looked after', { op: item._id, error });
        if (failed.length < mostTold) failed.push(item._id);
      }
      looked += page.length;
      after = page.length === pageSize ? (page.at(-1)?._id ?? '') : '';
      more = after !== '' && performance.now() < until;
      await store.progress.reach('reconcile', after);
    }
    const rest: Record<string, () => Promise<unknown>> = {
      'scheduled policies that are due': scheduleActivities({
        store,
        ...(scaleByPolicy && { scaleByPolicy }),
        ...(performByPolicy && { performByPolicy }),
      }).fireSchedules,
      'scheduled actions of VMs that are due': () =>
        fireVmSchedules({ store, ...(performScheduled && { performScheduled }) }),
      'those that wait for capacity': async () => (await store.vms.anyWaiting()) && engine.signalPlacement(),
      'VMs that are to change their hosts': () =>
        reschedule({ store, settings, ...(migrateMarked && { migrateMarked }) }),
      'failovers that wait for their host': async () => {
        for (const op of await store.failovers.answered()) await resume(store, engine, op);
      },
      'terminations that wait': () => resumeTerminations(store, engine),
      'uploads that are whole, or that nobody goes on with': () => tellUploads(store, engine),
      'VMs that were not let go of': () => finishReleases(store),
      'services that were not given away whole': () => finishGivings(store),
      'operations that ended long ago': async () =>
        keepOperations && store.forgetting.forget(new Date(Date.now() - keepOperations * day)),
      'services in doubt': async () => store.health.refresh(await store.health.doubtful()),
    };
    for (const { item, error } of await eachApart(Object.keys(rest), 1, async (what) => rest[what]?.())) {
      log.warn('something could not be looked after', { what: item, error });
      failed.push(item);
    }
    return { looked, repaired, failed };
  },

  /** Cancels the run in the way of an operation, waits until it has unwound, and starts the operation. */
  async handOver({ op }: { op: string }): Promise<void> {
    const signal = Context.current().cancellationSignal;
    const deadline = performance.now() + grace;
    const asked = new Set<string>();
    for (;;) {
      const operation = await store.operations.find(op);
      if (operation?.state !== 'accepted') return;
      const run = await engine.latestRun(operation.workflow_id);
      if (run?.status !== 'open') {
        if ((await engine.start(operation)) === 'started') return;
      } else if (run.op === op) return;
      else if (performance.now() > deadline)
        await engine.terminate(operation.workflow_id, run, `Operation ${op} takes over.`);
      else if (!asked.has(run.firstRunId)) {
        asked.add(run.firstRunId);
        await engine.cancel(operation.workflow_id, run);
      }
      await sleep(pause, undefined, { signal });
    }
  },

  /** Sets going whoever waits for capacity that is there now, in turns. */
  wakeWaiting: (): Promise<number> => wakeWaiting({ store, engine, settings }),
});

/** Looks at the run of an operation that has not ended, and does what is to be done. Returns what that was. */
export async function repair(store: Store, engine: Engine, operation: Operation): Promise<string> {
  const run = await engine.latestRun(operation.workflow_id);
  const disposition = dispositionOf(operation, run, new Date());
  switch (disposition.do) {
    case 'leave':
      break;
    case 'start':
      await restart(store, engine, operation);
      break;
    case 'hand_over':
      await engine.handOver(operation._id);
      break;
    case 'cancel':
      if (run) await engine.cancel(operation.workflow_id, run);
      break;
    case 'end_cancelled':
      await store.endings.endCancelled(operation);
      break;
    case 'give_up':
      if (run) await engine.terminate(operation.workflow_id, run, disposition.reason);
      if (operation.cancel_requested) await store.endings.endCancelled(operation);
      else await fail(store, operation, disposition.reason);
      break;
    case 'fail': {
      const says = run?.status === 'failed' || run?.status === 'terminated';
      const failure = run && says ? await engine.failureOf(operation.workflow_id, run.runId) : null;
      // A history that today's code cannot replay: the operation itself is sound, so it runs again.
      if (failure && /Determinism/.test(failure.type) && (await store.operations.rerun(operation._id)) <= mostReruns) {
        await restart(store, engine, operation);
        return 'start';
      }
      await fail(store, operation, failure ? `${disposition.reason}: ${failure.message}` : disposition.reason);
    }
  }
  return disposition.do;
}

const fail = (store: Store, { _id }: Operation, detail: string): Promise<unknown> =>
  store.endings.end(_id, { state: 'failed', error: { code: 'run_lost', detail } });

async function restart(store: Store, engine: Engine, operation: Operation): Promise<void> {
  if (operation.state === 'accepted' || (await store.endings.reopen(operation))) await engine.start(operation);
}

/** What whoever has ended an operation has not come to. */
async function finishReleases(store: Store): Promise<void> {
  const left = await store.operations.releasing(pageSize);
  const failures = await eachApart(left, atOnce, (op) => store.endings.afterwards(op));
  for (const { item: op, error } of failures) log.warn('VMs of an operation were not let go of', { op, error });
}

async function finishGivings(store: Store): Promise<void> {
  const left = await store.givings.unfinished(pageSize);
  const failures = await eachApart(left, atOnce, (service) => store.givings.finish(service));
  for (const { item: service, error } of failures) log.warn('a service was not given away whole', { service, error });
}

/** Their operations look for themselves what has come of it. */
async function tellUploads(store: Store, engine: Engine): Promise<void> {
  const due = await store.images.uploadsDue(new Date(), pageSize);
  const failures = await eachApart(due, atOnce, ({ _id: id }) =>
    engine.signal(workflowIdOf({ type: 'image', id }, undefined), 'uploadChanged'),
  );
  for (const { item, error } of failures) log.warn('an upload could not be looked after', { image: item._id, error });
}

/** Those that wait for a host go on when it answers, is taken offline, or has been removed. */
async function resumeTerminations(store: Store, engine: Engine): Promise<void> {
  const waiting = await store.terminations.waiting();
  if (waiting.length === 0) return;
  const silent = new Set(
    (await store.hosts.all()).flatMap((host) => (host.state === 'ERROR' && !isOff(host) ? [host._id] : [])),
  );
  const vms = await store.vms.byIds(waiting.map(({ resource }) => resource.id));
  const ready = vms.flatMap((vm) => {
    const host = placeOf(vm)?.hid;
    return vm.wanted !== null && (host === undefined || !silent.has(host)) ? [vm.wanted] : [];
  });
  const failures = await eachApart(ready, atOnce, (op) => resume(store, engine, op));
  for (const { item: op, error } of failures) log.warn('a termination was not resumed', { op, error });
}
