import type { Engine } from '../../adapters/engine/port.js';
import type { Store } from '../../store/store.js';

/** waiting → accepted, and a run. */
export async function resume(store: Store, engine: Engine, op: string): Promise<void> {
  const operation = await store.operations.find(op);
  if (operation?.state !== 'waiting' || !(await store.endings.reopen(operation))) return;
  await engine.startNext(operation);
}
