import type { Engine } from '../../adapters/engine/port.js';
import { workflowIdOf } from '../../domain/operations/names.js';
import type { Store } from '../../store/store.js';

/** A run on a service that waits for its VMs, to have a place or to report, looks again: it waits for fewer now. */
export async function wakeService(
  { store, engine }: { store: Store; engine: Pick<Engine, 'signal'> },
  id: number,
): Promise<void> {
  if (!(await store.services.isAtWork(id))) return;
  const workflowId = workflowIdOf({ type: 'service', id });
  for (const fact of ['capacityAppeared', 'vmReported'] as const) await engine.signal(workflowId, fact);
}
