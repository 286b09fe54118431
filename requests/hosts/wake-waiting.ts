import type { OperationsContext } from '../context.js';

/** Tells those that wait for a host that one may take them now: at once, not at the next tick. */
export async function wakeWaiting({
  store,
  engine,
  onDelayed,
}: Pick<OperationsContext, 'store' | 'engine' | 'onDelayed'>): Promise<void> {
  if (!(await store.vms.anyWaiting())) return;
  await engine.signalPlacement().catch((error: unknown) => onDelayed('waiting VMs are placed at the next tick', error));
}
