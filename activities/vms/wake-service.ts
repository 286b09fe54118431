import type { Engine } from '../../adapters/engine/port.js';
import { runsAtWork } from '../../domain/operations/runs-at-work.js';
import type { Store } from '../../store/store.js';

/** Runs on a service, or on its roles, that wait for VMs to have a place or to report look again: they wait for fewer now. */
export async function wakeService(
  { store, engine }: { store: Store; engine: Pick<Engine, 'signal'> },
  id: number,
): Promise<void> {
  for (const workflowId of (await store.services.atWorkOn([id])).flatMap(runsAtWork))
    for (const fact of ['capacityAppeared', 'vmReported'] as const) await engine.signal(workflowId, fact);
}
