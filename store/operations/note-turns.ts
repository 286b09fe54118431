import type { OperationStore } from './operations.js';

/** Writes down of VMs what has become of them, in a field of an operation: of each the entry with the highest turn stands. */
export async function noteTurns(
  operations: Pick<OperationStore, 'model'>,
  op: string,
  field: 'flushed' | 'failed_over',
  said: ReadonlyMap<number, { turn: number }>,
): Promise<void> {
  if (said.size === 0) return;
  const fields = [...said].map(([vm, entry]) => {
    const path = `${field}.${vm}`;
    const isLater = { $lt: [{ $ifNull: [`$${path}.turn`, -1] }, entry.turn] };
    return [path, { $cond: [isLater, { $literal: entry }, `$${path}`] }] as const;
  });
  await operations.model.updateOne({ _id: op }, [{ $set: Object.fromEntries(fields) }], { updatePipeline: true });
}
