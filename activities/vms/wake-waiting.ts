import { log } from '@temporalio/activity';
import type { Engine } from '../../adapters/engine/port.js';
import { inSlices } from '../../adapters/process/in-slices.js';
import { runOnRole } from '../../domain/operations/runs-at-work.js';
import { createQueue, planTurns } from '../../domain/placement/placement-turns.js';
import type { WaitingVm } from '../../store/vms/waiting-vms.js';
import { eachApart } from '../operations/each-apart.js';
import { resume } from '../operations/resume.js';
import type { StepPorts } from '../ports.js';
import { siblingsIn } from './placement-context.js';

/** Runs that are told, or begun, at a time. */
const callsAtOnce = 10;
/** VMs that are told anew why they wait, in one pass. */
const mostTold = 2_000;

type Waited = Pick<WaitingVm, 'vm' | 'service' | 'role' | 'operation' | 'reason'>;

/**
 * Looks for a place for everybody who waits, in turns, and sets those going for whom there is one: operations without a
 * run, and runs that wait, which are told whose turn it is. The others are told why they wait. Returns how many it was.
 */
export async function wakeWaiting({
  store,
  engine,
  settings,
}: Pick<StepPorts, 'store' | 'settings'> & { engine: Engine }): Promise<number> {
  const queue = createQueue();
  const waited = new Map<number, Waited>();
  const groups = new Map<string, Waited[]>();
  const tied = new Set<number>();
  let haveDisks = false;
  for await (const page of store.waiting.all(Date.now()))
    for (const one of page) {
      const { vm, service, role, operation, reason } = one;
      const key = queue.add(one);
      const kept = { vm, service, role, operation, reason };
      waited.set(vm, kept);
      const its = groups.get(key);
      if (its) its.push(kept);
      else groups.set(key, [kept]);
      if (one.tied) tied.add(one.tied.service);
      if (one.storage) haveDisks = true;
    }
  if (waited.size === 0) return 0;
  const [hosts, siblings, served, datastores] = await Promise.all([
    store.hosts.snapshot(),
    siblingsIn(store, [...tied]),
    store.waiting.served(),
    haveDisks ? store.vmDatastores.snapshot() : [],
  ]);
  const turns = await inSlices(planTurns(hosts, queue, settings.placement, { siblings, served, datastores }));
  const placed = turns.placed.flatMap(({ vm }) => waited.get(vm) ?? []);
  await store.waiting.offered(
    placed.map(({ vm }) => vm),
    turns.served,
  );
  await wake(placed);
  await tellReasons(turns.reasons);
  return placed.length;

  async function wake(those: readonly Waited[]): Promise<void> {
    const runs = new Map<string, number[]>();
    const alone: string[] = [];
    const ids = new Set(those.flatMap(({ service, operation }) => (operation === null ? (service ?? []) : [])));
    const services = new Map((await store.services.atWorkOn([...ids])).map((service) => [service._id, service]));
    for (const { vm, service: id, role, operation } of those) {
      const service = id === null ? undefined : services.get(id);
      // One of a service may wait by an operation of its own, such as one that recreates it.
      if (operation !== null) alone.push(operation);
      else if (service) {
        const workflowId = runOnRole(service, role ?? '');
        const its = runs.get(workflowId);
        if (its) its.push(vm);
        else runs.set(workflowId, [vm]);
      }
    }
    const failures = [
      ...(await eachApart([...runs], callsAtOnce, ([workflowId, vms]) =>
        engine.signal(workflowId, 'capacityAppeared', vms),
      )),
      ...(await eachApart(alone, callsAtOnce, (op) => resume(store, engine, op))),
    ];
    for (const { item, error } of failures) log.warn('somebody was not woken', { who: String(item), error });
  }

  /** Beginning anywhere, so that those whose reasons change all the time are not told alone. */
  async function tellReasons(reasons: ReadonlyMap<string, string>): Promise<void> {
    const all = [...reasons];
    const first = Math.floor(Math.random() * all.length);
    let left = mostTold;
    for (const [key, reason] of [...all.slice(first), ...all.slice(0, first)]) {
      const stale = (groups.get(key) ?? []).filter((one) => one.reason !== reason).slice(0, left);
      left -= stale.length;
      if (stale.length > 0)
        await store.waiting.tell(
          stale.map(({ vm }) => vm),
          stale.flatMap(({ operation }) => operation ?? []),
          reason,
        );
      if (left === 0) return;
    }
  }
}
