import type { Operation, OperationError } from '../../schemas/operations/operation.js';
import type { Store } from '../../store/store.js';

export type StepInput = { op: string; run: string };

/**
 * What a run may do. `go: false`: nothing; its operation has ended already (then `error` says how, if badly), belongs to
 * another run, or gave way to one that pre-empts.
 */
export type Begun<Plan> =
  | { go: true; plan: Plan }
  | { go: false; error: (OperationError & { cancelled: boolean }) | null };

/** The first step of every run: claims its operation, and plans from what is. `plan` returns null when it has to give way. */
export async function begin<Plan>(
  store: Store,
  { op, run }: StepInput,
  plan: (operation: Operation) => Promise<Plan | null>,
): Promise<Begun<Plan>> {
  const claim = await store.operations.claim(op, run);
  if (claim.result === 'foreign') return { go: false, error: null };
  if (claim.result === 'ended') return ended(claim.operation);
  // What it held before it waited, for a person or for capacity, it takes anew.
  if (claim.operation.releasing) await store.releases.finish(op);
  const made = await plan(claim.operation);
  if (made !== null) return { go: true, plan: made };
  const after = await store.endings.end(op, {
    state: 'cancelled',
    error: { code: 'taken', detail: 'Another operation took the resource first.' },
  });
  return after ? ended(after) : { go: false, error: null };
}

const ended = ({ state, error }: Operation): Begun<never> => ({
  go: false,
  error: error && { ...error, cancelled: state === 'cancelled' },
});

/**
 * Ends the operations that stand in the way of a run. This run has their workflow ID, so none of them has one of its
 * own any more: what they left is taken over.
 */
export async function supersede(store: Store, op: string, others: readonly (string | null)[]): Promise<string[]> {
  const ids = others.filter((other): other is string => other !== null && other !== op);
  for (const other of ids)
    await store.endings.end(other, {
      state: 'cancelled',
      error: { code: 'taken', detail: `Operation ${op} took over.` },
    });
  return ids;
}
