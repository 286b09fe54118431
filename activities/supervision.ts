import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Engine } from '../adapters/engine/port.js';
import { workflowIdOf } from '../domain/names.js';
import { dispositionOf } from '../domain/reconciliation.js';
import { placeOf } from '../domain/stays.js';
import type { Operation } from '../schemas/operation.js';
import type { Store } from '../store/store.js';
import { planNow } from './place-vms.js';
import type { StepPorts } from './ports.js';

/** Younger operations are left to whoever admitted them. */
const settledAfter = 3_000;
/** How long a run that is in the way may unwind before it is terminated. */
const grace = 30_000;
const pause = 50;
const pageSize = 200;
/** Of what it did: a result has a limit. */
const mostTold = 100;
/** How often an operation is run again because a history could not be replayed. */
const mostReruns = 3;

/** What keeps operations going when the process that served them does not: for many operations at a time. */
export const supervisionActivities = ({
  store,
  engine,
  settings,
}: Pick<StepPorts, 'store' | 'engine' | 'settings'>) => ({
  /** Looks at every operation that has not ended, and at its run; repairs what does not fit. Returns what it did first. */
  async reconcile(): Promise<{ looked: number; repaired: string[] }> {
    // One of the future comes from a clock that was ahead: it has waited as long as any.
    const young = { from: new Date(Date.now() - settledAfter), to: new Date() };
    const repaired: string[] = [];
    let looked = 0;
    // One that cannot be repaired keeps nobody else's from it.
    let unrepaired: { error: unknown } | undefined;
    for (let after = '', more = true; more; ) {
      const page = await store.operations.openOutside(young, after, pageSize);
      for (const operation of page) {
        const did = await repair(store, engine, operation).catch((error: unknown) => {
          unrepaired ??= { error };
          return 'leave';
        });
        if (did !== 'leave' && repaired.length < mostTold) repaired.push(`${operation._id} ${did}`);
      }
      looked += page.length;
      after = page.at(-1)?._id ?? '';
      more = page.length === pageSize;
    }
    if (await store.vms.anyWaiting()) await engine.signalPlacement();
    await resumeTerminations(store, engine);
    await store.health.refresh(await store.health.doubtful());
    if (unrepaired) throw unrepaired.error;
    return { looked, repaired };
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

  /** Sets going whoever waits for capacity that is there now: operations without a run, and runs that wait. */
  async wakeWaiting(): Promise<number> {
    const waiting = await store.vms.waiting(1_000);
    const plan = await planNow(store, waiting, settings.placement);
    const fits = new Set(plan.placed.map(({ vm }) => vm));
    const lucky = waiting.filter((vm) => fits.has(vm._id));
    const services = new Set(lucky.flatMap((vm) => (vm.service ? [vm.service.id] : [])));
    for (const id of services) await engine.signal(workflowIdOf({ type: 'service', id }), 'capacityAppeared');
    for (const vm of lucky) if (!vm.service && vm.operation) await resume(store, engine, vm.operation);
    return lucky.length;
  },
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

/** Those that wait for a host go on when it answers, is taken offline, or has been removed. */
async function resumeTerminations(store: Store, engine: Engine): Promise<void> {
  const waiting = await store.terminations.waiting();
  if (waiting.length === 0) return;
  const silent = new Set((await store.hosts.all()).flatMap(({ _id, state }) => (state === 'ERROR' ? [_id] : [])));
  for (const vm of await store.vms.byIds(waiting.map(({ resource }) => resource.id))) {
    const host = placeOf(vm)?.hid;
    if (vm.wanted !== null && (host === undefined || !silent.has(host))) await resume(store, engine, vm.wanted);
  }
}

/** waiting → accepted, and a run. */
async function resume(store: Store, engine: Engine, op: string): Promise<void> {
  const operation = await store.operations.find(op);
  if (operation?.state !== 'waiting' || !(await store.endings.reopen(operation))) return;
  await engine.startNext(operation);
}
